import { z } from 'zod'
import { defineFeature, type KmodTarget } from '../system/index.ts'

/** include/linux/socket.h, AF_*: those that can be modules. */
const socketFamilies = {
  ax25: 3,
  inet6: 10,
  key: 15,
  packet: 17,
  rds: 21,
  pppox: 24,
  can: 29,
  tipc: 30,
  bluetooth: 31,
  rxrpc: 33,
  phonet: 35,
  ieee802154: 36,
  alg: 38,
  nfc: 39,
  vsock: 40,
  kcm: 41,
  qrtr: 42,
  smc: 43,
  xdp: 44,
  mctp: 45,
} as const

/** include/uapi/linux/can.h, CAN_*: those that Linux has. */
const canProtocols = { raw: 1, bcm: 2, isotp: 6, j1939: 7 } as const

/** include/uapi/linux/netlink.h, NETLINK_*: those that can be modules. */
const netlinkProtocols = {
  sock_diag: 4,
  xfrm: 6,
  iscsi: 8,
  netfilter: 12,
  rdma: 20,
  crypto: 21,
} as const

const names = (what: string) =>
  z.array(z.string().regex(/^[A-Za-z0-9][\w.-]*$/, `the name of ${what}`)).default([])
const namedNumber = <Name extends string>(numbers: Readonly<Record<Name, number>>) =>
  z.union([z.enum(Object.keys(numbers) as Name[]), z.int().min(1).max(255)])
const algorithm = z.string().regex(/^[\w-]+(\(.+\))?$/, "an algorithm's name in the kernel, like xts(aes)")

const options = z.strictObject({
  /** Name of the service. */
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  /** Queueing disciplines, as tc takes them: `fq_codel`, `htb`. */
  qdiscs: names('a queueing discipline'),
  /** Traffic classifiers: `flower`, `u32`. */
  classifiers: names('a classifier'),
  /** Traffic actions: `police`, `mirred`. */
  actions: names('an action'),
  /** Congestion control of TCP: `bbr`. */
  congestionControls: names('a congestion control'),
  /** Kinds of network interfaces that `ip link add … type` makes: `vxlan`, `wireguard`. */
  links: names('a kind of network interface'),
  /** Families of sockets, as in AF_CAN: `can`, `vsock`; or their numbers. */
  sockets: z.array(namedNumber(socketFamilies)).default([]),
  /** Protocols of sockets of the family `can`, which come with it: `raw`, `isotp`. */
  canProtocols: z.array(z.enum(Object.keys(canProtocols) as (keyof typeof canProtocols)[])).default([]),
  /** What sockets of the family `alg`, which comes with it, are for: `hash`, `skcipher`. Their algorithms are `crypto`. */
  algSockets: z.array(z.enum(['hash', 'skcipher', 'aead', 'rng'])).default([]),
  /** Protocols of netlink, as in NETLINK_XFRM: `xfrm`, `netfilter`; or their numbers. */
  netlink: z.array(namedNumber(netlinkProtocols)).default([]),
  /** Families of generic netlink: `wireguard`, `macsec`. */
  genericNetlink: names('a family of generic netlink'),
  /** Algorithms, with all that a template takes: `sha256`, `xts(aes)`, `authenc(hmac(sha256),cbc(aes))`. */
  crypto: z.array(algorithm).default([]),
})

export type KernelRequests = Omit<z.input<typeof options>, 'name'>

/**
 * Has the kernel modules ready for which programs would have the kernel ask by a name of its own: `tc` for queueing
 * disciplines, a socket for its family, `ip link` for a kind of interface, whatever encrypts for algorithms. They are found
 * through the kernel's aliases; a kernel that lacks one is refused when the system is built.
 *
 * ```ts
 * const shaping = kernelRequests(system, { name: 'shaping', qdiscs: ['cake'], actions: ['mirred'], links: ['ifb'] })
 * ```
 */
export const kernelRequests = defineFeature('kernel-requests', options, (system, { name, ...requests }) =>
  system.kernel.load(name, requestedModules(requests)),
)

