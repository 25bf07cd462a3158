/** What a build left in its folder: read from its files, by nothing of ours. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Device } from '../../src/system/index.ts'

export interface Region {
  readonly name: string
  readonly address: number
  readonly sizeBytes: number
}

export interface Transfer {
  readonly file: string
  /** As it is typed. */
  readonly address: number
  readonly sizeBytes: number
}

export interface Built {
  readonly device: Device
  /** `build/tftpboot`. */
  readonly folder: string
  /** Of a kernel from source: the ELF file. */
  readonly vmlinux?: string
  readonly regions: readonly Region[]
  /** The lines that are typed. */
  readonly lines: readonly string[]
  readonly transfers: readonly Transfer[]
}

export async function readBuilt(device: Device, folder: string, vmlinux: string | undefined): Promise<Built> {
  const { regions } = JSON.parse(await readFile(join(folder, 'boot.json'), 'utf8')) as {
    readonly regions: readonly Region[]
  }
  const lines = (await readFile(join(folder, 'boot.txt'), 'utf8')).trim().split('\n')
  const transfers = await Promise.all(
    lines.flatMap((line) => {
      const [, address, file] = /^tftpboot 0x([0-9a-f]+) (\S+)$/.exec(line) ?? []
      return address === undefined || file === undefined
        ? []
        : [sized(folder, file, Number.parseInt(address, 16))]
    }),
  )
  return { device, folder, regions, lines, transfers, ...(vmlinux === undefined ? {} : { vmlinux }) }
}

async function sized(folder: string, file: string, address: number): Promise<Transfer> {
  return { file, address, sizeBytes: (await stat(join(folder, file))).size }
}

/** The address that the memory has, of one that is typed: on MIPS those of KSEG0 (the top three bits are 100). */
export function physical({ architecture }: Device, address: number): number {
  if (architecture !== 'mipsel') return address
  if (Math.floor(address / 2 ** 29) !== 4) throw new Error(`0x${address.toString(16)} is not in KSEG0`)
  return address % 2 ** 29
}
