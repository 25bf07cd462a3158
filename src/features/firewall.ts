import { z } from 'zod'
import { UserError } from '../diagnostics/index.ts'
import { defineFeature } from '../system/index.ts'
import { type InterfaceHandle, interfaceHandle } from './network-interface.ts'
import { type Family, needsOfRuleset } from './nftables/needs.ts'

const port = z.int().min(1).max(65_535)
const protocol = z.enum(['tcp', 'udp'])

const options = z
  .strictObject({
    /** Interfaces by zone. `wan` is the outside; every other zone is trusted. */
    zones: z
      .record(
        z.string().regex(/^[a-z][a-z0-9_]*$/, 'a zone is named in lower-case letters'),
        z.array(interfaceHandle).min(1),
      )
      .refine((given) => 'wan' in given, 'there is no zone wan to protect against')
      .optional(),
    /** What may be reached on the device itself from the outside. */
    allow: z.array(z.strictObject({ protocol, port })).default([]),
    /** Ports of the outside address that are passed on to a machine inside. */
    forward: z.array(z.strictObject({ protocol, port, to: z.ipv4(), toPort: port.optional() })).default([]),
    /**
     * In place of all that: a whole ruleset in nft's language, nft(8). Whether packets are forwarded is then for a
     * sysctl to say.
     */
    rules: z.string().min(1).optional(),
  })
  .refine(
    ({ zones, rules }) => (zones === undefined) !== (rules === undefined),
    'there must be either zones or rules',
  )
  .refine(
    ({ rules, allow, forward }) => rules === undefined || (allow.length === 0 && forward.length === 0),
    'allow and forward go with zones; in rules, write them as rules',
  )

/** Kconfig symbols of the families of tables; what is not a module by itself is a part of nf_tables. */
const familySymbols: Readonly<Record<Family, string>> = {
  arp: 'NF_TABLES_ARP',
  bridge: 'NF_TABLES_BRIDGE',
  inet: 'NF_TABLES_INET',
  ip: 'NF_TABLES_IPV4',
  ip6: 'NF_TABLES_IPV6',
  netdev: 'NF_TABLES_NETDEV',
}

/**
 * A stateful firewall (nftables). What is trusted may reach the device and the outside, under the device's outside
 * address (masqueraded); the outside reaches nothing but what is allowed or forwarded by name. IPv4 is routed; IPv6
 * is filtered and not routed.
 *
 * ```ts
 * firewall(system, { zones: { lan: [lan], wan: [wan] } })
 * ```
 *
 * Or a ruleset of one's own:
 *
 * ```ts
 * firewall(system, { rules: readFileSync(new URL('rules.nft', import.meta.url), 'utf8') })
 * ```
 *
 * The kernel modules are worked out from the ruleset, whichever it is: every expression, chain type, object, flow
 * table, log and connection tracking helper in it, under the names by which the kernel would ask for them.
 */
export const firewall = defineFeature('firewall', options, (system, given) => {
  const nft = system.packages.file('nftables', '/usr/sbin/nft')
  const text = given.rules ?? ruleset(given)
  const needs = needsOfRuleset(text)
  if (!needs.ok) {
    throw new UserError({
      what: `line ${needs.line} of the ruleset: ${needs.message}`,
      why: 'the kernel modules that a firewall needs are worked out from all of its rules',
      fix: 'put the rules themselves there',
    })
  }
  system.files.text('/etc/nftables.conf', text)
  // Nothing is forwarded before the rules are there, nor after they are gone.
  const forwards = given.zones !== undefined
  system.kernel.require({
    config: Object.fromEntries(needs.families.map((family) => [familySymbols[family], ['y', 'm']])),
  })
  return system.services.oneshot({
    name: 'firewall',
    description: 'packet filter and address translation',
    kmods: [...needs.kmods, ...needs.forPackets],
    up: `${nft} -f /etc/nftables.conf${forwards ? ' && echo 1 > /proc/sys/net/ipv4/ip_forward' : ''}`,
    down: `${forwards ? 'echo 0 > /proc/sys/net/ipv4/ip_forward; ' : ''}${nft} flush ruleset`,
  })
})

function ruleset({ zones = {}, allow, forward }: z.output<typeof options>): string {
  const outside = names(zones.wan ?? [])
  const inside = names(
    Object.entries(zones).flatMap(([zone, interfaces]) => (zone === 'wan' ? [] : interfaces)),
  )
  const trusted = inside === '' ? [] : [`\t\tiifname { ${inside} } accept`]
  return `flush ruleset

table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		ct state invalid drop
		iifname lo accept
		meta l4proto { 1, 58 } accept comment "ICMP and ICMPv6; a target has no /etc/protocols"
${[...trusted, ...allow.map((rule) => `\t\t${rule.protocol} dport ${rule.port} accept`)].join('\n')}
	}

	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		ct state invalid drop
		ct status dnat accept
${inside === '' ? '' : `\t\tiifname { ${inside} } oifname { ${outside}, ${inside} } accept`}
	}
}

table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
${forward.map((rule) => `\t\tiifname { ${outside} } ${rule.protocol} dport ${rule.port} dnat to ${rule.to}:${rule.toPort ?? rule.port}`).join('\n')}
	}

	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname { ${outside} } masquerade
	}
}
`.replaceAll(/\n{2,}\t}/g, '\n\t}')
}

function names(interfaces: readonly InterfaceHandle[]): string {
  return interfaces.map(({ name }) => `"${name}"`).join(', ')
}
