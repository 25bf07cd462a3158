/** A kernel as it runs, whatever it is wrapped in: what memory it takes, and where it must lie. */
import {
  type Arm64Image,
  arm64Constraints,
  type FixedRegion,
  type MovableRegion,
  readArm64Image,
  readZImage,
  type Span,
  type ZImage,
  zImageLoadedBytes,
  zImageUnpackedRegion,
} from '../layout/index.ts'
import type { Architecture } from '../uboot/index.ts'
import { type BootPlanError, failure, type Result, success } from './result.ts'

export type KernelProgram =
  | { readonly type: 'arm64-image'; readonly image: Arm64Image; readonly sizeBytes: number }
  | { readonly type: 'zimage'; readonly image: ZImage; readonly sizeBytes: number }

/** Reads the header of an uncompressed arm64 Image or of an ARM zImage. Error: `wrong-kernel`. */
export function readKernelProgram(
  bytes: Uint8Array,
  architecture: 'arm64' | 'armhf',
): Result<KernelProgram, BootPlanError> {
  const sizeBytes = bytes.length
  if (architecture === 'arm64') {
    const image = readArm64Image(bytes)
    if (!image.ok) return failure({ type: 'wrong-kernel', message: image.error.message })
    // The loader would move it to the start of the RAM, below the root.
    const message = 'an arm64 kernel from before Linux 4.6 runs at the start of the RAM only'
    return image.value.anywhere
      ? success({ type: 'arm64-image', image: image.value, sizeBytes })
      : failure({ type: 'wrong-kernel', message })
  }
  const image = readZImage(bytes)
  return image.ok
    ? success({ type: 'zimage', image: image.value, sizeBytes })
    : failure({ type: 'wrong-kernel', message: image.error.message })
}

/** What U-Boot's images call the processor that a program is for. */
export function programArchitecture(program: KernelProgram): Architecture {
  return program.type === 'arm64-image' ? 'arm64' : 'arm'
}

/** A zImage takes the 128 MiB that it lies in for the start of the RAM (arch/arm/boot/compressed/head.S). */
const ZIMAGE_WINDOW_BYTES = 128 << 20

export interface ProgramNeeds {
  /** Where it is when it is started. */
  readonly start: MovableRegion
  /** Where it will have unpacked itself to. */
  readonly unpacked: readonly FixedRegion[]
}

/**
 * The memory of a program from its start until the kernel proper runs, placed after `after`. `ram` is the first bank.
 */
export function programNeeds(program: KernelProgram, ram: Span, after: readonly string[]): ProgramNeeds {
  switch (program.type) {
    case 'arm64-image': {
      const constraints = arm64Constraints(program.image, program.sizeBytes)
      return { start: { name: 'kernel', after, ...constraints }, unpacked: [] }
    }
    case 'zimage': {
      const window = Math.floor(ram.start / ZIMAGE_WINDOW_BYTES) * ZIMAGE_WINDOW_BYTES
      const start: MovableRegion = {
        name: 'kernel (zImage)',
        sizeBytes: zImageLoadedBytes(program.image, program.sizeBytes),
        alignBytes: 0x1000,
        within: [{ start: ram.start, end: window + ZIMAGE_WINDOW_BYTES }],
        after,
      }
      const place = { loadAddress: ram.start, ramStart: ram.start }
      return { start, unpacked: [zImageUnpackedRegion(program.image, place)] }
    }
  }
}
