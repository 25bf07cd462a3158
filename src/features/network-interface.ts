import { z } from 'zod'
import { type ServiceHandle, serviceHandle } from '../services/index.ts'
import { defineFeature } from '../system/index.ts'

/** A configured interface; hand it to other features to make them depend on it. */
export interface InterfaceHandle {
  readonly kind: 'interface'
  readonly name: string
  /** CIDR; absent when the address is asked for over the wire. */
  readonly address?: string
  /** Up when the interface is. */
  readonly service: ServiceHandle
}

/** For other features' options: something that {@link networkInterface} returned. */
export const interfaceHandle = z.custom<InterfaceHandle>(
  (value) => typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'interface',
  'not what networkInterface() returned',
)

const options = z.strictObject({
  /** Name that the kernel gives it: `eth0`. 15 bytes at most (IFNAMSIZ). */
  name: z.string().regex(/^[a-zA-Z][a-zA-Z0-9_.-]{0,14}$/, 'not an interface name'),
  /** IPv4 address with prefix length. Leave it out where {@link dhcpClient} asks for one. */
  address: z.cidrv4('not an IPv4 address with a prefix length, such as 192.168.8.1/24').optional(),
})

/**
 * Brings a network interface up, with the kernel modules of the device's network cards, and gives it an address.
 *
 * ```ts
 * const wan = networkInterface(system, { name: 'eth0' })
 * const lan = networkInterface(system, { name: 'eth1', address: '192.168.8.1/24' })
 * ```
 */
export const networkInterface = defineFeature(
  'networkInterface',
  options,
  (system, { name, address }): InterfaceHandle => {
    system.applets('ip')
    system.network.interface(address === undefined ? { name } : { name, address })
    const service = system.services.oneshot({
      name: `network-${name}`,
      description: `network interface ${name}`,
      // The rules name interfaces that need not exist yet: the filter is there before the first packet.
      after: [serviceHandle({ name: 'firewall' })],
      kmods: system.device.networkModules,
      up: [
        ...(address === undefined ? [] : [`ip address replace ${address} broadcast + dev ${name}`]),
        `ip link set ${name} up`,
      ].join(' && '),
      down: `ip link set ${name} down; ip address flush dev ${name}`,
    })
    return { kind: 'interface', name, ...(address === undefined ? {} : { address }), service }
  },
)
