import {
  type DeviceTree,
  deleteProperty,
  findNode,
  hasProperty,
  mergeOverlay,
  readDevicetree,
} from '../devicetree/index.ts'
import { nearNames, UserError } from '../diagnostics/index.ts'
import type { Engine, FileArtifact } from '../engine/index.ts'
import { readContent } from '../filetree/index.ts'
import type { Kernel } from '../kernel/index.ts'
import type { DefinedSystem } from './definition.ts'
import type { DeviceTreeSource } from './device.ts'
import { compiledTree } from './tree-source.ts'

interface TreeOwner {
  readonly definition: DefinedSystem
  /** absent while it is not built */
  readonly kernel?: Kernel | undefined
}

/** The device tree of ours that the kernel is given; undefined where loader or kernel have their own. */
export async function boardTree(engine: Engine, owner: TreeOwner): Promise<DeviceTree | undefined> {
  const { deviceTree } = owner.definition.device
  if (deviceTree.source === 'platform' || deviceTree.source === 'built-in') return undefined
  let tree = await bareTree(engine, owner, deviceTree)
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
  owner: TreeOwner,
  deviceTree: Exclude<DeviceTreeSource, { source: 'platform' | 'built-in' }>,
): Promise<DeviceTree> {
  switch (deviceTree.source) {
    case 'file':
      return readTree(await engine.read(await compiledTree(engine, deviceTree)), deviceTree.file)
    case 'kernel':
      return readTree(await kernelTree(engine, owner, deviceTree.file), deviceTree.file)
    case 'emulator': {
      const dumped = await engine.read(await emulatorTree(engine, owner.definition))
      return withoutSeeds(readTree(dumped, 'the tree of QEMU'))
    }
  }
}

/** For whatever is wrong with a device tree of a system. */
export const treeFailure = (message: string): UserError =>
  new UserError({ what: `the device tree cannot be used: ${message}` })

function readTree(bytes: Uint8Array, name: string): DeviceTree {
  const tree = readDevicetree(bytes)
  if (tree.ok) return tree.value
  throw treeFailure(`${name}: ${tree.error.message}`)
}

async function kernelTree(engine: Engine, { kernel, definition }: TreeOwner, file: string): Promise<Buffer> {
  if (kernel === undefined) {
    throw new UserError({
      what: `what is in the device tree of ${definition.device.name} is not known before its kernel is built`,
      where: [definition.origin],
      why: `${file} comes out of the build of the kernel, whose drivers it was to say`,
      fix: "give the device its tree as a file (deviceTree: { source: 'file', … }), name the modules (system.kernel.load), or choose Debian's kernel",
    })
  }
  const { deviceTrees = new Map() } = kernel
  const content = deviceTrees.get(file)
  if (content !== undefined) return readContent(engine, content)
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
async function emulatorTree(engine: Engine, { device, origin }: DefinedSystem): Promise<FileArtifact> {
  const { emulator, name } = device
  if (emulator?.firmware === undefined) {
    throw new UserError({
      what: `QEMU plays no board with a boot loader for ${name}`,
      where: [origin],
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
