import { PHRAM_NAME, rootRegionBytes } from '../../boot/index.ts'
import {
  type DeviceTree,
  deleteProperty,
  findNode,
  hasProperty,
  mergeOverlay,
  readDevicetree,
  reservedMemory,
  reserveMemory,
  safeNumber,
  setProperty,
  stringValue,
  writeDevicetree,
} from '../../devicetree/index.ts'
import { nearNames, UserError } from '../../diagnostics/index.ts'
import type { Engine, FileArtifact } from '../../engine/index.ts'
import type { FixedRegion } from '../../layout/index.ts'
import type { AssembledSystem, DeviceTreeSource } from '../../system/index.ts'
import { contentFile } from '../images.ts'
import { compiledTree } from './tree-source.ts'

/** Name in the folder that is served. */
export const TREE_FILE = 'board.dtb'

/** The device tree of ours that the kernel is given; undefined where loader or kernel have their own. */
export async function boardTree(engine: Engine, system: AssembledSystem): Promise<DeviceTree | undefined> {
  const { deviceTree } = system.definition.device
  if (deviceTree.source === 'platform' || deviceTree.source === 'built-in') return undefined
  let tree = await bareTree(engine, system, deviceTree)
  for (const overlay of deviceTree.overlays ?? []) {
    const name = 'file' in overlay ? overlay.file : 'an overlay of the device'
    const laid = mergeOverlay(tree, readTree(await engine.read(await compiledTree(engine, overlay)), name))
    if (!laid.ok) throw treeFailure(`${name}: ${laid.error.message}`)
    tree = laid.value
  }
  return tree
}

async function bareTree(
  engine: Engine,
  system: AssembledSystem,
  deviceTree: Exclude<DeviceTreeSource, { source: 'platform' | 'built-in' }>,
): Promise<DeviceTree> {
  switch (deviceTree.source) {
    case 'file':
      return readTree(await engine.read(await compiledTree(engine, deviceTree)), deviceTree.file)
    case 'kernel':
      return readTree(await engine.read(await kernelTree(engine, system, deviceTree.file)), deviceTree.file)
    case 'emulator':
      return withoutSeeds(readTree(await engine.read(await emulatorTree(engine, system)), 'the tree of QEMU'))
  }
}

/** The tree with the root's memory set apart, for the kernel's phram driver to make a flash device of. */
export function withPhram(tree: DeviceTree, address: number, rootBytes: number): DeviceTree {
  const reserved = reserveMemory(tree, {
    name: PHRAM_NAME,
    address: BigInt(address),
    sizeBytes: BigInt(rootRegionBytes(rootBytes)),
    compatible: 'phram',
    noMap: true,
  })
  if (!reserved.ok) throw treeFailure(reserved.error.message)
  // The name of the flash device (mtd_set_of_node in drivers/mtd/mtdcore.c).
  const path = `/reserved-memory/${PHRAM_NAME}@${address.toString(16)}`
  const labelled = setProperty(reserved.value, path, 'label', stringValue(PHRAM_NAME))
  if (!labelled.ok) throw treeFailure(labelled.error.message)
  return labelled.value
}

/** What the tree itself keeps out of use, in RAM or not: nothing of ours may lie there. */
export function reservedRegions(tree: DeviceTree): readonly FixedRegion[] {
  const reserved = reservedMemory(tree)
  if (!reserved.ok) throw treeFailure(reserved.error.message)
  return reserved.value.flatMap((memory): FixedRegion[] => {
    // The kernel finds a place for those without an address, clear of what it has been given.
    if (memory.type === 'dynamic') return []
    const [address, sizeBytes] = [safeNumber(memory.address), safeNumber(memory.sizeBytes)]
    if (address === undefined || sizeBytes === undefined) return []
    const name = memory.type === 'static' ? memory.path.replace(/^.*\//, '') : 'memory reservation'
    return [{ name, address, sizeBytes, reserved: true }]
  })
}

/** As short as it can be: U-Boot makes its own room. */
export function treeBytes(tree: DeviceTree): Buffer {
  return writeDevicetree(tree)
}

function treeFailure(message: string): UserError {
  return new UserError({ what: `the device tree cannot be used: ${message}` })
}

function readTree(bytes: Uint8Array, name: string): DeviceTree {
  const tree = readDevicetree(bytes)
  if (tree.ok) return tree.value
  throw treeFailure(`${name}: ${tree.error.message}`)
}

async function kernelTree(engine: Engine, system: AssembledSystem, file: string): Promise<FileArtifact> {
  const { kernel, definition } = system
  const { deviceTrees = new Map() } = kernel
  const content = deviceTrees.get(file)
  if (content !== undefined) return contentFile(engine, file, content)
  const near = nearNames(file, deviceTrees.keys())
  throw new UserError({
    what: `${kernel.name} has no device tree ${file}`,
    where: [definition.origin, kernel.origin],
    why: `${definition.device.name} is described by it, and the kernel has ${deviceTrees.size} others`,
    fix: near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'choose a newer kernel, or another release',
  })
}

/**
 * QEMU's tree depends on machine, memory and on whether firmware is loaded (the secure GPIO of `virt` is there without
 * firmware only, and a kernel that is told of it dies).
 */
async function emulatorTree(engine: Engine, system: AssembledSystem): Promise<FileArtifact> {
  const { emulator, name } = system.definition.device
  if (emulator?.firmware === undefined) {
    throw new UserError({
      what: `QEMU plays no board with a boot loader for ${name}`,
      where: [system.definition.origin],
    })
  }
  const firmware = await engine.import(emulator.firmware.file)
  const made = await engine.build({
    kind: 'command',
    name: "write down QEMU's device tree",
    argv: [
      emulator.program,
      ...['-M', `${emulator.machine},dumpdtb=board.dtb`, '-cpu', emulator.cpu],
      ...['-m', String(emulator.memoryMebibytes), '-bios', 'firmware.bin', '-nodefaults', '-display', 'none'],
    ],
    env: {},
    inputs: { 'firmware.bin': firmware },
    outputs: ['board.dtb'],
  })
  const tree = made['board.dtb']
  if (tree?.kind !== 'file') throw new Error('QEMU left no device tree')
  return tree
}

/** Without what QEMU draws at random, which would differ in every build. */
function withoutSeeds(tree: DeviceTree): DeviceTree {
  let current = tree
  for (const name of ['kaslr-seed', 'rng-seed']) {
    const chosen = findNode(current, '/chosen')
    if (!chosen.ok || !hasProperty(chosen.value.node, name)) continue
    const edited = deleteProperty(current, '/chosen', name)
    if (edited.ok) current = edited.value
  }
  return current
}
