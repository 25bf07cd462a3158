/** Image headers with random damage. */
import { randomBytes } from 'node:crypto'
import { sampleArm64, sampleMips, sampleZImage, verifyKernelMutations } from '../../src/boot/conformance.ts'
import { qemuAarch64 } from '../../src/devices/index.ts'
import { verifyImageMutations } from '../../src/uboot/conformance.ts'
import { writeLegacyImage, writeScriptImage } from '../../src/uboot/index.ts'
import type { Judgement, Verification, VerifyContext } from '../verification.ts'

const MUTATIONS = 1_000_000
const SEED = 1

async function verifyImages({ progress }: VerifyContext): Promise<Judgement> {
  const about = { architecture: 'arm64', name: 'verification', timeSeconds: 0 } as const
  const images = [
    writeLegacyImage({
      ...about,
      type: 'kernel',
      operatingSystem: 'linux',
      compression: 'gzip',
      loadAddress: 0x4008_0000,
      entryPoint: 0x4008_0000,
      data: randomBytes(1000),
    }),
    writeScriptImage('echo hello\n', about),
  ].map((written) => {
    if (!written.ok) throw new Error(written.error.message)
    return written.value
  })
  const legacy = verifyImageMutations(images, SEED, MUTATIONS)
  progress('kernels')
  const { networkBoot } = qemuAarch64
  if (networkBoot === undefined) throw new Error('qemu-aarch64 boots over the network')
  const kernels = verifyKernelMutations(
    [sampleArm64(), sampleZImage(), sampleMips()],
    networkBoot,
    SEED,
    MUTATIONS,
  )
  const all = [
    ['legacy images (kernel, script) and .lzma streams', legacy],
    ['headers of kernels: arm64 Image, zImage, MIPS vmlinux', kernels],
  ] as const
  for (const [, { failures }] of all) for (const failure of failures) progress(failure)
  return {
    columns: ['mutated', 'against', 'checked', 'refused', 'failures'],
    rows: all.map(([what, done]) => [
      what,
      'a typed error or success',
      done.checked,
      done.refused,
      done.failures.length,
    ]),
    notes: [
      'A FIT is a device tree, and is mutated as one. One in 32 of the kernels that are read is given places in the memory of a board.',
    ],
    failures: all.reduce((sum, [, { failures }]) => sum + failures.length, 0),
  }
}

export const verifications: readonly Verification[] = [
  { name: 'uboot', title: 'Boot images', run: verifyImages },
]
