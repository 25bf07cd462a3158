/** The system that boots on boards in tests, as the text of its file. */

export interface BoardSystem {
  /** What `firmwright/devices` exports. */
  readonly device: string
  /** An expression of the device; by default the device as it is. */
  readonly expression?: string
  /** The text of `boot`. */
  readonly boot?: string
  /** Without network interfaces nothing asks for kernel modules. */
  readonly network?: boolean
}

export function boardSystem({
  device,
  expression = device,
  boot = '{}',
  network = true,
}: BoardSystem): string {
  const interfaces = `
    const wan = networkInterface(system, { name: 'eth0' })
    dhcpClient(system, { interface: wan })`
  return `
import { defineSystem } from 'firmwright'
import { ${device}, withMemory } from 'firmwright/devices'
import { consoleLogin, dhcpClient, networkInterface } from 'firmwright/features'

export default defineSystem({
  device: ${expression},
  hostname: 'board',
  boot: ${boot},
  setup(system) {${network ? interfaces : ''}
    system.applets('cat', 'dd', 'find', 'free', 'ls', 'losetup', 'mount', 'sha256sum', 'umount')
    consoleLogin(system, { login: { type: 'open' } })
  },
})
`
}
