import { describe, expect, it } from 'vitest'
import { needsOfRuleset } from './needs.ts'

/** The first name of everything that a ruleset needs beside nf_tables. */
function needs(text: string): readonly string[] {
  const found = needsOfRuleset(text)
  if (!found.ok) throw new Error(found.message)
  return [...found.kmods, ...found.forPackets]
    .map(({ anyOf: [first = ''] }) => first)
    .filter((name) => name !== 'nfnetlink-subsys-10')
    .sort()
}

const inChain = (rule: string, family = 'inet'): readonly string[] =>
  needs(`table ${family} t {\n\tchain c {\n\t\t${rule}\n\t}\n}`)

describe('a statement of a rule', () => {
  it.each([
    ['ct state established,related accept', 'nft-expr-1-ct'],
    ['ct state { new, established } ct mark set 1', 'nft-expr-1-ct'],
    ['ct count over 20 drop', 'nft-expr-1-connlimit'],
    ['ct helper set "ftp-standard"', 'nft-expr-1-objref'],
    ['counter name "web"', 'nft-expr-1-objref'],
    ['counter packets 0 bytes 0 accept', 'nft-expr-1-counter'],
    ['limit rate over 10/second burst 5 packets drop', 'nft-expr-1-limit'],
    ['limit name "slow" drop', 'nft-expr-1-objref'],
    ['quota over 25 mbytes drop', 'nft-expr-1-quota'],
    ['masquerade persistent', 'nft-expr-1-masq'],
    ['redirect to :8080', 'nft-expr-1-redir'],
    ['dnat ip to 10.0.0.1:80', 'nft-expr-1-nat'],
    ['snat to ip saddr map { 10.0.0.1 : 10.0.0.2 }', 'nft-expr-1-nat'],
    ['fib saddr . iif oif missing drop', 'nft-expr-1-fib'],
    ['reject with icmpx port-unreachable', 'nft-expr-1-reject'],
    ['notrack', 'nft-expr-1-notrack'],
    ['tproxy to :1080', 'nft-expr-1-tproxy'],
    ['socket transparent 1 accept', 'nft-expr-1-socket'],
    ['osf name "Linux"', 'nft-expr-1-osf'],
    ['ipsec in reqid 1', 'nft-expr-1-xfrm'],
    ['numgen inc mod 2 vmap { 0 : accept, 1 : drop }', 'nft-expr-1-numgen'],
    ['jhash ip saddr mod 2 0', 'nft-expr-1-hash'],
    ['symhash mod 2', 'nft-expr-1-hash'],
    ['synproxy mss 1460 wscale 7', 'nft-expr-1-synproxy'],
    ['flow add @f', 'nft-expr-1-flow_offload'],
    ['add @s { ip saddr limit rate 1/second }', 'nft-expr-1-limit'],
    ['iifname "ct" oifname "log" limit rate 1/second', 'nft-expr-1-limit'],
    ['counter ip saddr { 10.0.0.1, 10.0.0.2 } log level audit', 'nft-expr-1-log'],
  ])('%s', (rule, expected) => {
    expect(inChain(rule)).toContain(expected)
  })

  it.each([
    'icmp type redirect drop',
    'icmp type != redirect',
    'icmpv6 type { nd-redirect, redirect }',
    'icmp type {redirect}',
  ])('%s translates no address', (rule) => expect(inChain(rule)).not.toContain('nft-expr-1-redir'))

  it('with the helper amanda takes what that looks for while it is loaded', () => {
    expect(needs('table ip t {\n\tct helper a {\n\t\ttype "amanda" protocol udp\n\t}\n}')).toContain('ts_kmp')
  })

  it('that asks for the IPsec of a route does not look into packets', () => {
    expect(inChain('rt ipsec exists accept')).toEqual(['nft-expr-1-rt'])
    expect(inChain('meta ipsec exists accept')).toEqual([])
  })

  it('is looked up for its own family where a family has one of its own', () => {
    expect(inChain('reject', 'ip6')).toEqual(['nft-expr-10-reject'])
    expect(inChain('dup to eth0', 'netdev')).toEqual(['nft-expr-5-dup'])
    expect(inChain('ether saddr 00:00:00:00:00:01 ct state new', 'bridge')).toEqual([
      'nf_conntrack_bridge',
      'nft-expr-7-ct',
    ])
  })

  // As nft --debug=netlink of nftables 1.0.6 shows them.
  it.each([
    'ip saddr 192.0.2.1 accept',
    'tcp dport 22 accept',
    'icmp type echo-request',
    'reject with tcp reset',
    'ether type { ip, ip6 } ip saddr 192.0.2.1',
    'ether type ip tcp dport 22',
    'ip protocol tcp tcp dport 22',
    'ip saddr . tcp dport { 192.0.2.1 . 22 } drop',
    'add @s { ip saddr }',
    'iifname "x" accept',
    'mark 1',
    'ct mark set mark',
    'hour > "10:00"',
    'esp spi 1',
    'jhash ip saddr mod 2 vmap { 0 : accept }',
  ])('in a bridge looks at meta: %s', (rule) => {
    expect(inChain(rule, 'bridge')).toContain('nft-expr-7-meta')
  })
  it.each([
    'policy accept',
    'ether type { ip, ip6 } drop',
    'ether saddr 00:11:22:33:44:55 counter',
    'arp saddr ip 192.0.2.1 accept',
    'vlan id 5 ip saddr 192.0.2.1',
    'vlan type ip accept',
    'ether type ip ip protocol tcp tcp dport 22',
    'ether type ip reject with icmp admin-prohibited',
    'ether type != ip drop',
    'ct mark 5',
    'ct original ip saddr 192.0.2.1',
    'tcp option maxseg size 1',
    'ip option rr exists',
    'log prefix "tcp dport" flags skuid',
    'jump mark',
    '@nh,0,8 1',
    'th dport 1',
  ])('in a bridge does not look at meta: %s', (rule) => {
    expect(inChain(rule, 'bridge')).not.toContain('nft-expr-7-meta')
  })

  it('to the log wants whoever writes it', () => {
    expect(inChain('log prefix "x" flags tcp sequence,options level warn drop')).toEqual([
      'nf_log_syslog',
      'nft-expr-1-log',
    ])
    expect(inChain('log prefix "x" group 2')).toEqual(['nfnetlink_log', 'nft-expr-1-log'])
    expect(inChain('log level audit')).toEqual(['nft-expr-1-log'])
    expect(inChain('queue num 1')).toEqual(['nfnetlink-subsys-3', 'nft-expr-1-queue'])
  })

  it('that only mentions a word does not need what the word means elsewhere', () => {
    expect(
      inChain('jump reject\n\t\tgoto log\n\t\tip saddr @limit\n\t\tiifname "fib" comment "masquerade"'),
    ).toEqual([])
    expect(inChain('ct status dnat accept')).toEqual(['nft-expr-1-ct'])
    expect(inChain('accept # reject\n\t\taccept')).toEqual([])
  })
})

