/** Where everything lies in the board's memory from the first transfer until the kernel runs. */
import {
  checkLayout,
  type FixedRegion,
  type Handed,
  handedRegions,
  highPlacement,
  type Layout,
  type LayoutRequest,
  loaderRegion,
  type MovableRegion,
  overlaps,
  type PlacedRegion,
  planLayout,
  type Span,
  TREE_GROWTH_BYTES,
} from '../layout/index.ts'
import type { KernelFormat, Loader } from '../uboot/index.ts'
import { type KernelProgram, programNeeds } from './program.ts'
import { type BootPlanError, failure, type Result, success } from './result.ts'

/** What the planner knows of a board. Addresses are physical. */
export interface Board {
  readonly loader: Loader
  /** RAM banks. */
  readonly memory: readonly Span[]
  /** Memory that belongs to somebody else from power-on: firmware, a coprocessor. */
  readonly reserved: readonly FixedRegion[]
  /**
   * Where the root goes: known before anything is built, a multiple of 64 KiB, and the lowest of what is transferred.
   * A kernel that unpacks itself at the start of the RAM must end below it.
   */
  readonly rootAddress: number
}

export interface BootParts {
  /** A root that stays where it was loaded. */
  readonly rootBytes?: number
  readonly initramfsBytes?: number
  /** In a legacy image of type ramdisk, for a loader that takes none as it is. */
  readonly initramfsWrapped?: boolean
  /**
   * `ours`: of the file, after the last edit. `appended`: of ours, part of the kernel's program. `loader`: the loader hands
   * over its own. `none`: the kernel has one built in.
   */
  readonly tree:
    | { readonly source: 'ours'; readonly sizeBytes: number }
    | { readonly source: 'appended' | 'loader' | 'none' }
  /** What carries the root is transferred in a shorter form, which the loader expands. */
  readonly packed?: PackedTransfer
  readonly format: KernelFormat
  readonly program: KernelProgram
  /** Of what is transferred: with its header, compressed, or as a FIT with all that is in it. */
  readonly kernelFileBytes: number
}

export interface PackedTransfer {
  readonly of: 'root' | 'initramfs'
  readonly method: Packing
  readonly fileBytes: number
}

/** The loader tells the kernel where the initramfs is, in a tree that it hands over. */
export function handsOver({ tree }: Pick<BootParts, 'tree'>): boolean {
  return tree.source === 'ours' || tree.source === 'loader'
}

/** Ways to shorten what is transferred. */
export const PACKINGS = ['gzip', 'lzma'] as const
export type Packing = (typeof PACKINGS)[number]

/** Physical addresses. */
export interface BootAddresses {
  readonly root?: number
  readonly initramfs?: number
  readonly tree?: number
  /** Where the kernel's file is transferred to. */
  readonly kernelFile: number
  /** Where the kernel is when it is started. */
  readonly kernelStart: number
  /** Of its first instruction. */
  readonly entryPoint: number
  /** `kernel_comp_addr_r`, where a compressed Image is unpacked. */
  readonly unpackBuffer?: number
  /** Where the root is transferred to in its shorter form. */
  readonly packed?: number
}

export interface BootPlacement {
  readonly memory: readonly Span[]
  readonly layout: Layout
  readonly addresses: BootAddresses
}

const PAGE_BYTES = 0x1000
/** What a 64 KiB-page kernel maps; every address that people are told is round. */
const ROOT_ALIGN_BYTES = 0x10000
const ROOT = 'root'
const INITRAMFS = 'initramfs'
const TREE = 'device tree'
const KERNEL_FILE = 'kernel, as loaded'
const UNPACK_BUFFER = 'kernel_comp_addr_r'
const PACKED = 'root, as transferred'

/** A region of phram is whole pages: its erase size (drivers/mtd/devices/phram.c). */
export function rootRegionBytes(rootBytes: number): number {
  return Math.ceil(rootBytes / PAGE_BYTES) * PAGE_BYTES
}

/**
 * Places root, initramfs, device tree and kernel: in this order, from `rootAddress` up. The tree comes before the
 * kernel, since a zImage takes memory behind itself. Then works out where the loader will copy tree and initramfs, and
 * has all of it proved disjoint. Error: `no-layout`.
 */
export function placeBoot(board: Board, parts: BootParts): Result<BootPlacement, BootPlanError> {
  const ram = loaderRam(board)
  if (ram === undefined) return noLayout('the board has no memory')
  const loader = loaderRegion(ram, board.loader.ownSizeBytes)
  const request = layoutRequest(board, parts, ram, loader)
  const planned = planLayout(request)
  if (!planned.ok) return noLayout(planned.error.message)
  const [violation] = checkLayout(request, planned.value)
  if (violation !== undefined) throw new Error(`the planner made a wrong layout: ${violation.message}`)
  const addressOf = (name: string): number | undefined => {
    return planned.value.regions.find((region) => region.name === name)?.address
  }
  const copied = copies(board, parts, ram, planned.value, addressOf)
  if (!copied.ok) return copied
  const regions = [...planned.value.regions, ...copied.value].sort((a, b) => a.address - b.address)
  const [overlap] = overlaps({ regions })
  if (overlap !== undefined) return noLayout(`${overlap[0]} and ${overlap[1]} overlap`)
  const needs = programNeeds(parts.program, ram, [])
  const start = addressOf(needs.start)
  if (start === undefined) throw new Error('the kernel has no place in a layout that is whole')
  return success({
    memory: request.memory,
    layout: { regions },
    addresses: {
      ...definedAddresses({
        root: addressOf(ROOT),
        initramfs: addressOf(INITRAMFS),
        tree: addressOf(TREE),
        unpackBuffer: addressOf(UNPACK_BUFFER),
        packed: addressOf(PACKED),
      }),
      kernelFile: addressOf(KERNEL_FILE) ?? start,
      kernelStart: start,
      entryPoint: start + needs.entryOffsetBytes,
    },
  })
}

