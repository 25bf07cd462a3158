/** Damaged kernels, for the unit tests and the long verification. Not part of the room's public face. */
import { type Random, seededRandom } from '../../test/seeded-random.ts'
import { type Board, placeBoot } from './plan.ts'
import { type KernelArchitecture, readKernelProgram } from './program.ts'

export interface Conformance {
  readonly checked: number
  readonly refused: number
  /** One line for each; empty when all is well. */
  readonly failures: readonly string[]
}

export interface SampleKernel {
  readonly bytes: Uint8Array
  readonly architecture: KernelArchitecture
  /** Where its damage counts: the offsets of headers and tables, each from and (not included) to. */
  readonly headers: readonly (readonly [from: number, to: number])[]
}

/** An arm64 Image of a page, as Linux 6.1 has its header. */
export function sampleArm64(): SampleKernel {
  const bytes = Buffer.alloc(4096)
  bytes.writeBigUInt64LE(0x201_0000n, 16)
  bytes.writeBigUInt64LE(0xan, 24)
  bytes.write('ARM\x64', 56, 'latin1')
  return { bytes, architecture: 'arm64', headers: [[0, 64]] }
}

/** A zImage of a page with a size table (arch/arm/boot/compressed/vmlinux.lds.S). */
export function sampleZImage(): SampleKernel {
  const bytes = Buffer.alloc(4096)
  const words: readonly (readonly [number, number])[] = [
    [0x24, 0x016f_2818],
    [0x2c, bytes.length],
    [0x34, 0x4545_4545],
    [0x38, 0x100],
    // The table's only entry: words, "KLSZ", where the unpacked size is, bss, text offset, heap; then its end.
    [0x100, 6],
    [0x104, 0x5a53_4c4b],
    [0x108, 0x200],
    [0x10c, 0x5_0000],
    [0x110, 0x20_8000],
    [0x114, 0x1_0000],
    [0x200, 0x100_0000],
  ]
  for (const [offset, word] of words) bytes.writeUInt32LE(word, offset)
  return {
    bytes,
    architecture: 'armhf',
    headers: [
      [0x24, 0x3c],
      [0x100, 0x11c],
      [0x200, 0x204],
    ],
  }
}

/** A little-endian MIPS kernel: an ELF file with one segment. */
export function sampleMips(): SampleKernel {
  const bytes = Buffer.alloc(4096)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1])
  // e_type, e_machine
  bytes.writeUInt16LE(2, 16)
  bytes.writeUInt16LE(8, 18)
  const words: readonly (readonly [number, number])[] = [
    [20, 1],
    [24, 0x8010_0000],
    [28, 52],
    // The segment: PT_LOAD, offset, virtual and physical address, sizes in file and memory, flags, alignment.
    [52, 1],
    [56, 0x100],
    [60, 0x8010_0000],
    [64, 0x8010_0000],
    [68, 0xf00],
    [72, 0x2_0000],
    [76, 7],
    [80, 0x1000],
  ]
  for (const [offset, word] of words) bytes.writeUInt32LE(word, offset)
  const halves: readonly (readonly [number, number])[] = [
    [40, 52],
    [42, 32],
    [44, 1],
    [46, 40],
  ]
  for (const [offset, half] of halves) bytes.writeUInt16LE(half, offset)
  return { bytes, architecture: 'mipsel', headers: [[0, 84]] }
}

/** One in so many of those that can be read is given places, too: planning takes a thousand times as long. */
const PLACED_IN = 32
const WORDS = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fffc, 0xffff_ffff]

/** Mutated kernels: each is read or refused, and has places in a board's memory or a reason why not; nothing throws. */
export function verifyKernelMutations(
  samples: readonly SampleKernel[],
  board: Board,
  seed: number,
  mutations: number,
): Conformance {
  const random = seededRandom(seed)
  const failures: string[] = []
  let refused = 0
  for (let index = 0; index < mutations && failures.length < 10; index++) {
    const sample = samples[random(samples.length)]
    if (sample === undefined) break
    const bytes = mutated(sample, random)
    try {
      const read = readKernelProgram(bytes, sample.architecture)
      if (!read.ok) refused++
      else if (random(PLACED_IN) === 0) {
        const { program, content } = read.value
        const format =
          program.type === 'arm64-image' ? 'image' : program.type === 'zimage' ? 'zimage' : 'uimage-none'
        const tree = { source: 'ours', sizeBytes: 0x8000 } as const
        placeBoot(board, { format, program, kernelFileBytes: content.length, rootBytes: 5_000_001, tree })
      }
    } catch (error) {
      failures.push(
        `seed ${seed}, mutation ${index} of a kernel for ${sample.architecture}: threw ${String(error)}`,
      )
    }
  }
  return { checked: mutations, refused, failures }
}

function mutated(sample: SampleKernel, random: Random): Buffer {
  const bytes = Buffer.from(sample.bytes)
  for (let count = 1 + random(3); count > 0; count--) {
    const [from, to] = sample.headers[random(sample.headers.length)] ?? [0, bytes.length]
    const at = from + random(to - from)
    if (random(2) === 0) bytes[at] = random(256)
    else bytes.writeUInt32LE(WORDS[random(WORDS.length + 1)] ?? random(2 ** 32), at & ~3)
  }
  return random(8) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes
}
