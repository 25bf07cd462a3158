/** The system that boots on boards in tests, as the text of its file. */

export interface BoardSystem {
  /** What `firmwright/devices` exports. */
  readonly device: string
  /** An expression of the device; by default the device as it is. */
  readonly expression?: string
  /** The text of `boot`. */
  readonly boot?: string
  /** Debian's by default; `phram` is one built from source that mounts a root of phram by itself. */
  readonly kernel?: 'debian' | 'phram'
  /** What a kernel that is built must have beside that. */
  readonly symbols?: Readonly<Record<string, 'y' | 'm' | 'n'>>
}

/** With these a kernel mounts a root of phram by itself. */
export const PHRAM_SYMBOLS = {
  MTD: 'y',
  MTD_PHRAM: 'y',
  MTD_BLOCK: 'y',
  SQUASHFS: 'y',
  SQUASHFS_XZ: 'y',
  DEVTMPFS_MOUNT: 'y',
}

// A kernel without network cards is built in half the time.
const INTERFACE = `
    const wan = networkInterface(system, { name: 'eth0' })
    dhcpClient(system, { interface: wan })`

export function boardSystem({
  device,
  expression = device,
  boot = '{}',
  kernel = 'debian',
  symbols = {},
}: BoardSystem): string {
  const source = kernel === 'phram' ? "\n  kernel: linuxSource({ package: 'linux-source-6.1' })," : ''
  const required = `
    system.kernel.require({ config: ${JSON.stringify({ ...PHRAM_SYMBOLS, ...symbols })} })`
  return `
import { defineSystem, linuxSource } from 'firmwright'
import { ${device}, withMemory } from 'firmwright/devices'
import { consoleLogin, dhcpClient, networkInterface } from 'firmwright/features'

export default defineSystem({
  device: ${expression},
  hostname: 'board',
  boot: ${boot},${source}
  setup(system) {${kernel === 'phram' ? required : INTERFACE}
    system.applets('cat', 'cut', 'dd', 'dmesg', 'find', 'free', 'head', 'ls', 'losetup', 'mkdir', 'mount', 'rm')
    system.applets('sha256sum', 'stat', 'umount')
    consoleLogin(system, { login: { type: 'open' } })
  },
})
`
}
