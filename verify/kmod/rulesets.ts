/**
 * Rulesets that together have every expression and every statement of nft(8) 1.0.6, but for what needs more than a
 * kernel: `secmark` (a loaded SELinux policy), `socket cgroupv2` (a cgroup of that name), `xt` (which only iptables-nft
 * writes), `ah nexthdr` and `comp nexthdr`, on which that nft aborts, and `reject` of the family netdev, which Debian's 6.1
 * does not have (a build error). Most are about one thing each; the last are
 * mixtures of those, of up to five hundred lines.
 */
import { seededRandom } from '../../src/devicetree/conformance.ts'

export interface Ruleset {
  readonly name: string
  readonly text: string
}

interface Topic {
  readonly name: string
  readonly family: 'arp' | 'bridge' | 'inet' | 'ip' | 'ip6' | 'netdev'
  /** What stands after `type` in the chain's first line. */
  readonly chain: string
  readonly rules: readonly string[]
  /** Sets, maps, objects and chains that the rules refer to. */
  readonly objects?: readonly string[]
}

const input = 'filter hook input priority filter; policy accept;'
const forward = 'filter hook forward priority filter; policy accept;'
const prerouting = 'filter hook prerouting priority mangle; policy accept;'
const postrouting = 'filter hook postrouting priority mangle; policy accept;'
const dstnat = 'nat hook prerouting priority dstnat; policy accept;'
const srcnat = 'nat hook postrouting priority srcnat; policy accept;'
const ingress = 'filter hook ingress device "lo" priority 0; policy accept;'

