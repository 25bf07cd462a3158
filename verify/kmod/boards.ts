import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readDevicetree } from '../../src/devicetree/index.ts'
import { matchDevices, treeDevices } from '../../src/hardware/index.ts'
import type { KmodSource } from '../../src/kmod/index.ts'
import { type MaterialPackage, unpackedPackage } from '../../test/material.ts'
import { forEach, type Modprobe } from './modprobe.ts'

/** The device trees in a kernel package. */
export async function boardsOf(kernel: MaterialPackage): Promise<readonly string[]> {
  const root = join(await unpackedPackage(kernel), 'usr/lib')
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.startsWith('linux-image-') && path.endsWith('.dtb'))
    .sort()
    .map((path) => join(root, path))
}

export interface BoardComparison {
  readonly devices: number
  readonly withModules: number
  /** Devices for which modprobe finds other modules than we do. */
  readonly different: readonly string[]
}

/** Every device of some boards, by the modalias that its bus sends. */
export async function compareBoards(
  source: KmodSource,
  modprobe: Modprobe,
  boards: readonly string[],
): Promise<BoardComparison> {
  const ours = new Map<string, string>()
  let devices = 0
  let withModules = 0
  for (const board of boards) {
    const tree = readDevicetree(readFileSync(board))
    if (!tree.ok) throw new Error(`${board}: ${tree.error.message}`)
    const matched = await matchDevices(source, treeDevices(tree.value))
    if (!matched.ok) throw new Error(matched.error.message)
    for (const { device, modules } of matched.value) {
      devices++
      if (modules.length > 0) withModules++
      if (device.modalias !== undefined) ours.set(device.modalias, modules.join())
    }
  }
  const different: string[] = []
  await forEach([...ours], async ([modalias, modules]) => {
    const theirs = (await modprobe.resolve(modalias)).join()
    if (modules !== theirs) different.push(`${modalias}: ${modules} instead of ${theirs}`)
  })
  return { devices, withModules, different: different.sort() }
}
