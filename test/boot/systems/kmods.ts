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
  // vrf has no exit function.
  tunnel: ['tun', 'libcrc32c', 'vrf'],
}

/**
 * Does one thing after the other and prints, for each, its exit status, what is loaded of the modules in LIST (a letter 1
 * or 0 for each) and what was said. `up NAME`, `down NAME`, `fail NAME DAMAGE FILE`, `insmod FILE`, `rmmod NAME`, `hold` and
 * `let-go` of the tunnel. A file of a gigabyte is more than the machine has: the kernel has no memory for it.
 */
const walk = `#!/bin/sh
set -f
list=$1
shift
while [ $# -gt 0 ]; do
	said= words=2
	case $1 in
	up) rc-service "$2" start >/dev/null 2>&1 ;;
	down) rc-service "$2" stop >/dev/null 2>&1 ;;
	fail)
		words=4
		cp "$4" /run/whole.ko
		case $3 in
		removed) rm "$4" ;;
		vermagic) sed 's/SMP mod_unload/SMP mod_other_/; s/~Module signature/~module signature/' /run/whole.ko >"$4" ;;
		memory) truncate -s 1G "$4" ;;
		cut) dd if=/run/whole.ko of="$4" bs=1k count=1 2>/dev/null ;;
		esac
		said=$(rc-service "$2" start 2>&1)
		;;
	insmod) insmod "$2" 2>/dev/null ;;
	rmmod) rmmod "$2" 2>/dev/null ;;
	hold) words=1; sleep 100000 </dev/net/tun >/dev/null 2>&1 & echo $! >/run/holder ;;
	let-go) words=1; read -r holder </run/holder && kill "$holder" && while kill -0 "$holder" 2>/dev/null; do :; done ;;
	esac
	status=$?
	[ "$1" != fail ] || cat /run/whole.ko >"$4"
	shift $words
	loaded=' '
	while read -r name rest; do loaded="$loaded$name "; done </proc/modules
	bits=
	for name in $list; do
		case $loaded in *" $name "*) bits=\${bits}1 ;; *) bits=\${bits}0 ;; esac
	done
	echo $status $bits $said
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
    system.applets('awk', 'cat', 'cp', 'dd', 'kill', 'ls', 'lsmod', 'mount', 'rm', 'sed', 'truncate', 'uname')
    consoleLogin(system, { login: { type: 'open' } })
  },
})
