import { z } from 'zod'
import { defineFeature } from '../system/index.ts'
import { interfaceHandle } from './network-interface.ts'

const script = `#!/bin/sh
# Called by udhcpc with what happened in $1 and the lease in the environment.
case $1 in
deconfig)
	ip address flush dev "$interface"
	ip link set "$interface" up
	;;
bound | renew)
	ip address replace "$ip/$mask" broadcast + dev "$interface"
	for gateway in $router; do
		ip route replace default via "$gateway" dev "$interface"
		break
	done
	{
		[ -z "$domain" ] || echo "search $domain"
		for server in $dns; do echo "nameserver $server"; done
	} > /run/resolv.conf.new
	mv /run/resolv.conf.new /run/resolv.conf
	;;
esac
`

/**
 * Asks for the address of an interface over DHCP, with the default route and the name servers (busybox udhcpc).
 * The lease is asked for again as long as nobody answers.
 *
 * ```ts
 * dhcpClient(system, { interface: wan })
 * ```
 */
export const dhcpClient = defineFeature(
  'dhcpClient',
  z.strictObject({ interface: interfaceHandle }),
  (system, options) => {
    const { name, service } = options.interface
    system.applets('ip', 'mv')
    const udhcpc = system.applet('udhcpc')
    system.kernel.require({ config: { PACKET: ['y', 'm'] } })
    system.files.text('/usr/lib/firmwright/udhcpc', script, { mode: 0o755 })
    return system.services.longrun({
      name: `dhcp-client-${name}`,
      description: `DHCP client on ${name}`,
      requires: [service],
      command: [
        udhcpc,
        '-f',
        '-i',
        name,
        '-s',
        '/usr/lib/firmwright/udhcpc',
        '-t',
        '3',
        '-T',
        '2',
        '-A',
        '5',
      ],
    })
  },
)
