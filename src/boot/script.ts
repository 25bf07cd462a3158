/** What the loader is told, in order: all transfers, then the edit of its own tree, then the boot. */
import { type AddressView, toLoaderAddress } from '../layout/index.ts'
import {
  type Command,
  checkLines,
  commandLines,
  type Loader,
  missingAbilities,
  type Needs,
  type OwnTree,
  setInSteps,
} from '../uboot/index.ts'
import { type BootParts, type BootPlacement, handsOver, type Packing, rootRegionBytes } from './plan.ts'
import { type BootPlanError, failure, type Result, success } from './result.ts'

/** Names in the folder that is served; `tree` and `initramfs` within a FIT have none, nor a tree that is appended. */
export interface BootFiles {
  readonly kernel: string
  readonly root?: string
  readonly initramfs?: string
  readonly tree?: string
}

export interface ScriptRequest {
  readonly loader: Loader
  readonly parts: BootParts
  readonly placement: BootPlacement
  readonly files: BootFiles
  readonly commandLine: string
  readonly network: BootNetwork
}

/** What the loader is told of the network; IPv4, in dotted form. */
export interface BootNetwork {
  /** The machine that serves the files. */
  readonly server: string
  readonly board: string
  readonly netmask: string
  readonly gateway?: string
}

export const BOOT_STAGES = ['check', 'network', 'transfer', 'unpack', 'edit', 'boot'] as const
export type BootStage = (typeof BOOT_STAGES)[number]

/** One line for the loader. */
export interface BootLine {
  readonly stage: BootStage
  readonly text: string
  /** What a transfer fetches. */
  readonly file?: string
  /** What it means when the line fails. */
  readonly onFailure?: string
  /** What it means when the line succeeds: it is there to fail. */
  readonly onSuccess?: string
}

interface Step {
  readonly stage: BootStage
  readonly command: Command
  readonly onFailure?: string
  readonly onSuccess?: string
}

/** The name of the reserved memory and of the flash device that phram makes of it. */
export const PHRAM_NAME = 'rootfs'
/** The only configuration of a FIT of ours. */
export const FIT_CONFIGURATION = 'default'
const OWN_TREE = '${fdtcontroladdr}'
/** Commands that expand, SOURCE DESTINATION (cmd/unzip.c and cmd/lzmadec.c). */
const UNPACKERS: Readonly<Record<Packing, string>> = { gzip: 'unzip', lzma: 'lzmadec' }

/** The lines, none longer than the loader takes. Errors: `loader-cannot`, `no-script`. */
export function bootScript(request: ScriptRequest): Result<readonly BootLine[], BootPlanError> {
  const { loader, parts } = request
  const missing = missingAbilities(loader, needsOf(request))
  const limit = loader.unpackLimitBytes
  if (usesBootm(parts) && limit !== undefined && parts.program.sizeBytes > limit) {
    const message = `the kernel has ${parts.program.sizeBytes} bytes unpacked, and bootm of ${loader.name} takes ${limit}`
    return failure({ type: 'loader-cannot', missing: [message], message })
  }
  if (missing.length > 0) {
    return failure({ type: 'loader-cannot', missing, message: missing.join('; ') })
  }
  const steps = scriptSteps(request)
  if (!steps.ok) return steps
  const lines: BootLine[] = []
  for (const { command, ...about } of steps.value) {
    const written = commandLines([command])
    if (!written.ok) return failure({ type: 'no-script', message: written.error.message })
    const file = command.type === 'transfer' ? { file: command.file } : {}
    for (const text of written.value) lines.push({ ...about, text, ...file })
  }
  const checked = checkLines(
    lines.map(({ text }) => text),
    loader.lineLimitBytes,
  )
  return checked.ok ? success(lines) : failure({ type: 'no-script', message: checked.error.message })
}

function usesBootm({ format }: BootParts): boolean {
  return format === 'fit' || format.startsWith('uimage')
}

function editsOwnTree({ parts, placement }: ScriptRequest): boolean {
  return parts.tree.source === 'loader' && placement.addresses.root !== undefined
}

function needsOf(request: ScriptRequest): Needs {
  const { parts } = request
  return {
    format: parts.format,
    commands: [
      'tftpboot',
      'setenv',
      ...(parts.packed === undefined ? [] : [UNPACKERS[parts.packed.method]]),
      ...(parts.tree.source === 'loader' ? ['fdt'] : []),
    ],
    initramfs:
      parts.initramfsBytes !== undefined &&
      parts.initramfsWrapped !== true &&
      parts.format !== 'fit' &&
      handsOver(parts),
    tree: handsOver(parts),
  }
}