/** What those requests are for the kernel. */
export function requestedModules(requests: KernelRequests): readonly KmodTarget[] {
  const each = (list: readonly string[] | undefined, make: (name: string) => KmodTarget): KmodTarget[] =>
    (list ?? []).map(make)
  return unique([
    ...each(
      requests.qdiscs?.filter((name) => !builtInQdiscs.has(name)),
      (name) => trafficControl('queueing discipline', 'sch', name),
    ),
    ...each(requests.classifiers, (name) => trafficControl('classifier', 'cls', name)),
    ...each(requests.actions, (name) => trafficControl('action', 'act', name)),
    // net/ipv4/tcp_cong.c, `tcp_ca_find_autoload`
    ...each(requests.congestionControls, (name) => one(`the congestion control ${name}`, `tcp_${name}`)),
    // net/core/rtnetlink.c, `rtnl_newlink`. Some modules are older than the alias.
    ...each(requests.links, (name) => one(`interfaces of kind ${name}`, `rtnl-link-${name}`, name)),
    // net/socket.c, `__sock_create`
    ...(requests.sockets ?? []).map((family) =>
      one(
        `sockets of family ${family}`,
        `net-pf-${typeof family === 'number' ? family : socketFamilies[family]}`,
      ),
    ),
    // net/can/af_can.c, `can_create`
    ...(requests.canProtocols ?? []).map((protocol) =>
      one(`CAN sockets of protocol ${protocol}`, `can-proto-${canProtocols[protocol]}`),
    ),
    // crypto/af_alg.c, `alg_get_type`: the module's name, in which `-` is `_`.
    ...(requests.algSockets ?? []).map((type) => one(`alg sockets for ${type}`, `algif-${type}`)),
    // net/netlink/af_netlink.c, `netlink_create`
    ...(requests.netlink ?? []).map((protocol) =>
      one(
        `the netlink protocol ${protocol}`,
        `net-pf-16-proto-${typeof protocol === 'number' ? protocol : netlinkProtocols[protocol]}`,
      ),
    ),
    // net/netlink/genetlink.c, `ctrl_getfamily`
    ...each(requests.genericNetlink, (name) =>
      one(`the netlink family ${name}`, `net-pf-16-proto-16-family-${name}`, name),
    ),
    ...(requests.crypto ?? []).flatMap(algorithmModules),
  ])
}

function one(what: string, ...anyOf: readonly string[]): KmodTarget {
  return { what, anyOf }
}

/** net/sched/sch_api.c `qdisc_create`, cls_api.c, act_api.c: sch_NAME until Linux 6.8, since then an alias (net-sch-NAME). */
function trafficControl(kind: string, prefix: string, name: string): KmodTarget {
  return one(`the ${kind} ${name}`, `net-${prefix}-${name}`, `${prefix}_${name}`)
}

/** net/sched/sch_api.c, `pktsched_init`: a part of every kernel that has queueing disciplines. */
const builtInQdiscs: ReadonlySet<string> = new Set([
  'pfifo_fast',
  'pfifo',
  'bfifo',
  'pfifo_head_drop',
  'mq',
  'noqueue',
])

/** What these take beyond their arguments: crypto/gcm.c `crypto_gcm_create`, ccm.c, xts.c `xts_create`, lrw.c. */
const also: Readonly<Record<string, readonly string[]>> = {
  gcm: ['ctr', 'ghash'],
  ccm: ['ctr', 'cbcmac'],
  xts: ['ecb'],
  lrw: ['ecb'],
}

/**
 * crypto/api.c, `crypto_larval_lookup`: an algorithm is asked for as crypto-NAME, and its other implementations as
 * crypto-NAME-all. If nobody implements `xts(aes)` as a whole, crypto/algboss.c puts it together from `xts` and `aes`:
 * both ways are made ready, since which is taken depends on the processor.
 */
function algorithmModules(name: string): readonly KmodTarget[] {
  const optional = (alias: string): KmodTarget => ({
    what: `implementations of ${name}`,
    anyOf: [alias],
    optional: true,
  })
  const implementations = [optional(`crypto-${name}`), optional(`crypto-${name}-all`)]
  const open = name.indexOf('(')
  if (open === -1) {
    // Some modules are older than the prefix.
    return [one(`the algorithm ${name}`, `crypto-${name}`, name), optional(`crypto-${name}-all`)]
  }
  const template = name.slice(0, open)
  const parts = [...argumentsOf(name.slice(open + 1, -1)), ...(also[template] ?? [])]
  return [
    ...implementations,
    one(`the template ${template}`, `crypto-${template}`, template),
    ...parts.flatMap(algorithmModules),
  ]
}

/** `hmac(sha256),cbc(aes)`: two. */
function argumentsOf(text: string): readonly string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at <= text.length; at++) {
    const character = text[at]
    if (character === '(') depth++
    else if (character === ')') depth--
    else if (character === undefined || (character === ',' && depth === 0)) {
      parts.push(text.slice(start, at).trim())
      start = at + 1
    }
  }
  return parts.filter((part) => part !== '')
}

function unique(targets: readonly KmodTarget[]): readonly KmodTarget[] {
  return [...new Map(targets.map((target) => [JSON.stringify(target), target])).values()]
}
