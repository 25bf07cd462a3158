/** Damaged image headers, for the unit tests and the long verification. Not part of the room's public face. */
import { seededRandom } from '../../test/seeded-random.ts'
import { readLegacyImage } from './legacy.ts'
import { readLzmaHeader } from './lzma.ts'

export interface Conformance {
  readonly checked: number
  readonly refused: number
  /** One line for each; empty when all is well. */
  readonly failures: readonly string[]
}

/** Mutated images: each is read or refused with a place inside the file; nothing throws. */
export function verifyImageMutations(
  images: readonly Uint8Array[],
  seed: number,
  mutations: number,
): Conformance {
  const random = seededRandom(seed)
  const failures: string[] = []
  let refused = 0
  for (let index = 0; index < mutations && failures.length < 10; index++) {
    const source = images[random(images.length)]
    if (source === undefined) break
    const bytes = Buffer.from(source)
    for (let count = 1 + random(4); count > 0; count--)
      bytes[random(random(2) === 0 ? 64 : bytes.length)] = random(256)
    const mutated = random(8) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes
    try {
      const image = readLegacyImage(mutated)
      if (!image.ok) refused++
      if (!image.ok && image.error.offsetBytes > mutated.length)
        failures.push(`mutation ${index}: ${image.error.message}`)
      readLzmaHeader(mutated)
    } catch (error) {
      failures.push(`seed ${seed}, mutation ${index}: threw ${String(error)}`)
    }
  }
  return { checked: mutations, refused, failures }
}
