import type { KmodChoice } from '../../system/index.ts'
import { looksAtMeta } from './bridge-meta.ts'
import { parseStatements, type Statement, type Token, withoutCommand } from './statements.ts'

/**
 * What a ruleset asks of the kernel, as the kernel itself would ask for modules while the ruleset is loaded
 * (net/netfilter/nf_tables_api.c, `nft_request_module`): by `nft-expr-FAMILY-NAME`, `nft-expr-NAME`,
 * `nft-chain-FAMILY-TYPE`, `nft-obj-TYPE`, `nf-flowtable-FAMILY`, `nfct-helper-NAME`, and a few names. Which module
 * answers, or whether it is part of nf_tables, is for each kernel to say.
 */
export type RulesetNeeds =
  | {
      readonly ok: true
      /** Without any of these the kernel does not take the ruleset. */
      readonly kmods: readonly KmodChoice[]
      /** What packets want that meet its rules; the kernel loads it without. */
      readonly forPackets: readonly KmodChoice[]
      readonly families: readonly Family[]
    }
  /** The ruleset refers to what is not in it. */
  | { readonly ok: false; readonly line: number; readonly message: string }

export type Family = 'arp' | 'bridge' | 'inet' | 'ip' | 'ip6' | 'netdev'

/** NFPROTO_* (include/uapi/linux/netfilter.h). */
const families: Readonly<Record<Family, number>> = { inet: 1, ip: 2, arp: 3, netdev: 5, bridge: 7, ip6: 10 }

/** NFT_OBJECT_* (include/uapi/linux/netfilter/nf_tables.h), by how nft calls them. */
const objects: Readonly<Record<string, number>> = {
  counter: 1,
  quota: 2,
  'ct helper': 3,
  limit: 4,
  'ct timeout': 7,
  secmark: 8,
  'ct expectation': 9,
  synproxy: 10,
}

/** Parts of nf_tables itself in every kernel since 5.18, or in some. */
const core: ReadonlySet<string> = new Set(['counter', 'last', 'meta', 'objref', 'rt', 'exthdr', 'inner'])