function scriptSteps(request: ScriptRequest): Result<readonly Step[], BootPlanError> {
  const { loader, files, placement, network } = request
  const view = viewOf(loader.addresses)
  const { root, initramfs, tree, kernelFile, packed } = placement.addresses
  const packing = request.parts.packed
  const steps: Step[] = [...alreadyEdited(request)]
  const set = (stage: BootStage, name: string, value: string): BootPlanError | undefined => {
    const commands = setInSteps(name, value, loader.lineLimitBytes)
    if (!commands.ok) return { type: 'no-script', message: commands.error.message }
    steps.push(...commands.value.map((command): Step => ({ stage, command })))
    return undefined
  }
  const settings = {
    serverip: network.server,
    ipaddr: network.board,
    netmask: network.netmask,
    gatewayip: network.gateway,
    // A name that a DHCP server gave before would be fetched after the plan's own.
    autoload: 'no',
  }
  for (const [name, value] of Object.entries(settings)) {
    const error = value === undefined ? undefined : set('network', name, value)
    if (error !== undefined) return failure(error)
  }
  const transfers = [
    [files.root, packing?.of === 'root' ? packed : root],
    [files.initramfs, packing?.of === 'initramfs' ? packed : initramfs],
    [files.tree, tree],
    [files.kernel, kernelFile],
  ] as const
  for (const [file, address] of transfers) {
    if (file === undefined || address === undefined) continue
    const onFailure = `${file} was not transferred`
    steps.push({ stage: 'transfer', command: { type: 'transfer', address: view(address), file }, onFailure })
  }
  steps.push(...unpacking(request, view), ...treeEdits(request))
  const bootargs = set('boot', 'bootargs', request.commandLine)
  if (bootargs !== undefined) return failure(bootargs)
  steps.push(...bootSteps(request, view))
  return success(steps)
}

/** What was transferred in a shorter form goes to where it is wanted. */
function unpacking(request: ScriptRequest, view: (physical: number) => number): readonly Step[] {
  const { packed } = request.parts
  const { addresses } = request.placement
  if (packed === undefined || addresses.packed === undefined) return []
  const to = packed.of === 'root' ? addresses.root : addresses.initramfs
  if (to === undefined) throw new Error(`there is no ${packed.of} to expand`)
  const text = `${UNPACKERS[packed.method]} 0x${view(addresses.packed).toString(16)} 0x${view(to).toString(16)}`
  const onFailure = `the loader could not expand the ${packed.of}`
  return [{ stage: 'unpack', command: { type: 'line', text }, onFailure }]
}

/** Every region lies in the RAM that the loader sees, so an address without a view is a mistake of ours. */
function viewOf(addresses: AddressView): (physical: number) => number {
  return (physical) => {
    const address = toLoaderAddress(addresses, physical)
    if (address === undefined) throw new RangeError(`the loader cannot see 0x${physical.toString(16)}`)
    return address
  }
}

function rootNodePath(address: number): string {
  return `/reserved-memory/${PHRAM_NAME}@${address.toString(16)}`
}

/** A second run in one session would find its own node, and the loader would refuse to load onto that memory. */
function alreadyEdited(request: ScriptRequest): readonly Step[] {
  const { root } = request.placement.addresses
  if (!editsOwnTree(request) || root === undefined || request.loader.shell !== 'hush') return []
  return [
    { stage: 'check', command: { type: 'tree-address', address: OWN_TREE } },
    {
      stage: 'check',
      command: { type: 'line', text: `fdt list ${rootNodePath(root)}` },
      onSuccess: 'these commands have run since the board was reset: reset it, and start again',
    },
  ]
}

/** With its own tree, the loader adds the memory that is phram's; then shortens the tree to what it holds. */
function treeEdits(request: ScriptRequest): readonly Step[] {
  const { loader, parts, placement } = request
  if (parts.tree.source !== 'loader') return []
  const edit = (command: Command): Step => ({ stage: 'edit', command })
  const steps = [
    edit({ type: 'tree-address', address: OWN_TREE }),
    edit({ type: 'tree-resize', sizeBytes: 0x1000 }),
  ]
  const { root } = placement.addresses
  const { ownTree } = loader
  if (root === undefined || parts.rootBytes === undefined || ownTree === undefined) return steps
  const node = rootNodePath(root)
  const parent = '/reserved-memory'
  const made: Command =
    loader.shell === 'hush'
      ? { type: 'line', text: `fdt list ${parent} || fdt mknode / reserved-memory` }
      : { type: 'tree-node', parent: '/', name: 'reserved-memory' }
  const { addressCells, sizeCells } = ownTree
  const reg = [...cells(root, addressCells), ...cells(rootRegionBytes(parts.rootBytes), sizeCells)]
  const property = (path: string, name: string, value: Extract<Command, { type: 'tree-set' }>['value']) =>
    edit({ type: 'tree-set', path, property: name, value })
  return [
    ...steps,
    edit(made),
    property(parent, '#address-cells', { type: 'cells', cells: [addressCells] }),
    property(parent, '#size-cells', { type: 'cells', cells: [sizeCells] }),
    property(parent, 'ranges', { type: 'empty' }),
    edit({ type: 'tree-node', parent, name: `${PHRAM_NAME}@${root.toString(16)}` }),
    property(node, 'compatible', { type: 'string', text: 'phram' }),
    property(node, 'label', { type: 'string', text: PHRAM_NAME }),
    property(node, 'reg', { type: 'cells', cells: reg }),
    property(node, 'no-map', { type: 'empty' }),
  ]
}

