/**
 * The arm64 Image: its header (Documentation/arch/arm64/booting.rst of the kernel), and where U-Boot's `booti` runs
 * it (arch/arm/lib/image.c).
 */
import { hullOrBoth, type KernelFootprint } from './footprint.ts'
import type { MovableRegion } from './region.ts'
import type { KernelImageError, Result } from './result.ts'

export interface Arm64Image {
  /** The Image runs this far above an address that is a multiple of 2 MiB. */
  readonly textOffsetBytes: number
  /** What it takes when it runs, with the bss, which is not in the file. */
  readonly imageSizeBytes: number
  /** May run anywhere; otherwise only from the start of the RAM. Linux 4.6 and later. */
  readonly anywhere: boolean
  readonly bigEndian: boolean
}

export const ARM64_ALIGN_BYTES = 2 << 20
const HEADER_BYTES = 64

/**
 * Reads the header at the start of an Image. Errors: `truncated`, `not-a-kernel`, and `unsupported` for a size that
 * cannot be.
 */
export function readArm64Image(bytes: Uint8Array): Result<Arm64Image, KernelImageError> {
  if (bytes.length < HEADER_BYTES) {
    return {
      ok: false,
      error: { type: 'truncated', message: `an arm64 Image begins with ${HEADER_BYTES} bytes` },
    }
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  if (view.getUint32(56, true) !== 0x644d5241) {
    return {
      ok: false,
      error: { type: 'not-a-kernel', message: 'not an arm64 Image: no "ARM\\x64" at offset 56' },
    }
  }
  const textOffset = view.getBigUint64(8, true)
  const imageSize = view.getBigUint64(16, true)
  const flags = view.getBigUint64(24, true)
  // Before Linux 3.17 the size is 0, and text_offset is 0x80000 in an unknown byte order; U-Boot takes 16 MiB then.
  const old = imageSize === 0n
  if (!old && (imageSize > 1n << 40n || textOffset > 1n << 40n)) {
    const message = `an arm64 Image of 0x${imageSize.toString(16)} bytes cannot be`
    return { ok: false, error: { type: 'unsupported', message } }
  }
  return {
    ok: true,
    value: {
      textOffsetBytes: old ? 0x80000 : Number(textOffset),
      imageSizeBytes: old ? 16 << 20 : Number(imageSize),
      anywhere: (flags & 8n) !== 0n,
      bigEndian: (flags & 1n) !== 0n,
    },
  }
}

/** What the planner must keep to so that the Image runs where it is loaded and nothing is moved. */
export function arm64Constraints(
  image: Arm64Image,
  fileSizeBytes: number,
): Required<Pick<MovableRegion, 'sizeBytes' | 'alignBytes' | 'alignOffsetBytes'>> {
  return {
    sizeBytes: Math.max(fileSizeBytes, image.imageSizeBytes),
    alignBytes: ARM64_ALIGN_BYTES,
    alignOffsetBytes: image.textOffsetBytes,
  }
}

/**
 * The memory that an Image takes from being loaded until it runs. `booti` moves one that is not on its 2 MiB
 * ("Moving Image from ..."): then the place where it was loaded and the one where it runs both count.
 */
export function arm64Footprint(
  image: Arm64Image,
  place: { readonly loadAddress: number; readonly fileSizeBytes: number; readonly ramStart: number },
): KernelFootprint {
  const { loadAddress, fileSizeBytes, ramStart } = place
  const wanted = image.anywhere ? loadAddress - image.textOffsetBytes : ramStart
  const base = Math.ceil(wanted / ARM64_ALIGN_BYTES) * ARM64_ALIGN_BYTES
  const runAddress = base + image.textOffsetBytes
  const running = { name: 'kernel', address: runAddress, sizeBytes: image.imageSizeBytes }
  if (runAddress === loadAddress) {
    const sizeBytes = Math.max(fileSizeBytes, image.imageSizeBytes)
    return { regions: [{ ...running, sizeBytes }], entryPoint: runAddress, moved: false }
  }
  const loaded = { name: 'kernel, as loaded', address: loadAddress, sizeBytes: fileSizeBytes }
  const regions = hullOrBoth(loaded, { ...running, name: 'kernel, moved' }, 'kernel, as loaded and moved')
  return { regions, entryPoint: runAddress, moved: true }
}
