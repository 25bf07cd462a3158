/**
 * The names by which a kernel asks for modules while it runs, as its source declares them: `MODULE_ALIAS` and its
 * relatives stand in the C files (include/linux/module.h and the headers named below). In a kernel that is not built
 * yet there is nowhere else to find out that `nft-expr-1-reject` will be answered by nft_reject_inet.
 *
 * Device tables (`MODULE_DEVICE_TABLE`) are not read: what they turn into is for a compiler to say.
 */

/** What `grep -H` takes out of the C files of a tree for {@link readSourceAliases}: extended regular expression. */
export const aliasLines = '^[[:space:]]*(MODULE_ALIAS|#define[[:space:]]+[A-Z_]*NAME[[:space:]]+")'

/** Stands in an alias for the name of the module that the object file ends up in (scripts/Makefile.lib). */
export const ownName = 'KBUILD_MODNAME'

/**
 * @param text lines `PATH:LINE`
 * @returns alias → the object files that declare it: `net/netfilter/nft_ct.o`
 */
export function readSourceAliases(text: string): ReadonlyMap<string, readonly string[]> {
  const named = new Map<string, string>()
  const found = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [, path = '', source = ''] = /^(?:\.\/)?([^:]+)\.c:\s*(.*)$/.exec(line) ?? []
    const [, name, value] = /^#define\s+(\w+)\s+"([^"]*)"/.exec(source) ?? []
    if (name !== undefined && value !== undefined) named.set(`${path} ${name}`, value)
    const [, macro = '', given = ''] = /^(MODULE_ALIAS\w*)\(([^)]*)\)/.exec(source) ?? []
    const words = given
      .split(',')
      .map((word) => wordOf(word.trim(), (constant) => named.get(`${path} ${constant}`)))
    for (const alias of aliasesOf(macro, words)) found.set(alias, [...(found.get(alias) ?? []), `${path}.o`])
  }
  return found
}

function wordOf(text: string, local: (constant: string) => string | undefined): string {
  const strings = [...text.matchAll(/"([^"]*)"/g)].map(([, string = '']) => string)
  return strings.length > 0 ? strings.join('') : (local(text) ?? constants[text] ?? text)
}

function aliasesOf(
  macro: string,
  [first = '', second = '', third = '']: readonly string[],
): readonly string[] {
  switch (macro) {
    case 'MODULE_ALIAS':
      return [first]
    // include/net/netfilter/nf_tables.h
    case 'MODULE_ALIAS_NFT_CHAIN':
      return [`nft-chain-${first}-${second}`]
    case 'MODULE_ALIAS_NFT_AF_EXPR':
      return [`nft-expr-${first}-${second}`]
    case 'MODULE_ALIAS_NFT_EXPR':
      return [`nft-expr-${first}`]
    case 'MODULE_ALIAS_NFT_OBJ':
      return [`nft-obj-${first}`]
    // include/net/netfilter/nf_flow_table.h, nf_log.h, nf_conntrack_helper.h; include/linux/netfilter/nfnetlink.h
    case 'MODULE_ALIAS_NF_FLOWTABLE':
      return [`nf-flowtable-${first}`]
    case 'MODULE_ALIAS_NF_LOGGER':
      return [`nf-logger-${first}-${second}`]
    case 'MODULE_ALIAS_NFCT_HELPER':
      return [`nfct-helper-${first}`]
    case 'MODULE_ALIAS_NF_NAT_HELPER':
      return [`ip_nat_${first}`]
    case 'MODULE_ALIAS_NFNL_SUBSYS':
      return [`nfnetlink-subsys-${first}`]
    // include/linux/fs.h, crypto.h, net.h
    case 'MODULE_ALIAS_FS':
      return [`fs-${first}`]
    case 'MODULE_ALIAS_CRYPTO':
      return [first, `crypto-${first}`]
    case 'MODULE_ALIAS_NETPROTO':
      return [`net-pf-${first}`]
    case 'MODULE_ALIAS_NET_PF_PROTO':
      return [`net-pf-${first}-proto-${second}`]
    case 'MODULE_ALIAS_NET_PF_PROTO_TYPE':
      return [`net-pf-${first}-proto-${second}-type-${third}`]
    // include/net/genetlink.h, rtnetlink.h, sch_generic.h, pkt_cls.h, act_api.h (the last three since Linux 6.9)
    case 'MODULE_ALIAS_GENL_FAMILY':
      return [`net-pf-16-proto-16-family-${first}`]
    case 'MODULE_ALIAS_RTNL_LINK':
      return [`rtnl-link-${first}`]
    case 'MODULE_ALIAS_NET_SCH':
      return [`net-sch-${first}`]
    case 'MODULE_ALIAS_NET_CLS':
      return [`net-cls-${first}`]
    case 'MODULE_ALIAS_NET_ACT':
      return [`net-act-${first}`]
    default:
      return []
  }
}

/** Constants in those macros: include/linux/socket.h, uapi/linux/netlink.h, include/uapi/linux/netfilter.h, nf_tables.h, nfnetlink.h. */
const constants: Readonly<Record<string, string>> = {
  AF_INET: '2',
  AF_INET6: '10',
  AF_BRIDGE: '7',
  PF_INET: '2',
  PF_INET6: '10',
  PF_NETLINK: '16',
  PF_PACKET: '17',
  NFPROTO_INET: '1',
  NFPROTO_IPV4: '2',
  NFPROTO_ARP: '3',
  NFPROTO_NETDEV: '5',
  NFPROTO_BRIDGE: '7',
  NFPROTO_IPV6: '10',
  PF_KEY: '15',
  PF_CAN: '29',
  AF_TIPC: '30',
  PF_BLUETOOTH: '31',
  PF_RXRPC: '33',
  PF_PHONET: '35',
  PF_IEEE802154: '36',
  AF_NFC: '39',
  PF_VSOCK: '40',
  NETLINK_SOCK_DIAG: '4',
  NETLINK_XFRM: '6',
  NETLINK_ISCSI: '8',
  NETLINK_NETFILTER: '12',
  NETLINK_RDMA: '20',
  NETLINK_CRYPTO: '21',
  NFT_OBJECT_COUNTER: '1',
  NFT_OBJECT_QUOTA: '2',
  NFT_OBJECT_CT_HELPER: '3',
  NFT_OBJECT_LIMIT: '4',
  NFT_OBJECT_CONNLIMIT: '5',
  NFT_OBJECT_TUNNEL: '6',
  NFT_OBJECT_CT_TIMEOUT: '7',
  NFT_OBJECT_SECMARK: '8',
  NFT_OBJECT_CT_EXPECT: '9',
  NFT_OBJECT_SYNPROXY: '10',
  NFNL_SUBSYS_CTNETLINK: '1',
  NFNL_SUBSYS_CTNETLINK_EXP: '2',
  NFNL_SUBSYS_QUEUE: '3',
  NFNL_SUBSYS_ULOG: '4',
  NFNL_SUBSYS_OSF: '5',
  NFNL_SUBSYS_IPSET: '6',
  NFNL_SUBSYS_ACCT: '7',
  NFNL_SUBSYS_CTNETLINK_TIMEOUT: '8',
  NFNL_SUBSYS_CTHELPER: '9',
  NFNL_SUBSYS_NFTABLES: '10',
  NFNL_SUBSYS_NFT_COMPAT: '11',
  NFNL_SUBSYS_HOOK: '12',
}