function definedAddresses<K extends string>(
  addresses: Readonly<Record<K, number | undefined>>,
): { readonly [P in K]?: number } {
  const defined: { [P in K]?: number } = {}
  for (const name in addresses) {
    const address = addresses[name]
    if (address !== undefined) defined[name] = address
  }
  return defined
}

function noLayout(message: string) {
  return failure<BootPlanError>({ type: 'no-layout', message })
}

/** The part of the first bank that the loader sees. */
export function loaderRam(board: Board): Span | undefined {
  const [first] = [...board.memory].sort((a, b) => a.start - b.start)
  if (first === undefined) return undefined
  const limit = first.start + (board.loader.ramLimitBytes ?? Number.MAX_SAFE_INTEGER - first.start)
  return { start: first.start, end: Math.min(first.end, limit) }
}

function layoutRequest(board: Board, parts: BootParts, ram: Span, loader: FixedRegion): LayoutRequest {
  const { rootBytes, initramfsBytes, tree } = parts
  const fixed: FixedRegion[] = [
    { ...loader, reserved: true },
    ...board.reserved.map((region) => ({ ...region, reserved: true })),
  ]
  const movable: MovableRegion[] = []
  const below: string[] = []
  const first = { address: board.rootAddress, alignBytes: ROOT_ALIGN_BYTES }
  if (rootBytes !== undefined) {
    fixed.push({ name: ROOT, sizeBytes: rootRegionBytes(rootBytes), ...first })
    below.push(ROOT)
  }
  if (initramfsBytes !== undefined) {
    if (below.length === 0) fixed.push({ name: INITRAMFS, sizeBytes: initramfsBytes, ...first })
    else
      movable.push({ name: INITRAMFS, sizeBytes: initramfsBytes, alignBytes: PAGE_BYTES, after: [...below] })
    below.push(INITRAMFS)
  }
  if (tree.source === 'ours') {
    const inPlace = highPlacement(board.loader.fdtHigh, board.loader.wordBits).type === 'in-place'
    const sizeBytes = tree.sizeBytes + (inPlace ? TREE_GROWTH_BYTES : 0)
    movable.push({ name: TREE, sizeBytes, alignBytes: PAGE_BYTES, after: [...below] })
    below.push(TREE)
  }
  // Nothing to come first: the kernel does.
  if (below.length === 0) fixed.push({ name: 'start', address: board.rootAddress, sizeBytes: 0 })
  const after = below.length === 0 ? ['start'] : below
  const needs = programNeeds(parts.program, ram, after)
  fixed.push(...needs.fixed)
  movable.push(...needs.movable, ...kernelFileRegions(parts, [...after, needs.start]))
  // Last, so that everything else lies where it would without.
  if (parts.packed !== undefined)
    movable.push({ name: PACKED, sizeBytes: parts.packed.fileBytes, alignBytes: PAGE_BYTES, after })
  return { memory: [ram], fixed, movable }
}

/** What the kernel's file takes beside the place where the kernel starts. */
function kernelFileRegions(parts: BootParts, after: readonly string[]): readonly MovableRegion[] {
  switch (parts.format) {
    case 'image':
    case 'zimage':
      return []
    case 'image-compressed':
      // Loaded where it will start, unpacked into the buffer, and moved back (cmd/booti.c).
      return [{ name: UNPACK_BUFFER, sizeBytes: parts.program.sizeBytes, alignBytes: PAGE_BYTES, after }]
    case 'uimage-none':
    case 'uimage-gzip':
    case 'uimage-lzma':
    case 'fit':
      return [{ name: KERNEL_FILE, sizeBytes: parts.kernelFileBytes, alignBytes: PAGE_BYTES, after }]
  }
}

/** Where the loader copies what it hands to the kernel. */
function copies(
  board: Board,
  parts: BootParts,
  ram: Span,
  layout: Layout,
  addressOf: (name: string) => number | undefined,
): Result<readonly PlacedRegion[], BootPlanError> {
  const { fdtHigh, initrdHigh, wordBits, ownTree, ownSizeBytes } = board.loader
  const treePlacement = highPlacement(fdtHigh, wordBits)
  const loader = loaderRegion(ram, ownSizeBytes)
  const handed = (name: string, sizeBytes: number, placement: Handed['placement']): Handed => {
    return { address: addressOf(name) ?? loader.address, sizeBytes, placement }
  }
  // A kernel that is told on its command line, or in a tree of its own, finds it where it was loaded.
  const initramfsPlacement: Handed['placement'] = handsOver(parts)
    ? highPlacement(initrdHigh, wordBits)
    : { type: 'in-place' }
  const tree = parts.tree.source === 'ours' ? parts.tree.sizeBytes : (ownTree?.sizeBytes ?? 0)
  const found = handedRegions({
    loader,
    ram,
    taken: layout.regions,
    ...(parts.tree.source === 'none' || (parts.tree.source === 'appended' && ownTree === undefined)
      ? {}
      : { tree: handed(TREE, tree, treePlacement) }),
    ...(parts.initramfsBytes === undefined
      ? {}
      : { initramfs: handed(INITRAMFS, parts.initramfsBytes, initramfsPlacement) }),
  })
  if (!found.ok) return noLayout(found.error.message)
  // Where they were loaded is in the layout already; the loader's own tree lies within the loader.
  const isCopy = ({ name }: { readonly name: string }): boolean => name !== INITRAMFS && name !== TREE
  return success(found.value.filter(isCopy).map((region) => ({ ...region, reserved: false })))
}