const topics: readonly Topic[] = [
  {
    name: 'verdicts',
    family: 'inet',
    chain: input,
    objects: ['chain here { return; }', 'chain there { continue; }'],
    rules: ['tcp dport 1 accept', 'tcp dport 2 drop', 'tcp dport 3 jump here', 'tcp dport 4 goto there'],
  },
  {
    name: 'meta',
    family: 'inet',
    chain: forward,
    rules: [
      'meta length 100-1000 accept',
      'meta nfproto ipv4 accept',
      'meta l4proto { tcp, udp } accept',
      'meta protocol ip accept',
      'meta priority 1:2 accept',
      'meta mark & 0xff == 0x10 accept',
      'iif "lo" oif "lo" accept',
      'iifname "eth*" oifname { "ppp0", "ct" } accept',
      'iiftype loopback oiftype ether accept',
      'meta pkttype broadcast drop',
      'meta cpu 0 accept',
      'iifgroup 1 oifgroup 2 accept',
      'meta cgroup 1 accept',
      'meta random < 1000000 drop',
      'meta ipsec exists accept',
      'meta iifkind "vrf" meta oifkind "bridge" accept',
      'meta sdif "lo" meta sdifname "red" accept',
      'meta rtclassid 3 accept',
    ],
  },
  {
    name: 'times',
    family: 'inet',
    chain: input,
    rules: [
      'meta time "2030-01-01 00:00:00" - "2031-01-01 00:00:00" drop',
      'meta hour "08:00" - "18:00" accept',
      'meta day { 0, 6 } drop',
    ],
  },
  {
    name: 'owners',
    family: 'inet',
    chain: 'filter hook output priority filter; policy accept;',
    rules: ['meta skuid { 0, 1000 } accept', 'meta skgid 100 reject'],
  },
  {
    name: 'meta-set',
    family: 'inet',
    chain: prerouting,
    rules: [
      'meta mark set 1',
      'meta priority set 1:1',
      'meta pkttype set host',
      'meta nftrace set 1',
      'meta mark set meta mark | 4',
    ],
  },
  {
    name: 'sockets',
    family: 'inet',
    chain: prerouting,
    rules: ['socket transparent 1 meta mark set 1', 'socket mark 1 accept', 'socket wildcard 0 accept'],
  },
  {
    name: 'osf',
    family: 'inet',
    chain: input,
    rules: ['osf name "Linux" accept', 'osf ttl skip name "Windows" drop', 'osf version "Linux:4.20" accept'],
  },
  {
    name: 'fib-inet',
    family: 'inet',
    chain: prerouting,
    rules: [
      'fib saddr . iif oif missing drop',
      'fib daddr . iif type != { local, broadcast, multicast } drop',
      'fib daddr . mark type vmap { blackhole : drop, prohibit : drop }',
      'fib saddr oifname "lo" accept',
    ],
  },
  { name: 'fib-ip', family: 'ip', chain: prerouting, rules: ['fib daddr type local accept'] },
  { name: 'fib-ip6', family: 'ip6', chain: prerouting, rules: ['fib saddr oif exists accept'] },
  { name: 'fib-netdev', family: 'netdev', chain: ingress, rules: ['fib daddr type local accept'] },
  {
    name: 'routing',
    family: 'inet',
    chain: postrouting,
    rules: [
      'rt classid 10 accept',
      'rt ip nexthop 192.168.0.1 accept',
      'rt ip6 nexthop fd00::1 accept',
      'rt ipsec exists accept',
      'tcp flags syn tcp option maxseg size set rt mtu',
    ],
  },
  {
    name: 'ipsec',
    family: 'inet',
    chain: forward,
    rules: ['ipsec in reqid 1 accept', 'ipsec in spnum 1 spi 7 accept', 'ipsec in ip saddr 10.0.0.1 accept'],
  },
  {
    name: 'numgen',
    family: 'ip',
    chain: dstnat,
    rules: [
      'tcp dport 80 dnat to numgen inc mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }',
      'tcp dport 81 dnat to numgen random mod 2 offset 1 map { 1 : 10.0.0.1, 2 : 10.0.0.2 }',
    ],
  },
  {
    name: 'hashes',
    family: 'inet',
    chain: prerouting,
    rules: [
      'meta mark set jhash ip saddr . tcp dport mod 4 seed 0xdead offset 1',
      'meta mark set symhash mod 2',
    ],
  },
  {
    name: 'ethernet',
    family: 'bridge',
    chain: forward,
    rules: [
      'ether saddr 00:11:22:33:44:55 ether daddr != 00:11:22:33:44:66 accept',
      'ether type vlan vlan id 5 vlan pcp 2 accept',
      'vlan dei 1 accept',
      'vlan type ip accept',
      'meta ibrname "br0" meta obrname "br1" accept',
      'meta ibrpvid 1 meta ibrvproto 8021q accept',
    ],
  },
  {
    name: 'arp',
    family: 'arp',
    chain: input,
    rules: [
      'arp htype 1 arp ptype ip arp hlen 6 arp plen 4 accept',
      'arp operation request accept',
      'arp saddr ip 10.0.0.1 arp daddr ether 00:11:22:33:44:55 accept',
      'arp operation reply arp saddr ip set 10.0.0.2',
    ],
  },
  {
    name: 'ip',
    family: 'ip',
    chain: input,
    rules: [
      'ip version 4 ip hdrlength > 5 accept',
      'ip dscp cs1 ip ecn ce accept',
      'ip length 40 ip id 1 ip frag-off & 0x1fff != 0 drop',
      'ip ttl < 2 ip protocol 17 ip checksum 0 drop',
      'ip saddr 10.0.0.0/8 ip daddr { 10.0.0.1-10.0.0.9, 10.1.0.0/16 } accept',
      'ip option lsrr exists drop',
      'ip option ra value 0 accept',
    ],
  },
  {
    name: 'icmp',
    family: 'ip',
    chain: input,
    rules: [
      'icmp type { echo-request, echo-reply } icmp id 1 icmp sequence 1 accept',
      'icmp code port-unreachable icmp checksum 0 accept',
      'icmp type redirect icmp gateway 1 drop',
      'icmp mtu 1400 accept',
      'igmp type membership-query igmp mrt 1 igmp checksum 0 igmp group 224 accept',
    ],
  },
  {
    name: 'ip6',
    family: 'ip6',
    chain: input,
    rules: [
      'ip6 version 6 ip6 dscp cs1 ip6 ecn ce accept',
      'ip6 flowlabel 5 ip6 length 100 ip6 nexthdr tcp ip6 hoplimit 255 accept',
      'ip6 saddr fe80::/10 ip6 daddr ff02::1 accept',
    ],
  },
  {
    name: 'icmpv6',
    family: 'ip6',
    chain: input,
    rules: [
      'icmpv6 type { nd-router-solicit, nd-neighbor-advert } icmpv6 code 0 accept',
      'icmpv6 mtu 1280 accept',
      'icmpv6 param-problem 1 icmpv6 checksum 0 accept',
      'icmpv6 id 1 icmpv6 sequence 2 accept',
      'icmpv6 max-delay 100 accept',
    ],
  },
  {
    name: 'tcp',
    family: 'inet',
    chain: input,
    rules: [
      'tcp sport 1024-65535 tcp dport { 22, 80, 443 } accept',
      'tcp sequence 1 tcp ackseq 2 tcp doff 5 tcp reserved 0 accept',
      'tcp flags & (fin | syn | rst | ack) == syn accept',
      'tcp window 0 tcp checksum 0 tcp urgptr 0 drop',
      'tcp option sack-perm exists tcp option window count 7 accept',
      'tcp option maxseg size 500-1400 accept',
      'tcp option timestamp tsval 1 accept',
      'tcp flags syn tcp option maxseg size set 1400',
      'reset tcp option fastopen',
    ],
  },
  {
    name: 'datagrams',
    family: 'inet',
    chain: input,
    rules: [
      'udp sport 53 udp dport 1024-65535 udp length > 8 udp checksum 0 accept',
      'udplite sport 1 udplite dport 2 udplite checksum 3 accept',
      'dccp sport 1 dccp dport 2 dccp type data accept',
      'udp checksum set 0',
    ],
  },
  {
    name: 'sctp',
    family: 'inet',
    chain: input,
    rules: [
      'sctp sport 1 sctp dport 2 sctp vtag 3 sctp checksum 4 accept',
      'sctp chunk data exists accept',
      'sctp chunk init num-inbound-streams 4 accept',
      'sctp chunk sack cum-tsn-ack 1 accept',
      'sctp chunk asconf seqno 1 accept',
    ],
  },
  {
    name: 'security-headers',
    family: 'inet',
    chain: input,
    rules: [
      'ah hdrlength 4 ah reserved 0 ah spi 1 ah sequence 2 accept',
      'esp spi 1 esp sequence 2 accept',
      'comp flags 0 comp cpi 1 accept',
    ],
  },
  {
    name: 'raw-payload',
    family: 'inet',
    chain: input,
    rules: ['@th,16,16 53 accept', '@nh,0,4 4 accept', '@ll,48,48 0x001122334455 accept', '@ih,0,8 1 drop'],
  },
  {
    name: 'extension-headers',
    family: 'ip6',
    chain: input,
    rules: [
      'hbh nexthdr 6 hbh hdrlength 0 accept',
      'frag nexthdr 6 frag reserved 0 frag frag-off 0 frag more-fragments 1 frag id 1 accept',
      'rt nexthdr 6 rt hdrlength 0 rt type 0 rt seg-left 1 drop',
      'dst nexthdr 6 dst hdrlength 0 accept',
      'mh nexthdr 6 mh hdrlength 0 mh type 1 mh reserved 0 mh checksum 0 accept',
      'srh flags 0 srh tag 1 srh sid[1] ::1 srh last-entry 0 accept',
      'exthdr frag exists drop',
    ],
  },
  {
    name: 'conntrack',
    family: 'inet',
    chain: forward,
    rules: [
      'ct state { new, established, related, untracked } accept',
      'ct direction original ct status assured,snat,dnat accept',
      'ct mark 1 ct expiration < 10s accept',
      'ct helper "ftp" accept',
      'ct label 1 accept',
      'ct l3proto ipv4 ct protocol tcp ct original ip saddr 10.0.0.1 accept',
      'tcp dport 3 ct reply proto-dst 80 accept',
      'ct original bytes > 1000 ct reply packets < 5 ct avgpkt > 100 accept',
      'ct zone 1 ct original zone 2 accept',
      'ct id 7 accept',
    ],
  },
  {
    name: 'conntrack-set',
    family: 'inet',
    chain: 'filter hook prerouting priority raw; policy accept;',
    rules: ['ct zone set 1', 'ct event set new,related', 'ct mark set meta mark', 'ct label set 2'],
  },
  {
    name: 'notrack',
    family: 'ip',
    chain: 'filter hook prerouting priority raw; policy accept;',
    rules: ['udp dport 53 notrack'],
  },
  { name: 'ct-count', family: 'ip', chain: input, rules: ['ct state new ct count over 20 drop'] },
  {
    name: 'helpers',
    family: 'ip',
    chain: prerouting,
    objects: [
      ...['ftp:tcp', 'sip:udp', 'tftp:udp', 'irc:tcp', 'pptp:tcp', 'amanda:udp', 'snmp:udp', 'sane:tcp'].map(
        (pair) => {
          const [name = '', protocol = ''] = pair.split(':')
          return `ct helper ${name}-it {\n\t\ttype "${name}" protocol ${protocol}\n\t}`
        },
      ),
    ],
    rules: ['tcp dport 21 ct helper set "ftp-it"', 'udp dport 5060 ct helper set "sip-it"'],
  },
  {
    name: 'ct-timeout',
    family: 'ip',
    chain: prerouting,
    objects: [
      'ct timeout slow {\n\t\tprotocol tcp\n\t\tl3proto ip\n\t\tpolicy = { established: 100, close: 4 }\n\t}',
    ],
    rules: ['tcp dport 22 ct timeout set "slow"'],
  },
  {
    name: 'ct-expectation',
    family: 'ip',
    chain: forward,
    objects: [
      'ct expectation later {\n\t\tprotocol udp\n\t\tdport 9876\n\t\ttimeout 2m\n\t\tsize 12\n\t\tl3proto ip\n\t}',
    ],
    rules: ['udp dport 9875 ct expectation set "later"'],
  },
  {
    name: 'log-kernel',
    family: 'inet',
    chain: input,
    rules: [
      'log prefix "in: " level debug flags all',
      'tcp dport 1 log flags tcp sequence,options flags ip options flags skuid flags ether',
    ],
  },
  {
    name: 'log-group',
    family: 'ip',
    chain: input,
    rules: ['log group 2 snaplen 64 queue-threshold 10 prefix "x"'],
  },
  { name: 'log-audit', family: 'ip', chain: input, rules: ['log level audit'] },
  { name: 'log-bridge', family: 'bridge', chain: input, rules: ['log prefix "bridge "'] },
  {
    name: 'reject',
    family: 'inet',
    chain: input,
    rules: [
      'tcp dport 1 reject',
      'tcp dport 2 reject with tcp reset',
      'ip protocol 17 reject with icmp admin-prohibited',
      'ip6 nexthdr 17 reject with icmpv6 no-route',
      'reject with icmpx host-unreachable',
    ],
  },
  { name: 'reject-ip', family: 'ip', chain: input, rules: ['reject with icmp host-unreachable'] },
  { name: 'reject-ip6', family: 'ip6', chain: input, rules: ['reject with icmpv6 addr-unreachable'] },
  {
    name: 'reject-bridge',
    family: 'bridge',
    chain: input,
    rules: ['ether type ip reject with icmp host-unreachable'],
  },
  {
    name: 'stateful',
    family: 'inet',
    chain: input,
    objects: [
      'counter web {\n\t}',
      'quota monthly {\n\t\tover 100 mbytes\n\t}',
      'limit slowly {\n\t\trate 10/second\n\t}',
      'map each { type ipv4_addr : counter; elements = { 10.0.0.1 : "web" }; }',
    ],
    rules: [
      'counter packets 0 bytes 0',
      'limit rate over 400/minute burst 5 packets drop',
      'limit rate 1 mbytes/second accept',
      'quota until 10 mbytes accept',
      'counter name "web" quota name "monthly" drop',
      'limit name "slowly" accept',
      'counter name ip saddr map @each',
    ],
  },
  {
    name: 'nat-inet',
    family: 'inet',
    chain: dstnat,
    objects: [
      `chain out {\n\t\ttype ${srcnat}\n\t\tip saddr 10.0.0.0/8 snat ip to 192.0.2.1\n\t\tmasquerade random\n\t}`,
    ],
    rules: ['tcp dport 80 dnat ip to 10.0.0.1:8080', 'tcp dport 81 redirect to :8081'],
  },
  {
    name: 'nat-ip',
    family: 'ip',
    chain: srcnat,
    rules: [
      'meta l4proto tcp snat to 192.0.2.1-192.0.2.9:1000-2000 persistent',
      'snat ip prefix to ip saddr map { 10.0.0.0/24 : 192.0.2.0/24 }',
      'meta l4proto udp masquerade to :1024-65535 fully-random',
    ],
  },
  {
    name: 'nat-ip6',
    family: 'ip6',
    chain: srcnat,
    rules: ['ip6 saddr fd00::/8 masquerade', 'snat to 2001:db8::1'],
  },
  { name: 'redirect-ip6', family: 'ip6', chain: dstnat, rules: ['tcp dport 80 redirect to :3128'] },
  {
    name: 'tproxy',
    family: 'inet',
    chain: prerouting,
    rules: ['meta l4proto tcp tproxy ip to 127.0.0.1:1080', 'meta l4proto udp tproxy ip6 to [::1]:1080'],
  },
  {
    name: 'synproxy',
    family: 'ip',
    chain: input,
    objects: ['synproxy shield {\n\t\tmss 1460\n\t\twscale 7\n\t\ttimestamp sack-perm\n\t}'],
    rules: [
      'tcp dport 80 ct state invalid,untracked synproxy mss 1460 wscale 9 timestamp sack-perm',
      'tcp dport 81 ct state invalid,untracked synproxy name "shield"',
    ],
  },
  {
    name: 'flow-inet',
    family: 'inet',
    chain: forward,
    objects: ['flowtable fast {\n\t\thook ingress priority 0\n\t\tdevices = { lo }\n\t\tcounter\n\t}'],
    rules: ['ct state established flow add @fast'],
  },
  {
    name: 'flow-ip6',
    family: 'ip6',
    chain: forward,
    objects: ['flowtable fast {\n\t\thook ingress priority filter\n\t\tdevices = { lo }\n\t}'],
    rules: ['meta l4proto tcp flow add @fast'],
  },
  {
    name: 'queue',
    family: 'inet',
    chain: forward,
    rules: ['tcp dport 1 queue', 'tcp dport 2 queue flags bypass,fanout to 0-3', 'queue to symhash mod 4'],
  },
  { name: 'dup-ip', family: 'ip', chain: prerouting, rules: ['dup to 10.2.3.4 device "lo"'] },
  { name: 'dup-ip6', family: 'ip6', chain: prerouting, rules: ['dup to 2001:db8::9'] },
  {
    name: 'dup-netdev',
    family: 'netdev',
    chain: ingress,
    rules: [
      'ip saddr 10.0.0.7 dup to "lo"',
      'ip saddr 10.0.0.8 fwd to "lo"',
      'fwd ip to 192.0.2.200 device "lo"',
    ],
  },
  {
    name: 'sets',
    family: 'inet',
    chain: input,
    objects: [
      'set seen { type ipv4_addr; flags dynamic,timeout; timeout 1m; gc-interval 10s; size 65535; }',
      'set metered { type ipv4_addr . inet_service; flags dynamic; size 1000; }',
      'set nets { type ipv4_addr; flags interval; auto-merge; elements = { 10.0.0.0/8, 192.168.0.0/16 }; }',
      'set pairs { type ipv4_addr . inet_service; flags interval; counter; elements = { 10.0.0.1 . 80-90 }; }',
      'set kept { typeof ip saddr; flags constant; elements = { 10.0.0.1 }; }',
      'map verdicts { type inet_service : verdict; elements = { 22 : accept, 23 : drop }; }',
      'map marks { type ipv4_addr : mark; flags dynamic,timeout; size 100; timeout 1m; }',
    ],
    rules: [
      'ip saddr @nets ip saddr . tcp dport @pairs accept',
      'ip saddr @kept accept',
      'add @seen { ip saddr timeout 5s limit rate over 5/second } drop',
      'update @seen { ip saddr }',
      'delete @seen { ip saddr }',
      'tcp flags syn update @metered { ip saddr . tcp dport ct count over 9 } drop',
      'update @marks { ip saddr : 7 }',
      'meta mark set ip saddr map @marks',
      'tcp dport vmap @verdicts',
      'ip saddr vmap { 10.0.0.1 : accept, 10.0.0.2-10.0.0.9 : drop }',
    ],
  },
  {
    name: 'payload-set',
    family: 'ip',
    chain: prerouting,
    rules: ['ip ttl set 64', 'ip dscp set ef', 'tcp dport set 80', 'ip saddr set 10.0.0.1'],
  },
  {
    name: 'route',
    family: 'ip6',
    chain: 'route hook output priority mangle; policy accept;',
    rules: ['meta mark set 5'],
  },
  { name: 'bridge-ct', family: 'bridge', chain: input, rules: ['ct state established accept'] },
]

function textOf({ family, chain, rules, objects = [] }: Topic, table: string): string {
  const lines = [
    `table ${family} ${table} {`,
    ...objects.map((object) => `\t${object}`),
    '\tchain of_rules {',
    `\t\ttype ${chain}`,
    ...rules.map((rule) => `\t\t${rule}`),
    '\t}',
    '}',
  ]
  return `${lines.join('\n')}\n`
}

const mixtureLines = [30, 60, 100, 150, 200, 300, 500] as const

/** The same at every call. */
export function rulesets(): readonly Ruleset[] {
  const random = seededRandom(60)
  const single = topics.map((topic) => ({ name: topic.name, text: textOf(topic, 'one') }))
  const mixtures = mixtureLines.map((wanted) => {
    let text = ''
    for (let count = 0; text.split('\n').length < wanted; count++) {
      const topic = topics[random(topics.length)]
      if (topic !== undefined) text += textOf(topic, `t${count}`)
    }
    const lines = text.split('\n').length - 1
    return { name: `mixture of ${lines} lines`, text }
  })
  return [...single, ...mixtures]
}
