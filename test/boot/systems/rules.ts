import { defineSystem } from 'firmwright'
import { consoleLogin, firewall, kernelRequests } from 'firmwright/features'
import { device } from './parameters.ts'

/** At least one of everything that nf_tables can have in a module of its own, in every family that has it. */
const rules = `flush ruleset
table inet filter {
	flowtable fast { hook ingress priority 0; devices = { lo }; }
	ct helper ftp-standard {
		type "ftp" protocol tcp
		l3proto inet
	}
	ct timeout slow {
		protocol tcp
		l3proto ip
		policy = { established: 100, close: 4 }
	}
	ct expectation later {
		protocol udp
		dport 9876
		timeout 2m
		size 12
		l3proto ip
	}
	quota monthly {
		over 10000 mbytes
	}
	limit slowly {
		rate 10/second
	}
	counter web {
	}
	synproxy shield {
		mss 1460
		wscale 7
		timestamp sack-perm
	}
	set seen { type ipv4_addr; flags dynamic, timeout; timeout 1m; size 1000; }
	set networks { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.168.0.0/16 } }
	set pairs { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.1 . 80-90 } }
	map ports { type inet_service : verdict; elements = { 22 : accept } }
	chain raw {
		type filter hook prerouting priority raw; policy accept;
		fib daddr type broadcast drop
		fib saddr . iif oif missing counter drop
		udp dport 5353 notrack
		tcp dport 8080 tcp flags syn notrack
	}
	chain mangle {
		type filter hook prerouting priority mangle; policy accept;
		socket transparent 1 meta mark set 1 accept
		meta l4proto tcp tproxy ip to 127.0.0.1:1080
		ct mark set numgen inc mod 4
		meta mark set jhash ip saddr . tcp sport mod 8
	}
	chain input {
		type filter hook input priority filter; policy accept;
		iifname "lo" accept
		ct state established,related accept
		ct state invalid drop
		tcp dport vmap @ports
		tcp dport 80 counter name "web"
		tcp dport 81 ct count over 20 reject with tcp reset
		tcp dport 82 limit rate over 10/second burst 5 packets drop
		tcp dport 83 limit name "slowly" drop
		tcp dport 84 quota name "monthly" drop
		tcp dport 85 quota over 1 mbytes drop
		tcp dport 86 ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm
		tcp dport 87 ct state invalid,untracked synproxy name "shield"
		tcp dport 88 queue num 1 bypass
		tcp dport 89 add @seen { ip saddr limit rate over 5/second } drop
		tcp dport 90 osf name "Linux" accept
		tcp dport 91 log prefix "late " level info
		tcp dport 92 log prefix "group " group 1
		ip saddr @networks ip saddr . tcp dport @pairs accept
		ipsec in reqid 1 accept
		meta skuid 1000 accept
		tcp option maxseg size 500-1400 accept
		rt classid 1 accept
		reject with icmpx type port-unreachable
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established flow add @fast
		tcp dport 21 ct helper set "ftp-standard"
		tcp dport 22 ct timeout set "slow"
		udp dport 9875 ct expectation set "later"
		tcp flags syn tcp option maxseg size set rt mtu
		ct zone 1 accept
	}
}
table inet nat {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		tcp dport 8081 dnat ip to 10.0.0.1:80
		tcp dport 8082 redirect to :80
		tcp dport 8083 dnat ip to tcp dport map { 8083 : 10.0.0.3 }
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "lo" accept
		ip saddr 10.0.0.0/8 snat ip to 192.0.2.1
		masquerade random
	}
}
table ip legacy {
	chain output {
		type route hook output priority mangle; policy accept;
		fib daddr type local accept
		ip daddr 10.9.9.9 dup to 10.9.9.8
		ip daddr 10.9.9.7 reject
		symhash mod 2 vmap { 0 : accept, 1 : accept }
	}
	chain nat { type nat hook postrouting priority srcnat; ip daddr 10.9.9.6 masquerade; }
}
table ip6 modern {
	chain output {
		type filter hook output priority filter; policy accept;
		fib daddr type local accept
		ip6 daddr 2001:db8::1 dup to 2001:db8::2
		ip6 daddr 2001:db8::3 reject
	}
	chain nat { type nat hook postrouting priority srcnat; ip6 daddr 2001:db8::4 masquerade; }
}
table arp neighbours {
	chain input { type filter hook input priority filter; arp operation request counter; }
}
table bridge lan {
	chain forward {
		type filter hook forward priority filter; policy accept;
		ct state established accept
		meta ibrname "br0" accept
	}
	chain input {
		type filter hook input priority filter; policy accept;
		ether type ip reject
	}
}
table netdev first {
	chain ingress {
		type filter hook ingress device "lo" priority 0; policy accept;
		ip daddr 10.1.1.1 dup to "lo"
		ip daddr 10.1.1.2 fwd to "lo"
		ip daddr 10.1.1.3 fib daddr type local accept
	}
}
`

