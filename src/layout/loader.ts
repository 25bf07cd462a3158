/**
 * What U-Boot itself takes of the memory, and where it puts its copies of the device tree and the initramfs
 * (boot/image-fdt.c and boot/image-board.c of U-Boot 2023.01).
 */
import { hex, type Region, type Span } from './region.ts'
import type { LoaderRoomError, Result } from './result.ts'

/** CONFIG_SYS_FDT_PAD: room for what U-Boot adds to the tree (chosen, memory, initramfs). */
export const TREE_GROWTH_BYTES = 0x3000
const COPY_ALIGN_BYTES = 0x1000

/** U-Boot moves itself to the top of the RAM that it sees; its heap and stack lie below. */
export function loaderRegion(ram: Span, sizeBytes: number): Region {
  return { name: 'boot loader', address: ram.end - sizeBytes, sizeBytes }
}

export type HighPlacement =
  /** Used where it was loaded. */
  | { readonly type: 'in-place' }
  /** Copied to the highest free place below the loader, and below `limit` if there is one. */
  | { readonly type: 'copied'; readonly limit: number | undefined }

/**
 * What the value of `fdt_high` or `initrd_high` means. All ones *of the loader's own word* is "in place": 0xffffffff
 * on a 64-bit board is a limit of 4 GiB and nothing else. Absent is "copied". What is no number is what U-Boot's
 * parser makes of it: 0, and that counts as no limit.
 */
export function highPlacement(value: string | undefined, wordBits: 32 | 64): HighPlacement {
  const digits = value === undefined ? undefined : /^(?:0x)?([0-9a-f]+)/i.exec(value.trim())?.[1]
  const number = digits === undefined ? 0n : BigInt(`0x${digits}`)
  const allOnes = (1n << BigInt(wordBits)) - 1n
  if (number === allOnes) return { type: 'in-place' }
  if (number === 0n || number > BigInt(Number.MAX_SAFE_INTEGER)) return { type: 'copied', limit: undefined }
  return { type: 'copied', limit: Number(number) }
}

export interface Handed {
  readonly address: number
  readonly sizeBytes: number
  readonly placement: HighPlacement
}

/**
 * The regions of a device tree and an initramfs from being loaded until the kernel has them. A tree in place needs
 * {@link TREE_GROWTH_BYTES} behind it; a copied one takes its size and that below the loader, and its own place stays
 * taken until then. `taken` is what the loader keeps clear of: reserved memory and the kernel. Error: no room for a
 * copy.
 */
export function handedRegions(request: {
  readonly loader: Region
  readonly ram: Span
  readonly tree?: Handed
  readonly initramfs?: Handed
  readonly taken: readonly Region[]
}): Result<readonly Region[], LoaderRoomError> {
  const { tree, initramfs } = request
  const regions: Region[] = []
  const taken = [...request.taken]
  const copies: { readonly name: string; readonly sizeBytes: number; readonly limit: number | undefined }[] =
    []
  // The initramfs goes first (BOOTM_STATE_RAMDISK before BOOTM_STATE_FDT), so it gets the higher place.
  if (initramfs !== undefined) {
    const region = { name: 'initramfs', address: initramfs.address, sizeBytes: initramfs.sizeBytes }
    regions.push(region)
    taken.push(region)
    const { placement, sizeBytes } = initramfs
    if (placement.type === 'copied')
      copies.push({ name: 'initramfs, copied', sizeBytes, limit: placement.limit })
  }
  if (tree !== undefined) {
    const inPlace = tree.placement.type === 'in-place'
    const grown = tree.sizeBytes + TREE_GROWTH_BYTES
    const region = { name: 'device tree', address: tree.address, sizeBytes: inPlace ? grown : tree.sizeBytes }
    regions.push(region)
    taken.push(region)
    if (tree.placement.type === 'copied') {
      copies.push({ name: 'device tree, copied', sizeBytes: grown, limit: tree.placement.limit })
    }
  }
  for (const { name, sizeBytes, limit } of copies) {
    const ceiling = Math.min(request.loader.address, limit ?? Number.MAX_SAFE_INTEGER)
    const address = highestFree(sizeBytes, request.ram.start, ceiling, taken)
    if (address === undefined) {
      const message = `no room for "${name}" (${hex(sizeBytes)} bytes) below ${hex(ceiling)}, where the boot loader copies it`
      return { ok: false, error: { type: 'no-room-below-loader', message } }
    }
    const region = { name, address, sizeBytes }
    regions.push(region)
    taken.push(region)
  }
  return { ok: true, value: regions }
}

function highestFree(
  sizeBytes: number,
  floor: number,
  ceiling: number,
  taken: readonly Region[],
): number | undefined {
  let end = ceiling
  for (;;) {
    const address = Math.floor((end - sizeBytes) / COPY_ALIGN_BYTES) * COPY_ALIGN_BYTES
    if (address < floor) return undefined
    const blocking = taken.find((region) => {
      return region.address < address + sizeBytes && address < region.address + region.sizeBytes
    })
    if (blocking === undefined) return address
    end = blocking.address
  }
}
