/** Boot images with random damage. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type SampleKernel,
  sampleArm64,
  sampleMips,
  sampleZImage,
  verifyKernelMutations,
} from '../../src/boot/conformance.ts'
import { qemuAarch64 } from '../../src/devices/index.ts'
import { verifyMutations } from '../../src/devicetree/conformance.ts'
import { EMPTY_TREE, writeDevicetree } from '../../src/devicetree/index.ts'
import { verifyLegacyMutations, verifyLzmaMutations } from '../../src/uboot/conformance.ts'
import { type Result, writeFit, writeLegacyImage, writeScriptImage } from '../../src/uboot/index.ts'
import { seededRandom } from '../../test/seeded-random.ts'
import type { Judgement, Verification, VerifyContext } from '../verification.ts'

/** Of each kind; FIRMWRIGHT_VERIFY_SHARE=20 makes a twentieth of them. */
const MUTATIONS = Math.ceil(1_000_000 / Number(process.env.FIRMWRIGHT_VERIFY_SHARE ?? 1))
const SEED = 1

function written<E extends { readonly message: string }>(result: Result<Buffer, E>): Buffer {
  if (!result.ok) throw new Error(result.error.message)
  return result.value
}

/** Content without a pattern, the same in every run. */
function pseudoRandomBytes(sizeBytes: number): Buffer {
  const random = seededRandom(SEED)
  return Buffer.from(Array.from({ length: sizeBytes }, () => random(256)))
}

/** A kernel and a script. */
function legacyImages(): readonly Buffer[] {
  const about = { architecture: 'arm64', name: 'verification', timeSeconds: 0 } as const
  return [
    written(
      writeLegacyImage({
        ...about,
        type: 'kernel',
        operatingSystem: 'linux',
        compression: 'gzip',
        loadAddress: 0x4008_0000,
        entryPoint: 0x4008_0000,
        data: pseudoRandomBytes(1000),
      }),
    ),
    written(writeScriptImage('echo hello\n', about)),
  ]
}

/** Kernel, tree and root in two configurations. */
function fitImage(): Buffer {
  const image = { architecture: 'arm64', compression: 'none', description: 'verification' } as const
  return written(
    writeFit({
      description: 'verification',
      timeSeconds: 0,
      images: [
        {
          ...image,
          name: 'kernel-1',
          type: 'kernel',
          loadAddress: 0x4020_0000n,
          entryPoint: 0x4020_0000n,
          data: pseudoRandomBytes(300),
        },
        {
          ...image,
          name: 'fdt-1',
          type: 'flat_dt',
          loadAddress: 0x4400_0000n,
          data: writeDevicetree(EMPTY_TREE),
        },
        {
          ...image,
          name: 'ramdisk-1',
          type: 'ramdisk',
          loadAddress: 0x1_0000_0000n,
          data: pseudoRandomBytes(200),
        },
      ],
      configurations: [
        {
          name: 'conf-1',
          description: 'with a root',
          kernel: 'kernel-1',
          tree: 'fdt-1',
          ramdisk: 'ramdisk-1',
        },
        { name: 'conf-2', description: 'without', kernel: 'kernel-1' },
      ],
    }),
  )
}

interface Fuzzed {
  readonly checked: number
  readonly refused: number
  /** The refusals by the type of the error, where there are several. */
  readonly kinds?: ReadonlyMap<string, number>
  readonly failures: readonly string[]
}

async function verifyImages({ folder, progress }: VerifyContext): Promise<Judgement> {
  const { networkBoot } = qemuAarch64
  if (networkBoot === undefined) throw new Error('qemu-aarch64 boots over the network')
  const kernel = (sample: SampleKernel) => () => verifyKernelMutations([sample], networkBoot, SEED, MUTATIONS)
  const lzma = execFileSync('xz', ['--format=lzma', '-c'], { input: 'firmware '.repeat(100) })
  const fit = join(folder, 'fit')
  writeFileSync(fit, fitImage())
  const fuzzed: readonly (readonly [string, () => Fuzzed])[] = [
    ['legacy images: a kernel, a script', () => verifyLegacyMutations(legacyImages(), SEED, MUTATIONS)],
    ['FIT: kernel, tree, root', () => verifyMutations([fit], SEED, MUTATIONS)],
    ['.lzma streams', () => verifyLzmaMutations(lzma, SEED, MUTATIONS)],
    ['arm64 Images', kernel(sampleArm64())],
    ['zImages', kernel(sampleZImage())],
    ['MIPS vmlinux', kernel(sampleMips())],
  ]
  const rows: (readonly (string | number)[])[] = []
  let failures = 0
  for (const [what, fuzz] of fuzzed) {
    progress(what)
    const done = fuzz()
    for (const failure of done.failures) progress(failure)
    failures += done.failures.length
    const kinds = [...(done.kinds ?? [])].sort(([, a], [, b]) => b - a)
    const listed = kinds.map(([kind, count]) => `${kind} ${count}`).join(', ')
    const read = done.checked - done.refused
    rows.push([what, done.checked, read, done.refused, listed, done.failures.length])
  }
  return {
    columns: ['mutated', 'checked', 'read', 'refused', 'by kind', 'failures'],
    rows,
    notes: [
      'Of the legacy images, seven in eight get the checksum of their data put right after the damage, and seven in eight that of their header. What is read is written again: the same bytes. A FIT that is read is printed, written, read again and merged, as every device tree. One in 32 of the kernels that are read is given places in the memory of a board.',
    ],
    failures,
  }
}

export const verifications: readonly Verification[] = [
  { name: 'uboot', title: 'Boot images', run: verifyImages },
]
