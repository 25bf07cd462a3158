/**
 * The ARM zImage: its header and size table (arch/arm/boot/compressed/head.S and vmlinux.lds.S of the kernel), and
 * the memory it takes when it unpacks itself.
 */
import type { KernelFootprint } from './footprint.ts'
import type { Region } from './region.ts'
import type { KernelImageError, Result } from './result.ts'

export interface ZImage {
  /** Size of the zImage without anything appended. */
  readonly imageSizeBytes: number
  /** Size of the kernel unpacked; from the size table, Linux 4.15 and later. */
  readonly unpackedSizeBytes: number
  /** What the unpacked kernel clears behind itself. */
  readonly bssSizeBytes: number
  /** The kernel runs this far above the start of the RAM: 0x8000, or 0x208000 on a multi-platform kernel. */
  readonly textOffsetBytes: number
  /** Memory behind the zImage that the unpacking takes. */
  readonly mallocSizeBytes: number
}

const MAGIC = 0x016f2818
const TABLE_MAGIC = 0x45454545
/** "KLSZ" */
const SIZE_TAG = 0x5a534c4b
/** Page tables in front of the kernel: 16 KiB, and 20 KiB with LPAE (PG_DIR_SIZE in arch/arm/kernel/head.S). */
const PAGE_TABLES_BYTES = 0x5000
/** The unpacker's own bss and stack, which no header tells: 4 KiB of stack and some variables; 64 KiB is ample. */
const UNPACKER_BYTES = 0x10000
/** Room for the code that moves the zImage, and rounding to 256 bytes: less than a page. */
const MOVER_BYTES = 0x1000
const RAM_MASK_BYTES = 128 << 20
const MEMORY_START_ALIGN_BYTES = 2 << 20

function error(type: KernelImageError['type'], message: string) {
  return { ok: false, error: { type, message } } as const
}

/** Reads a whole zImage. Errors: `truncated`, `not-a-kernel`, `unsupported` where it has no size table. */
export function readZImage(bytes: Uint8Array): Result<ZImage, KernelImageError> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 0x40) return error('truncated', 'a zImage begins with 64 bytes')
  if (view.getUint32(0x24, true) !== MAGIC)
    return error('not-a-kernel', 'not a zImage: no 016f2818 at offset 0x24')
  const imageSizeBytes = view.getUint32(0x2c, true) - view.getUint32(0x28, true)
  if (imageSizeBytes < 0x40 || imageSizeBytes > bytes.length) {
    return error('truncated', `the zImage says ${imageSizeBytes} bytes, the file has ${bytes.length}`)
  }
  if (view.getUint32(0x34, true) !== TABLE_MAGIC)
    return error('unsupported', 'the zImage has no table of sizes')
  let tag = view.getUint32(0x38, true)
  // A tag is its length in words (with these two), what it is, and its data; a length of 0 ends the table.
  while (tag + 8 <= imageSizeBytes) {
    const words = view.getUint32(tag, true)
    if (words < 2) break
    if (view.getUint32(tag + 4, true) === SIZE_TAG && words >= 6 && tag + 24 <= imageSizeBytes) {
      const sizeAt = view.getUint32(tag + 8, true)
      if (sizeAt + 4 > imageSizeBytes)
        return error('truncated', 'the size of the kernel lies outside of the zImage')
      return {
        ok: true,
        value: {
          imageSizeBytes,
          unpackedSizeBytes: view.getUint32(sizeAt, true),
          bssSizeBytes: view.getUint32(tag + 12, true),
          textOffsetBytes: view.getUint32(tag + 16, true),
          mallocSizeBytes: view.getUint32(tag + 20, true),
        },
      }
    }
    tag += words * 4
  }
  return error('unsupported', 'the zImage does not tell the size of the kernel in it')
}

export interface ZImagePlace {
  readonly loadAddress: number
  /** Size of the file, with a device tree appended to it. */
  readonly fileSizeBytes: number
  /** Start of the first memory bank that the device tree names. */
  readonly ramStart: number
}

/** What the unpacked kernel will take, page tables included. It does not depend on where exactly the zImage lies. */
export function zImageUnpackedRegion(image: ZImage, place: Omit<ZImagePlace, 'fileSizeBytes'>): Region {
  // The start of the RAM is taken to be the address of the zImage, rounded down to 128 MiB; where the device tree has
  // no memory there, the first memory that it has (fdt_check_mem_start.c).
  const guess = Math.floor(place.loadAddress / RAM_MASK_BYTES) * RAM_MASK_BYTES
  const known = Math.ceil(place.ramStart / MEMORY_START_ALIGN_BYTES) * MEMORY_START_ALIGN_BYTES
  const address = (guess < place.ramStart ? known : guess) + image.textOffsetBytes
  const tables = Math.min(PAGE_TABLES_BYTES, address)
  return {
    name: 'kernel, unpacked',
    address: address - tables,
    sizeBytes: tables + image.unpackedSizeBytes + image.bssSizeBytes,
  }
}

/** Bytes that the zImage needs where it is loaded: the file, and behind it what the unpacking takes. */
export function zImageLoadedBytes(image: ZImage, fileSizeBytes: number): number {
  return fileSizeBytes + image.mallocSizeBytes + UNPACKER_BYTES
}

/**
 * The memory that a zImage takes from being loaded until the kernel runs. One that lies in the way of its own kernel
 * first moves behind it: then everything from the one end to the other counts as one region.
 */
export function zImageFootprint(image: ZImage, place: ZImagePlace): KernelFootprint {
  const unpacked = zImageUnpackedRegion(image, place)
  const entryPoint = unpacked.address + unpacked.sizeBytes - image.unpackedSizeBytes - image.bssSizeBytes
  const loadedBytes = zImageLoadedBytes(image, place.fileSizeBytes)
  const loaded = { name: 'kernel (zImage)', address: place.loadAddress, sizeBytes: loadedBytes }
  const unpackedEnd = unpacked.address + unpacked.sizeBytes
  const loadedEnd = loaded.address + loaded.sizeBytes
  const clear = loadedEnd <= unpacked.address || loaded.address >= unpackedEnd
  if (clear) return { regions: [unpacked, loaded], entryPoint, moved: false }
  const start = Math.min(unpacked.address, loaded.address)
  const end = Math.max(loadedEnd, unpackedEnd + MOVER_BYTES + loadedBytes)
  const name = 'kernel (zImage), unpacked and moved out of its own way'
  return { regions: [{ name, address: start, sizeBytes: end - start }], entryPoint, moved: true }
}
