/** The boards whose device trees are in the kernel's source, each with the kernel that its device file says it takes. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PHRAM_SYMBOLS } from '../../test/boot/board-system.ts'
import { unpackedPackage } from '../../test/material.ts'

export interface BoardCase {
  /** As `firmwright/devices` exports it. */
  readonly device:
    | 'bananapiBpiR3'
    | 'onionOmega2p'
    | 'openwrtOne'
    | 'tplinkHc220G5'
    | 'turrisMox'
    | 'turrisOmnia'
  /** Of Debian. Its packages are on the board. */
  readonly release: 'bookworm' | 'trixie'
  /** Debian's own of that release, or built from this source. */
  readonly kernel: 'debian' | 'linux-source-6.1' | 'linux-source-6.12'
}

export const boardCases: readonly BoardCase[] = [
  { device: 'turrisMox', release: 'bookworm', kernel: 'debian' },
  { device: 'turrisOmnia', release: 'bookworm', kernel: 'debian' },
  { device: 'bananapiBpiR3', release: 'trixie', kernel: 'debian' },
  { device: 'openwrtOne', release: 'trixie', kernel: 'debian' },
  { device: 'openwrtOne', release: 'trixie', kernel: 'linux-source-6.12' },
  // Debian 13 has no mipsel: the source of its kernel, and what else is on the board from Debian 12.
  { device: 'tplinkHc220G5', release: 'bookworm', kernel: 'linux-source-6.12' },
  { device: 'onionOmega2p', release: 'bookworm', kernel: 'linux-source-6.1' },
]

/** The text of a small system file. The drivers of the board's network cards have to be there, and are not loaded. */
export async function boardSystem({ device, release, kernel }: BoardCase): Promise<string> {
  const source =
    kernel === 'debian' ? '' : `\n  kernel: linuxSource(${JSON.stringify(await sourceOf(kernel))}),`
  const asked = kernel === 'debian' ? '' : `, config: ${JSON.stringify(PHRAM_SYMBOLS)}`
  return `
import { defineSystem, linuxSource } from 'firmwright'
import { ${device} } from 'firmwright/devices'
import { consoleLogin } from 'firmwright/features'

export default defineSystem({
  device: ${device},
  hostname: 'board',
  release: '${release}',${source}
  setup(system) {
    system.kernel.require({ modules: [...system.device.networkModules]${asked} })
    consoleLogin(system, { login: { type: 'open' } })
  },
})
`
}

async function sourceOf(kernel: 'linux-source-6.1' | 'linux-source-6.12') {
  if (kernel === 'linux-source-6.1') return { package: kernel }
  const package_ = await unpackedPackage({ release: 'trixie', architecture: 'amd64', package: kernel })
  const folder = join(package_, 'usr/src')
  const name = readdirSync(folder).find((file) => file.endsWith('.tar.xz'))
  if (name === undefined) throw new Error(`${kernel} has no archive`)
  const tarball = join(folder, name)
  return { tarball, sha256: createHash('sha256').update(readFileSync(tarball)).digest('hex') }
}