export function needsOfRuleset(text: string): RulesetNeeds {
  const statements = parseStatements(text)
  const found = new Map<string, KmodChoice>()
  const forPackets = new Map<string, KmodChoice>()
  /** What is optional is a part of nf_tables in some kernels, or may be missing. */
  const need = (what: string, anyOf: readonly string[], optional = false): void => {
    found.set(anyOf.join(), { what, anyOf, ...(optional ? { optional } : {}) })
  }
  const used = new Set<Family>()
  const expression = (name: string, family: number): void =>
    need(`the expression ${name}`, [`nft-expr-${family}-${name}`, `nft-expr-${name}`], core.has(name))
  const object = (kind: string): void => {
    const number = objects[kind]
    const isCore = kind === 'counter' || kind === 'secmark'
    if (number !== undefined) need(`the object ${kind}`, [`nft-obj-${number}`], isCore)
  }
  const helpers = new Set<string>()
  let problem: { readonly line: number; readonly message: string } | undefined
  need('nftables', ['nfnetlink-subsys-10', 'nf_tables'])
  for (const statement of statements) topLevel(statement)
  if (problem !== undefined) return { ok: false, ...problem }
  // Without its counterpart a helper sees the connection that a translated one announces, and gets its address wrong.
  const translates = [...found.values()].some(({ what }) => what.startsWith('the chain type nat'))
  for (const name of translates ? helpers : []) {
    const what = `address translation for the helper ${name}`
    forPackets.set(name, { what, anyOf: [`nf_nat_${name.replaceAll('-', '_')}`], optional: true })
  }
  return {
    ok: true,
    kmods: [...found.values()],
    forPackets: [...forPackets.values()],
    families: [...used].sort(),
  }

  function topLevel({ words: given, block }: Statement): void {
    const words = withoutCommand(given)
    const [first] = words
    if (first === undefined || first.quoted) return
    if (first.text === 'include') {
      problem ??= { line: first.line, message: 'a ruleset that includes other files cannot be read here' }
    } else if (first.text === 'table') {
      const family = familyOf(words[1])
      for (const inner of block ?? []) inTable(inner, family)
    } else if (first.text === 'rule') {
      const skip = words[1] !== undefined && isFamily(words[1].text) ? 4 : 3
      rule(words.slice(skip), familyOf(words[1]))
    } else if (first.text === 'element') {
      rule(words.slice(1), familyOf(words[1]))
    } else if (
      !['define', 'delete', 'destroy', 'flush', 'list', 'redefine', 'reset', 'undefine'].includes(first.text)
    ) {
      // `add chain inet filter input { … }`: as in a table, but for where it belongs.
      const at = first.text === 'ct' ? 2 : 1
      inTable({ words, ...(block === undefined ? {} : { block }) }, familyOf(words[at]))
    }
  }

  function familyOf(word: Token | undefined): number {
    const name = word !== undefined && isFamily(word.text) ? word.text : 'ip'
    used.add(name)
    return families[name]
  }

  function inTable({ words: given, block = [] }: Statement, family: number): void {
    const words = withoutCommand(given)
    const kind = words[0]?.text === 'ct' ? `ct ${words[1]?.text}` : words[0]?.text
    if (kind === 'chain') {
      for (const { words: inner } of block) {
        if (inner[0]?.text === 'type' && inner.some(({ text }) => text === 'hook')) chainType(inner, family)
        else rule(inner, family)
      }
    } else if (kind === 'flowtable') need(`a flowtable of family ${family}`, [`nf-flowtable-${family}`])
    else if (kind === 'set' || kind === 'map') for (const { words: inner } of block) setLine(inner, family)
    else if (kind !== undefined && kind in objects) {
      object(kind)
      if (kind === 'ct helper') helperObject(block)
    }
  }

  function chainType(words: readonly Token[], family: number): void {
    const type = words[1]?.text ?? ''
    const isCore = type === 'filter' || type === 'route'
    need(`the chain type ${type} of family ${family}`, [`nft-chain-${family}-${type}`], isCore)
  }

  function helperObject(block: readonly Statement[]): void {
    for (const { words } of block) {
      const type = words[0]?.text === 'type' ? words[1] : undefined
      if (type === undefined) continue
      helpers.add(type.text)
      // It looks for an algorithm to search texts with while it is loaded, and nothing in it says so.
      if (type.text === 'amanda') need('the text search of the conntrack helper amanda', ['ts_kmp'])
      need(`the conntrack helper ${type.text}`, [`nfct-helper-${type.text}`])
    }
  }

  /** Of a set's own lines only statements for every element, and elements, say more than what its keys are. */
  function setLine(words: readonly Token[], family: number): void {
    const first = words[0]?.text ?? ''
    if (
      first === 'elements' ||
      first === 'counter' ||
      first === 'limit' ||
      first === 'quota' ||
      first === 'last' ||
      first === 'ct'
    ) {
      rule(words, family)
    }
  }

  function rule(words: readonly Token[], family: number): void {
    // In a bridge even what other families take from `meta` goes through its module (nft_meta_select_ops).
    if (family === families.bridge && looksAtMeta(words)) expression('meta', family)
    for (let at = 0; at < words.length; at++) {
      const word = words[at]
      if (word === undefined || word.quoted) continue
      const next = words[at + 1]?.text ?? ''
      switch (word.text) {
        case 'jump':
        case 'goto':
        case '@':
        case '$':
        case 'comment':
          // A name follows, whatever it looks like.
          at++
          break
        case 'ct':
          ct(next, words[at + 2]?.text ?? '', family)
          at++
          break
        case 'log':
          log(words, at + 1, family)
          break
        case 'snat':
        case 'dnat':
          // Otherwise it is a bit of `ct status`.
          if (['to', 'ip', 'ip6', 'prefix', 'interval'].includes(next)) expression('nat', family)
          break
        case 'counter':
        case 'limit':
        case 'quota':
        case 'synproxy':
          if (next === 'name') expression('objref', family)
          else expression(word.text, family)
          break
        case 'meta':
          if (next === 'secmark' && words[at + 2]?.text === 'set') expression('objref', family)
          at++
          break
        case 'rt':
          // `rt ipsec` asks the route, not the packet.
          expression('rt', family)
          at++
          break
        case 'redirect':
          // Otherwise it is a type of ICMP.
          if (!['type', '{', ',', '=', '!'].includes(words[at - 1]?.text ?? '')) expression('redir', family)
          break
        case 'queue':
          expression('queue', family)
          forPackets.set('queue', { what: 'queues to user space', anyOf: ['nfnetlink-subsys-3'] })
          break
        default: {
          const name = expressions[word.text]
          if (name !== undefined) expression(name, family)
        }
      }
    }
  }

  function ct(key: string, verb: string, family: number): void {
    if (key === 'count') expression('connlimit', family)
    else if (verb === 'set' && ['helper', 'timeout', 'expectation'].includes(key))
      expression('objref', family)
    else expression('ct', family)
    if (family === families.bridge) need('connection tracking in bridges', ['nf_conntrack_bridge'])
  }

  /** nft_log.c, `nft_log_modprobe`: to the kernel's log, or to a group of listeners. Audit needs neither. */
  function log(words: readonly Token[], from: number, family: number): void {
    expression('log', family)
    let to: 'syslog' | 'group' | 'audit' = 'syslog'
    for (let at = from; at < words.length; at += 2) {
      const option = words[at]?.text ?? ''
      if (!['prefix', 'level', 'group', 'snaplen', 'queue-threshold', 'flags'].includes(option)) break
      if (option === 'group') to = 'group'
      if (option === 'level' && words[at + 1]?.text === 'audit') to = 'audit'
      // `flags tcp sequence,options`, `flags skuid`
      if (option === 'flags')
        while (words[at + 2] !== undefined && /^(,|sequence|options)$/.test(words[at + 2]?.text ?? '')) at++
    }
    if (to === 'syslog') need('the log', ['nf_log_syslog', `nf-logger-${family}-0`])
    if (to === 'group') need('logging to a group', ['nfnetlink_log', `nf-logger-${family}-1`])
  }
}

function isFamily(text: string): text is Family {
  return text in families
}

/** Words that stand for an expression of nf_tables wherever they appear in a rule. */
const expressions: Readonly<Record<string, string>> = {
  dup: 'dup',
  exthdr: 'exthdr',
  fib: 'fib',
  flow: 'flow_offload',
  fwd: 'fwd',
  ipsec: 'xfrm',
  jhash: 'hash',
  last: 'last',
  masquerade: 'masq',
  notrack: 'notrack',
  numgen: 'numgen',
  osf: 'osf',
  reject: 'reject',
  socket: 'socket',
  symhash: 'hash',
  tproxy: 'tproxy',
  tunnel: 'tunnel',
}
