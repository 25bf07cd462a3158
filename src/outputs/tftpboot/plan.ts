import {
  appendTree,
  type Board,
  type BootLine,
  type BootNetwork,
  type BootParts,
  type BootPlacement,
  type BootPlanError,
  bootScript,
  builtInTreeParameters,
  chooseTransport,
  type KernelArchitecture,
  type KernelProgram,
  type PackedTransfer,
  placeBoot,
  readKernelProgram,
  stayingParameters,
  type TransportChoice,
} from '../../boot/index.ts'
import type { DeviceTree } from '../../devicetree/index.ts'
import { type Diagnostic, type Origin, UserError } from '../../diagnostics/index.ts'
import type { Engine, FileArtifact } from '../../engine/index.ts'
import { type AssembledSystem, boardTree } from '../../system/index.ts'
import type { KernelFormat } from '../../uboot/index.ts'
import { contentFile } from '../images.ts'
import { reservedRegions, TREE_FILE, treeBytes, withChosen, withPhram } from './device-tree.ts'
import { kernelFileName, packKernel, wrapInitramfs, wrapKernel } from './kernel-file.ts'
import { packRoot } from './packed-root.ts'
import { buildRootParts, INITRAMFS_FILE, ROOT_FILE, type RootParts } from './root-parts.ts'

/** Everything about a boot over the network that the folder's files and the memory map are made from. */
export interface NetworkBootPlan {
  readonly board: Board
  readonly network: BootNetwork
  readonly choice: TransportChoice
  readonly format: KernelFormat
  readonly commandLine: string
  readonly placement: BootPlacement
  readonly lines: readonly BootLine[]
  readonly rootParts: RootParts
  /** What the loader fetches, by name. */
  readonly files: Readonly<Record<string, FileArtifact>>
}

/**
 * Builds root and kernel, gives everything its place in the board's memory and says it to the loader.
 *
 * @throws UserError where device, kernel, loader and what the system asks for do not go together
 */
