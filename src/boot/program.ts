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
import { type MipsKernel, readMipsKernel } from './program-mips.ts'
import { type BootPlanError, failure, type Result, success } from './result.ts'

export type KernelProgram =
  | { readonly type: 'arm64-image'; readonly image: Arm64Image; readonly sizeBytes: number }
  | {
      readonly type: 'zimage'
      readonly image: ZImage
      /** With a device tree that is appended to it. */
      readonly sizeBytes: number
      /** What it sets apart behind that tree, to work on it. */
      readonly treeWorkBytes?: number
    }
  | { readonly type: 'mips'; readonly kernel: MipsKernel; readonly sizeBytes: number }

export interface ReadKernel {
  readonly program: KernelProgram
  /** What is in memory when it is started. */
  readonly content: Uint8Array
}

/** Debian's names of the architectures whose kernels are understood here. */
export type KernelArchitecture = 'arm64' | 'armhf' | 'mips' | 'mipsel'

/** Reads an uncompressed arm64 Image, an ARM zImage or a MIPS vmlinux or vmlinuz. Error: `wrong-kernel`. */
export function readKernelProgram(
  bytes: Uint8Array,
  architecture: KernelArchitecture,
): Result<ReadKernel, BootPlanError> {
  const sizeBytes = bytes.length
  const wrong = (message: string) => failure<BootPlanError>({ type: 'wrong-kernel', message })
  switch (architecture) {
    case 'arm64': {
      const image = readArm64Image(bytes)
      if (!image.ok) return wrong(image.error.message)
      // The loader would move it to the start of the RAM, below the root.
      if (!image.value.anywhere)
        return wrong('an arm64 kernel from before Linux 4.6 runs at the start of the RAM only')
      return success({ program: { type: 'arm64-image', image: image.value, sizeBytes }, content: bytes })
    }
    case 'armhf': {
      const image = readZImage(bytes)
      if (!image.ok) return wrong(image.error.message)
      return success({ program: { type: 'zimage', image: image.value, sizeBytes }, content: bytes })
    }
    case 'mips':
    case 'mipsel': {
      const read = readMipsKernel(bytes)
      if (!read.ok) return read
      const { kernel, content } = read.value
      if (kernel.bigEndian !== (architecture === 'mips')) return wrong('it is for the other byte order')
      return success({ program: { type: 'mips', kernel, sizeBytes: content.length }, content })
    }
  }
}

/** What U-Boot's images call the processor that a program is for. */
export function programArchitecture(program: KernelProgram): Architecture {
  switch (program.type) {
    case 'arm64-image':
      return 'arm64'
    case 'zimage':
      return 'arm'
    case 'mips':
      return 'mips'
  }
}

/** A zImage takes the 128 MiB that it lies in for the start of the RAM (arch/arm/boot/compressed/head.S). */
const ZIMAGE_WINDOW_BYTES = 128 << 20

export interface ProgramNeeds {
  /** The region at whose beginning it lies when it is started. */
  readonly start: string
  readonly fixed: readonly FixedRegion[]
  readonly movable: readonly MovableRegion[]
  /** Its first instruction, from the beginning of that region. */
  readonly entryOffsetBytes: number
}

/**
 * The memory of a program from its start until the kernel proper runs; what can be moved is placed after `after`. `ram` is
 * the first bank.
 */
export function programNeeds(program: KernelProgram, ram: Span, after: readonly string[]): ProgramNeeds {
  switch (program.type) {
    case 'arm64-image': {
      const start = 'kernel'
      const constraints = arm64Constraints(program.image, program.sizeBytes)
      return { start, fixed: [], movable: [{ name: start, after, ...constraints }], entryOffsetBytes: 0 }
    }
    case 'zimage': {
      const window = Math.floor(ram.start / ZIMAGE_WINDOW_BYTES) * ZIMAGE_WINDOW_BYTES
      const start: MovableRegion = {
        name: 'kernel (zImage)',
        sizeBytes: zImageLoadedBytes(program.image, program.sizeBytes + (program.treeWorkBytes ?? 0)),
        alignBytes: 0x1000,
        within: [{ start: ram.start, end: window + ZIMAGE_WINDOW_BYTES }],
        after,
      }
      const unpacked = zImageUnpackedRegion(program.image, { loadAddress: ram.start, ramStart: ram.start })
      return { start: start.name, fixed: [unpacked], movable: [start], entryOffsetBytes: 0 }
    }
    case 'mips': {
      const { loadAddress, memoryBytes, entryPoint } = program.kernel
      const kernel = { name: 'kernel', address: loadAddress, sizeBytes: memoryBytes }
      return {
        start: kernel.name,
        fixed: [...belowMipsKernel(loadAddress, ram), kernel],
        movable: [],
        entryOffsetBytes: entryPoint - loadAddress,
      }
    }
  }
}

/**
 * The vectors of exceptions are at the start of the memory, and a vmlinuz unpacks itself to right below itself
 * (arch/mips/boot/compressed/calc_vmlinuz_load_addr.c). What the unpacked kernel clears behind its image is not written
 * down in a vmlinuz; it lies where the vmlinuz has been, which with its heap of 4 MiB is the longer by far.
 */
function belowMipsKernel(loadAddress: number, ram: Span): readonly FixedRegion[] {
  if (loadAddress <= ram.start) return []
  const name = "processor's vectors, kernel unpacked"
  return [{ name, address: ram.start, sizeBytes: loadAddress - ram.start, reserved: true }]
}