/** Prints, one a line, which of the requests named as arguments fail (all, without any). Nothing of them stays behind. */
const requests = `try() {
	"$@" >/dev/null 2>&1 || echo "$1"
}
cake() { tc qdisc add dev lo root cake && tc qdisc del dev lo root; }
clsact() { tc qdisc add dev lo clsact && tc qdisc del dev lo clsact; }
flower() {
	tc qdisc add dev lo clsact
	tc filter add dev lo ingress protocol ip flower dst_ip 192.0.2.1 classid 1:1
	set -- $?
	tc qdisc del dev lo clsact
	return $1
}
mirred() { tc actions add action mirred egress mirror dev lo index 9 && tc actions del action mirred index 9; }
bbr() {
	echo bbr >/proc/sys/net/ipv4/tcp_congestion_control && echo cubic >/proc/sys/net/ipv4/tcp_congestion_control
}
link() { ip link add try0 type "$@" && ip link del try0; }
ifb() { link ifb; }
vxlan() { link vxlan id 1 dstport 4789; }
wireguard() { link wireguard; }
vcan() { link vcan; }
can() {
	ip link add try0 type vcan && ip link set try0 up && cansend try0 123#00
	set -- $?
	ip link del try0
	return $1
}
# The hash's authors' own test vector.
hash() { printf abc | kcapi-dgst -c rmd160 --hex | grep 8eb208f7e05d987a9b044a8e98c6b087f15a0bfc; }
# RFC 3713, appendix A.
cipher() {
	printf '\\001\\043\\105\\147\\211\\253\\315\\357\\376\\334\\272\\230\\166\\124\\062\\020' >/run/block
	kcapi-enc -e -c 'ecb(camellia)' --keyfd 3 3</run/block </run/block |
		od -An -tx1 | grep '67 67 31 38 54 96 69 73 08 57 06 56 48 ea be 43'
}
xfrm() { ip xfrm state list; }
l2tp() { ip l2tp show tunnel; }
[ $# -gt 0 ] || set -- cake clsact flower mirred bbr ifb vxlan wireguard vcan can hash cipher xfrm l2tp
for request; do try $request; done
`

export default defineSystem({
  device,
  hostname: 'rules',
  setup(system) {
    firewall(system, { rules })
    kernelRequests(system, {
      name: 'requests',
      qdiscs: ['cake', 'clsact'],
      classifiers: ['flower'],
      actions: ['mirred'],
      congestionControls: ['bbr'],
      links: ['ifb', 'vxlan', 'wireguard', 'vcan'],
      canProtocols: ['raw'],
      algSockets: ['hash', 'skcipher'],
      netlink: ['xfrm', 'crypto'],
      genericNetlink: ['l2tp'],
      crypto: ['rmd160', 'ecb(camellia)'],
    })
    system.packages.file('iproute2', '/bin/ip')
    system.packages.file('iproute2', '/sbin/tc')
    system.packages.file('can-utils', '/usr/bin/cansend')
    system.packages.file('kcapi-tools', '/usr/bin/kcapi-dgst')
    system.packages.file('kcapi-tools', '/usr/bin/kcapi-enc')
    system.files.text('/usr/lib/requests', requests)
    // For rulesets out of verify/kmod/rules.
    system.packages.file('netbase', '/etc/protocols')
    system.packages.file('netbase', '/etc/services')
    system.applets('awk', 'grep', 'insmod', 'lsmod', 'mkdir', 'mount', 'od', 'rmmod', 'usleep')
    consoleLogin(system, { login: { type: 'open' } })
  },
})