export async function planNetworkBoot(engine: Engine, system: AssembledSystem): Promise<NetworkBootPlan> {
  const { definition, kernel } = system
  const { networkBoot } = definition.device
  const { boot = {} } = definition
  if (networkBoot === undefined) throw refuse(system, 'no boot loader of it is known', otherOutput(system))
  const where = [definition.origin, kernel.origin]
  const choice = chooseTransport(kernel.config, boot.root)
  if (!choice.ok) {
    throw new UserError({
      what: choice.error.message,
      where,
      why: `the kernel is ${kernel.name}`,
      fix: 'let the root travel another way (boot: { root }), or choose another kernel',
    })
  }
  const format = boot.format ?? networkBoot.format
  const read = await bootedKernel(engine, system)
  const { loader } = networkBoot
  const rootAddress = boot.rootAddress ?? networkBoot.rootAddress
  const rootParts = await buildRootParts(engine, system, choice.value, rootAddress)
  const { root } = rootParts
  const isFit = format === 'fit'
  const builtIn = definition.device.deviceTree.source === 'built-in'
  const bare = await boardTree(engine, system)
  const isAppended = boot.appendTree ?? (bare !== undefined && !loader.tree)
  if (isAppended) mustAppend(system, format, bare)
  const initramfsWrapped =
    rootParts.initramfs !== undefined && !loader.rawInitramfs && !isFit && !builtIn && !isAppended
  const initramfs =
    initramfsWrapped && rootParts.initramfs !== undefined
      ? await wrapInitramfs(engine, read.program, rootParts.initramfs)
      : rootParts.initramfs
  const packed = await packRoot(engine, system, format, root, initramfs)
  const board: Board = {
    loader,
    memory: networkBoot.memory,
    reserved: [...networkBoot.reserved, ...(bare === undefined ? [] : reservedRegions(bare))],
    rootAddress,
  }
  const staying = stayingParameters(read.program, kernel.config)
  if (!staying.ok) throw planFailure(system, staying.error)
  const parameters = [system.commandLine, ...rootParts.parameters, ...staying.value]
  const whole =
    bare === undefined || root === undefined ? bare : withPhram(bare, rootAddress, root.digest.sizeBytes)
  const tree = whole === undefined || isAppended ? undefined : treeBytes(whole)
  const about: Omit<BootParts, 'program' | 'kernelFileBytes'> = {
    format,
    tree: isAppended
      ? { source: 'appended' }
      : tree !== undefined
        ? { source: 'ours', sizeBytes: tree.length }
        : { source: builtIn ? 'none' : 'loader' },
    initramfsWrapped,
    ...(root === undefined ? {} : { rootBytes: root.digest.sizeBytes }),
    ...(initramfs === undefined ? {} : { initramfsBytes: initramfs.digest.sizeBytes }),
    ...(packed === undefined ? {} : { packed: packed.transfer }),
  }

  /** Kernel and places, where a tree that is appended says that the initramfs is at an address. */
  const place = async (initramfsAddress: number): Promise<Placed> => {
    const joined =
      isAppended && whole !== undefined
        ? await withTree(
            engine,
            system,
            read,
            withChosen(
              whole,
              parameters.join(' '),
              initramfs === undefined
                ? undefined
                : { address: initramfsAddress, sizeBytes: initramfs.digest.sizeBytes },
            ),
          )
        : read
    const kernelPacked = await packKernel(engine, format, joined.program, joined.content)
    const wrap = (addresses: BootPlacement['addresses']): Promise<Uint8Array> =>
      wrapKernel(engine, {
        kernel: kernelPacked,
        loader,
        name: kernel.name,
        addresses,
        ...(initramfs === undefined ? {} : { initramfs }),
        ...(tree === undefined ? {} : { tree }),
      })
    // A uImage and a FIT hold addresses; how long they are does not depend on them.
    const anywhere = { kernelFile: rootAddress, kernelStart: rootAddress, entryPoint: rootAddress }
    const draft = await wrap(anywhere)
    const parts: BootParts = { ...about, program: joined.program, kernelFileBytes: draft.length }
    const placement = placeBoot(board, parts)
    if (!placement.ok) throw planFailure(system, placement.error)
    const kernelBytes = await wrap(placement.value.addresses)
    if (kernelBytes.length !== draft.length)
      throw new Error('addresses changed the length of the kernel file')
    return { parts, placement: placement.value, kernelBytes }
  }
  let placed = await place(rootAddress)
  const { initramfs: initramfsAddress } = placed.placement.addresses
  if (isAppended && initramfsAddress !== undefined && initramfsAddress !== rootAddress) {
    placed = await place(initramfsAddress)
    // It lies below the kernel, so that nothing about the kernel moves it.
    if (placed.placement.addresses.initramfs !== initramfsAddress)
      throw new Error('the initramfs moved with what the tree says of it')
  }
  const { parts, placement, kernelBytes } = placed
  const kernelFile = kernelFileName(format, isAppended)
  const commandLine = [...parameters, ...builtInTreeParameters(board, parts, placement.addresses)].join(' ')
  const network: BootNetwork = { ...networkBoot.network, ...boot.network }
  const rootFile = packed?.transfer.of === 'root' ? packed.name : ROOT_FILE
  const initramfsFile = packed?.transfer.of === 'initramfs' ? packed.name : INITRAMFS_FILE
  const lines = bootScript({
    loader,
    parts,
    placement,
    files: {
      kernel: kernelFile,
      ...(root === undefined ? {} : { root: rootFile }),
      ...(initramfs === undefined || isFit ? {} : { initramfs: initramfsFile }),
      ...(tree === undefined || isFit ? {} : { tree: TREE_FILE }),
    },
    commandLine,
    network,
  })
  if (!lines.ok) throw planFailure(system, lines.error)
  const sent = (of: PackedTransfer['of'], plain: FileArtifact): FileArtifact =>
    packed?.transfer.of === of ? packed.file : plain
  return {
    board,
    network,
    choice: choice.value,
    format,
    commandLine,
    placement,
    lines: lines.value,
    rootParts,
    files: {
      ...(root === undefined ? {} : { [rootFile]: sent('root', root) }),
      ...(initramfs === undefined || isFit ? {} : { [initramfsFile]: sent('initramfs', initramfs) }),
      ...(tree === undefined || isFit ? {} : { [TREE_FILE]: await engine.put(tree) }),
      [kernelFile]: await engine.put(kernelBytes),
    },
  }
}

