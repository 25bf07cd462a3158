/** Image headers with random damage. */
import { randomBytes } from 'node:crypto'
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
  const done = verifyImageMutations(images, SEED, MUTATIONS)
  for (const failure of done.failures) progress(failure)
  return {
    columns: ['what', 'against', 'checked', 'refused', 'failures'],
    rows: [['mutated images', 'a typed error or success', done.checked, done.refused, done.failures.length]],
    failures: done.failures.length,
  }
}

export const verifications: readonly Verification[] = [
  { name: 'uboot', title: 'Boot images', run: verifyImages },
]