describe('a ruleset', () => {
  it('has chains of types, flow tables, objects and helpers, the last with address translation', () => {
    const text = `
define wan = eth0
table ip t {
	flowtable f { hook ingress priority 0; devices = { eth0 }; }
	ct helper ftp-standard { type "ftp" protocol tcp; }
	ct timeout slow { protocol tcp; l3proto ip; policy = { established: 100 } }
	quota q { over 1 mbytes }
	limit l { rate 10/second }
	counter c { }
	synproxy s { mss 1460; wscale 7; }
	set seen { type ipv4_addr; flags dynamic; timeout 1m; counter; }
	chain nat { type nat hook postrouting priority srcnat; policy accept; oifname $wan masquerade; }
	chain mangle { type route hook output priority mangle; }
}`
    expect(needs(text)).toEqual([
      'nf-flowtable-2',
      'nf_nat_ftp',
      'nfct-helper-ftp',
      'nft-chain-2-nat',
      'nft-chain-2-route',
      'nft-expr-2-counter',
      'nft-expr-2-masq',
      'nft-obj-1',
      'nft-obj-10',
      'nft-obj-2',
      'nft-obj-3',
      'nft-obj-4',
      'nft-obj-7',
    ])
  })

  it('can be one of commands', () => {
    const text = `flush ruleset
add table inet t
add chain inet t c { type nat hook prerouting priority dstnat; }
add rule inet t c tcp dport 80 \\
	redirect to :8080
add rule t c reject
add ct helper inet t h { type "sip" protocol udp; }
insert rule ip6 t c position 3 log reject`
    expect(needs(text)).toEqual([
      'nf_log_syslog',
      'nf_nat_sip',
      'nfct-helper-sip',
      'nft-chain-1-nat',
      'nft-expr-1-redir',
      'nft-expr-10-log',
      'nft-expr-10-reject',
      'nft-expr-2-reject',
      'nft-obj-3',
    ])
  })

  it('that includes another file is refused, with the line', () => {
    expect(needsOfRuleset('flush ruleset\ninclude "/etc/other.nft"\n')).toEqual({
      ok: false,
      line: 2,
      message: 'a ruleset that includes other files cannot be read here',
    })
  })

  it('comes to an end whatever it is', () => {
    for (const text of ['', '}', '{{{', 'table', 'table inet t { chain', 'add rule', '"', 'ct helper x {']) {
      expect(needsOfRuleset(text).ok).toBe(true)
    }
  })
})
