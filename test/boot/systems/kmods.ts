import { defineSystem } from 'firmwright'
import { consoleLogin } from 'firmwright/features'
import { device } from './parameters.ts'

// Services that are nothing but kernel modules, many of them shared: nf_tables by three, libcrc32c by five.
const targets = {
  masquerade: ['nft_masq', 'nft_chain_nat'],
  routes: ['nft_fib_ipv4', 'nft_fib_ipv6'],
  logging: ['nft_log', 'nft_limit', 'nft_ct'],
  btrfs: ['btrfs'],
  xfs: ['xfs'],
  tunnel: ['tun', 'libcrc32c'],
}

/**
 * Does one thing after the other and prints, for each, its exit status and what is loaded of the modules in LIST: a
 * letter 1 or 0 for each. `up NAME`, `down NAME`, `insmod FILE`, `rmmod NAME`, `hold` and `let-go` of the tunnel, `break
 * FILE HOW` and `mend FILE`.
 */
const walk = `#!/bin/sh
list=$1
shift
while [ $# -gt 0 ]; do
	case $1 in
	up) rc-service "$2" start >/dev/null 2>&1 ;;
	down) rc-service "$2" stop >/dev/null 2>&1 ;;
	insmod) insmod "$2" 2>/dev/null ;;
	rmmod) rmmod "$2" 2>/dev/null ;;
	hold) sleep 100000 </dev/net/tun >/dev/null 2>&1 & echo $! >/run/holder ;;
	let-go) read -r holder </run/holder && kill "$holder" && while kill -0 "$holder" 2>/dev/null; do :; done ;;
	break) mv "$2" "$2.good" && { [ "$3" = gone ] || cp "/run/bad/$3/\${2##*/}" "$2"; } ;;
	mend) mv -f "$2.good" "$2" ;;
	esac
	status=$?
	case $1 in hold | let-go) shift ;; break) shift 3 ;; *) shift 2 ;; esac
	loaded=' '
	while read -r name rest; do loaded="$loaded$name "; done </proc/modules
	bits=
	for name in $list; do
		case $loaded in *" $name "*) bits=\${bits}1 ;; *) bits=\${bits}0 ;; esac
	done
	echo "$status $bits"
done
`

export default defineSystem({
  device,
  hostname: 'kmods',
  setup(system) {
    for (const [name, kmods] of Object.entries(targets)) system.kernel.load(name, kmods)
    // A parameter of a module, and one of what is built in.
    system.kernel.load('parameters', ['dummy'])
    system.kernel.moduleParameter('dummy', 'numdummies', 3)
    system.kernel.moduleParameter('tcp_cubic', 'hystart', false)
    system.files.text('/usr/bin/walk', walk, { mode: 0o755 })
    system.applets(
      'awk',
      'basename',
      'cat',
      'cp',
      'dd',
      'dirname',
      'head',
      'kill',
      'ls',
      'lsmod',
      'mv',
      'od',
      'sed',
      'tail',
      'umount',
      'uname',
    )
    consoleLogin(system, { login: { type: 'open' } })
  },
})
