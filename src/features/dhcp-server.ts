import { z } from 'zod'
import type { ServiceHandle } from '../services/index.ts'
import { defineFeature } from '../system/index.ts'
import { dnsHandle } from './dns.ts'
import { dnsmasqFile, dnsmasqInstance } from './dnsmasq.ts'
import { interfaceHandle } from './network-interface.ts'

const options = z.strictObject({
  interface: interfaceHandle.refine(
    ({ address }) => address !== undefined,
    'this interface has no address of its own',
  ),
  /** First and last address that is given out. */
  range: z.tuple([z.ipv4(), z.ipv4()]),
  leaseHours: z.int().min(1).max(8760).default(12),
  /** Name server that clients are told of, and that learns their names. Without it they are told of none. */
  dns: dnsHandle.optional(),
})

/**
 * Gives out IPv4 addresses on an interface (dnsmasq), with the device itself as the gateway.
 *
 * ```ts
 * dhcpServer(system, { interface: lan, range: ['192.168.8.100', '192.168.8.199'], dns: names })
 * ```
 */
export const dhcpServer = defineFeature('dhcpServer', options, (system, given): ServiceHandle => {
  const { name, service: up } = given.interface
  const instance = given.dns === undefined ? `dhcp-${name}` : 'dns'
  const service = given.dns?.service ?? dnsmasqInstance(system, instance)
  system.services.require(service, up)
  dnsmasqFile(system, instance, `dhcp-${name}.conf`, [
    // Port 0: this one answers no questions about names.
    ...(given.dns === undefined ? ['port=0', `interface=${name}`] : []),
    `dhcp-range=interface:${name},${given.range[0]},${given.range[1]},${given.leaseHours}h`,
    'dhcp-authoritative',
  ])
  return service
})
