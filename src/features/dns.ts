import { z } from 'zod'
import type { ServiceHandle } from '../services/index.ts'
import { defineFeature, hostnameSchema } from '../system/index.ts'
import { dnsmasqFile, dnsmasqInstance } from './dnsmasq.ts'
import { interfaceHandle } from './network-interface.ts'

/** A running name server; hand it to {@link dhcpServer} to have its clients use it and be known to it by name. */
export interface DnsHandle {
  readonly kind: 'dns'
  readonly service: ServiceHandle
}

export const dnsHandle = z.custom<DnsHandle>(
  (value) => typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'dns',
  'not what dns() returned',
)

const options = z.strictObject({
  /** Where it answers. Each must have an address of its own. */
  interfaces: z.array(interfaceHandle).min(1),
  /** Domain of the names it knows itself; `lan` by default. */
  domain: z
    .string()
    .regex(/^[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)*$/, 'not a domain')
    .default('lan'),
  /** Names it knows besides those of DHCP clients: name to IPv4 address. */
  hosts: z.record(hostnameSchema, z.ipv4()).default({}),
})

/**
 * A caching name server for the networks behind the given interfaces (dnsmasq). What it does not know itself it asks
 * of the servers that a {@link dhcpClient} was told of.
 *
 * ```ts
 * const names = dns(system, { interfaces: [lan], hosts: { nas: '192.168.8.20' } })
 * ```
 */
export const dns = defineFeature('dns', options, (system, { interfaces, domain, hosts }): DnsHandle => {
  const service = dnsmasqInstance(system, 'dns')
  for (const { service: up } of interfaces) system.services.require(service, up)
  dnsmasqFile(system, 'dns', 'dns.conf', [
    'cache-size=1000',
    'domain-needed',
    'bogus-priv',
    `domain=${domain}`,
    `local=/${domain}/`,
    'expand-hosts',
    ...interfaces.map(({ name }) => `interface=${name}`),
    ...Object.entries(hosts).map(([name, address]) => `host-record=${name}.${domain},${name},${address}`),
  ])
  return { kind: 'dns', service }
})
