import type { Token } from './statements.ts'

/**
 * Whether a rule in a bridge looks at what nft calls `meta`, which is a module of its own there (nft_meta_bridge):
 * because it says so, or because nft has to ask first which protocol the header is of that it says something about.
 * What the rule has settled itself nft does not ask (`ether type ip ip saddr …`, `ip protocol tcp tcp dport …`). As
 * `nft --debug=netlink` shows it.
 */
export function looksAtMeta(words: readonly Token[]): boolean {
  const isSettled = (by: readonly string[], value: (text: string) => boolean, before: number): boolean =>
    words.some(
      ({ text }, at) => at > 0 && at < before && value(text) && by.includes(words[at - 1]?.text ?? ''),
    )
  return words.some(({ text, quoted }, at) => {
    const before = words[at - 1]
    const previous = before?.quoted === false ? before.text : ''
    if (quoted || namesFollow.has(previous)) return false
    if (text === 'meta') return true
    if (metaKeys.has(text)) return previous !== 'ct' && previous !== 'flags'
    if (text === 'tcp' && previous === 'with') return true
    if (!isHeader(words, at)) return false
    if (text === 'ip' || text === 'ip6') {
      const isVlan = words.slice(0, at).some((word) => word.text === 'vlan' && !word.quoted)
      return !isVlan && !isSettled(['type'], (value) => value === 'ip' || value === 'ip6', at)
    }
    return transports.has(text) && !isSettled(['protocol', 'nexthdr'], (value) => value === text, at)
  })
}

/** A field of a header follows, and no word before says that it is the value of another field, or of a connection. */
function isHeader(words: readonly Token[], at: number): boolean {
  const previous = words[at - 1]?.text ?? ''
  const next = words[at + 1]
  return (
    !['=', 'flags', 'nexthdr', 'original', 'protocol', 'reply', 'type', 'with'].includes(previous) &&
    next?.quoted === false &&
    next.text !== 'option' &&
    /^[a-z]/.test(next.text)
  )
}

const namesFollow: ReadonlySet<string> = new Set(['@', '$', 'comment', 'goto', 'jump'])

const transports: ReadonlySet<string> = new Set([
  'ah',
  'comp',
  'dccp',
  'esp',
  'icmp',
  'icmpv6',
  'igmp',
  'sctp',
  'tcp',
  'udp',
  'udplite',
])

/** Keys of `meta` that can stand without that word (nft(8), meta expressions). */
const metaKeys: ReadonlySet<string> = new Set([
  'cgroup',
  'cpu',
  'day',
  'hour',
  'ibrname',
  'iif',
  'iifgroup',
  'iifkind',
  'iifname',
  'iiftype',
  'mark',
  'nftrace',
  'obrname',
  'oif',
  'oifgroup',
  'oifkind',
  'oifname',
  'oiftype',
  'pkttype',
  'rtclassid',
  'skgid',
  'skuid',
  'time',
])