interface Placed {
  readonly parts: BootParts
  readonly placement: BootPlacement
  readonly kernelBytes: Uint8Array
}

/** A kernel's program, and its bytes in the store. */
interface BootedKernel {
  readonly program: KernelProgram
  readonly content: FileArtifact
}

function mustAppend(system: AssembledSystem, format: KernelFormat, tree: DeviceTree | undefined): void {
  const { device, origin } = system.definition
  const refuseAppending = (why: string, fix: string): UserError =>
    new UserError({ what: 'no device tree can be appended to the kernel', where: [origin], why, fix })
  if (tree === undefined) {
    const why = `${device.name} has its tree from elsewhere ("${device.deviceTree.source}")`
    throw refuseAppending(why, 'give the device a deviceTree of yours, or leave out boot: { appendTree }')
  }
  if (format === 'fit')
    throw refuseAppending('a FIT has the tree in it', 'choose another format: boot: { format }')
}

async function withTree(
  engine: Engine,
  system: AssembledSystem,
  { program, content }: BootedKernel,
  tree: DeviceTree,
): Promise<BootedKernel> {
  const kernel = { program, content: await engine.read(content) }
  const joined = appendTree(kernel, treeBytes(tree), system.kernel.config)
  if (!joined.ok) throw planFailure(system, joined.error)
  return { program: joined.value.program, content: await engine.put(joined.value.content) }
}

/** The kernel's program and its bytes as they are in memory when it is started. */
async function bootedKernel(engine: Engine, system: AssembledSystem): Promise<BootedKernel> {
  const { architecture, name } = system.definition.device
  const understood: readonly string[] = ['arm64', 'armhf', 'mips', 'mipsel'] satisfies KernelArchitecture[]
  if (!understood.includes(architecture)) {
    const why = `${name} is ${architecture}, and U-Boot's ways of booting are known for ${understood.join(', ')}`
    throw refuse(system, why, otherOutput(system))
  }
  const image = await contentFile(engine, 'the kernel', system.kernel.image)
  const bytes = await engine.read(image)
  const read = readKernelProgram(bytes, architecture as KernelArchitecture)
  if (!read.ok) throw planFailure(system, read.error)
  const { program, content } = read.value
  return { program, content: content === bytes ? image : await engine.put(content) }
}

function refuse(system: AssembledSystem, why: string, fix: string): UserError {
  const { device, origin } = system.definition
  return new UserError({ what: `${device.name} cannot be booted over a network`, where: [origin], why, fix })
}

function otherOutput({ definition: { device } }: AssembledSystem): string {
  const { defaultOutput } = device
  return `build another output${defaultOutput === 'tftpboot' ? '' : `, for example ${defaultOutput}`}`
}

function planFailure(system: AssembledSystem, error: BootPlanError): UserError {
  const { origin, boot, device } = system.definition
  const where: Origin[] = [origin]
  const asked =
    boot?.format === undefined ? `the format of ${device.name}` : 'the format that the system asks for'
  const diagnostic: Record<BootPlanError['type'], Diagnostic> = {
    'loader-cannot': {
      what: error.message,
      where,
      why: `${boot?.format ?? device.networkBoot?.format ?? ''} is ${asked}`,
      fix: 'choose another format: boot: { format }',
    },
    'wrong-kernel': {
      what: `the kernel cannot be used: ${error.message}`,
      where: [...where, system.kernel.origin],
      why: `it is ${system.kernel.name}`,
      fix: 'choose another kernel',
    },
    'no-layout': {
      what: `the memory of ${device.name} does not hold it all: ${error.message}`,
      where,
      fix: 'make the root smaller, or load it elsewhere: boot: { rootAddress }',
    },
    'no-script': { what: error.message, where, fix: 'shorten the kernel parameters' },
  }
  return new UserError(diagnostic[error.type])
}