function cells(number: number, count: OwnTree['addressCells']): readonly number[] {
  return count === 1 ? [number] : [Math.floor(number / 2 ** 32), number % 2 ** 32]
}

function bootSteps(request: ScriptRequest, view: (physical: number) => number): readonly Step[] {
  const { parts, placement } = request
  const { initramfs, tree, kernelFile, unpackBuffer } = placement.addresses
  const steps: Step[] = []
  if (unpackBuffer !== undefined) {
    const set = (name: string, value: number): Step => {
      return { stage: 'boot', command: { type: 'set', name, value: `0x${value.toString(16)}` } }
    }
    steps.push(set('kernel_comp_addr_r', view(unpackBuffer)), set('kernel_comp_size', parts.kernelFileBytes))
  }
  const isFit = parts.format === 'fit'
  // With a tree of its own the kernel looks at no other, but some loaders start none without one.
  const ownTree =
    parts.tree.source === 'loader' ||
    (parts.tree.source === 'appended' && request.loader.tree && request.loader.ownTree !== undefined)
  const handedTree = ownTree ? OWN_TREE : isFit || tree === undefined ? undefined : view(tree)
  const kernel = view(kernelFile)
  const handedInitramfs = ((): Pick<Extract<Command, { type: 'boot' }>, 'initramfs'> => {
    if (initramfs === undefined || parts.initramfsBytes === undefined || !handsOver(parts)) return {}
    // How long it is, an image says itself.
    if (parts.initramfsWrapped === true) return { initramfs: `0x${view(initramfs).toString(16)}` }
    if (!isFit) return { initramfs: { address: view(initramfs), sizeBytes: parts.initramfsBytes } }
    // Without a third argument the configuration says it all.
    return handedTree === undefined ? {} : { initramfs: `0x${kernel.toString(16)}#${FIT_CONFIGURATION}` }
  })()
  const method = usesBootm(parts) ? 'bootm' : parts.format === 'zimage' ? 'bootz' : 'booti'
  steps.push({
    stage: 'boot',
    command: {
      type: 'boot',
      method,
      kernel,
      // By name: a loader that looks for the best match (CONFIG_FIT_BEST_MATCH) passes over the default one.
      ...(isFit ? { configuration: FIT_CONFIGURATION } : {}),
      ...handedInitramfs,
      ...(handedTree === undefined ? {} : { tree: handedTree }),
    },
    onFailure: 'the loader did not start the kernel',
  })
  return steps
}

/**
 * The lines as a script for `source`. Under hush what follows a line that can fail is inside its condition, since `exit`
 * within one does not end a script that is sourced (U-Boot 2023.01); the older parser stops at a line that fails by itself,
 * and knows no conditions.
 */
export function scriptText(lines: readonly BootLine[], loader: Loader): string {
  if (loader.shell !== 'hush') return lines.map(({ text }) => `${text}\n`).join('')
  const begun: string[] = []
  const ends: string[] = []
  for (const { text, onFailure, onSuccess, stage } of lines) {
    if (onSuccess !== undefined) {
      begun.push(`if ${text}; then echo '${onSuccess}'; else\n`)
      ends.push('fi\n')
    } else if (stage === 'network' || stage === 'boot') {
      begun.push(`${text}\n`)
    } else {
      begun.push(`if ${text}; then\n`)
      ends.push(onFailure === undefined ? 'fi\n' : `else echo '${onFailure}'; fi\n`)
    }
  }
  return [...begun, ...ends.reverse()].join('')
}

/** The lines for people to type, or to paste. */
export function typedText(lines: readonly BootLine[]): string {
  return lines
    .map(({ text, onSuccess }) =>
      onSuccess === undefined ? `${text}\n` : `# if this prints a node: ${onSuccess}\n${text}\n`,
    )
    .join('')
}
