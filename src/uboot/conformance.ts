/** Damaged images, for the unit tests and the long verification. Not part of the room's public face. */
import { crc32 } from 'node:zlib'
import { type Random, seededRandom } from '../../test/seeded-random.ts'
import { LEGACY_HEADER_BYTES, readLegacyImage, writeLegacyImage } from './legacy.ts'
import { readLzmaHeader, withLzmaSize } from './lzma.ts'
import type { ImageReadError } from './result.ts'

export interface ImageConformance {
  readonly checked: number
  readonly refused: number
  /** The refusals by the type of the error. */
  readonly kinds: ReadonlyMap<ImageReadError['type'], number>
  /** One line for each; empty when all is well. */
  readonly failures: readonly string[]
}

/** What became of one image. */
type Outcome = 'read' | ImageReadError['type']

/**
 * Mutated legacy images. The checksums of most are put right again, or nothing behind them would ever be seen: each is
 * read, and written again as the same header and data, or refused with a place inside the file; nothing throws.
 */
export function verifyLegacyMutations(
  images: readonly Uint8Array[],
  seed: number,
  mutations: number,
): ImageConformance {
  const mutant = (random: Random): Buffer =>
    mutateLegacy(images[random(images.length)] ?? Buffer.alloc(0), random)
  return verify(mutant, judgeLegacy, seed, mutations)
}

/** Mutated .lzma streams: each is read, and takes another size, or is refused with a place inside the file; nothing throws. */
export function verifyLzmaMutations(stream: Uint8Array, seed: number, mutations: number): ImageConformance {
  return verify((random) => mutateLzma(stream, random), judgeLzma, seed, mutations)
}

function verify(
  mutant: (random: Random) => Buffer,
  judge: (bytes: Buffer) => Outcome,
  seed: number,
  mutations: number,
): ImageConformance {
  const random = seededRandom(seed)
  const failures: string[] = []
  const kinds = new Map<ImageReadError['type'], number>()
  let checked = 0
  for (; checked < mutations && failures.length < 10; checked++) {
    try {
      const outcome = judge(mutant(random))
      if (outcome !== 'read') kinds.set(outcome, (kinds.get(outcome) ?? 0) + 1)
    } catch (error) {
      failures.push(`seed ${seed}, mutation ${checked}: ${String(error)}`)
    }
  }
  const refused = [...kinds.values()].reduce((sum, count) => sum + count, 0)
  return { checked, refused, kinds, failures }
}

/** The kind of error, whose place must lie inside the file. */
function refusal(error: ImageReadError, bytes: Buffer): Outcome {
  if (error.offsetBytes > bytes.length) throw new Error(`a place outside of the file: ${error.message}`)
  return error.type
}

function judgeLegacy(bytes: Buffer): Outcome {
  const image = readLegacyImage(bytes)
  if (!image.ok) return refusal(image.error, bytes)
  const again = writeLegacyImage(image.value)
  const lengthBytes = LEGACY_HEADER_BYTES + image.value.data.length
  if (again.ok) {
    // Whatever follows a name's end is not read, and comes back as zeroes.
    const expected = Buffer.from(bytes.subarray(0, lengthBytes))
    expected.fill(0, NAME + image.value.name.length, LEGACY_HEADER_BYTES)
    sealHeader(expected)
    if (!again.value.equals(expected)) throw new Error('not written as it was read')
  } else if (again.error.type !== 'bad-name') throw new Error(`read, and not written: ${again.error.message}`)
  return 'read'
}

function judgeLzma(bytes: Buffer): Outcome {
  const header = readLzmaHeader(bytes)
  const sized = withLzmaSize(bytes, 12_345)
  if (header.ok !== sized.ok) throw new Error('its header is read, and takes no size')
  if (!header.ok) return refusal(header.error, bytes)
  const again = sized.ok ? readLzmaHeader(sized.value) : header
  const { dictionaryBytes } = header.value
  if (
    !again.ok ||
    again.value.unpackedSizeBytes !== 12_345n ||
    again.value.dictionaryBytes !== dictionaryBytes
  )
    throw new Error('the size was not taken')
  return 'read'
}

// Fields of the legacy header (include/image.h of U-Boot).
const HEADER_CHECKSUM = 4
const SIZE = 12
const DATA_CHECKSUM = 24
const NUMBERS = 28
const NAME = 32

const WORDS = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]

function mutateLegacy(source: Uint8Array, random: Random): Buffer {
  const copy = Buffer.from(source)
  for (let count = 1 + random(4); count > 0; count--) damageLegacy(copy, random)
  const bytes = random(8) === 0 ? copy.subarray(0, random(copy.length)) : copy
  if (bytes.length < LEGACY_HEADER_BYTES) return bytes
  // One in eight keeps its wrong checksum of the data, one in eight that of the header.
  if (random(8) > 0) sealData(bytes)
  if (random(8) > 0) sealHeader(bytes)
  return bytes
}

function damageLegacy(bytes: Buffer, random: Random): void {
  switch (random(5)) {
    case 0:
      // Architecture, system, type, compression: small numbers, of which some are known.
      bytes[NUMBERS + random(4)] = random(32)
      break
    case 1: {
      const words = [...WORDS, bytes.length - LEGACY_HEADER_BYTES, random(bytes.length), random(2 ** 32)]
      bytes.writeUInt32BE(words[random(words.length)] ?? 0, 4 * random(LEGACY_HEADER_BYTES / 4))
      break
    }
    case 2:
      bytes[random(LEGACY_HEADER_BYTES)] = random(256)
      break
    default:
      bytes[NAME + random(bytes.length - NAME)] = random(256)
  }
}

/** Puts the checksum of the data right, as far as the file has what the header says. */
function sealData(bytes: Buffer): void {
  const data = bytes.subarray(LEGACY_HEADER_BYTES, LEGACY_HEADER_BYTES + bytes.readUInt32BE(SIZE))
  bytes.writeUInt32BE(crc32(data), DATA_CHECKSUM)
}

function sealHeader(bytes: Buffer): void {
  bytes.writeUInt32BE(0, HEADER_CHECKSUM)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, LEGACY_HEADER_BYTES)), HEADER_CHECKSUM)
}

function mutateLzma(stream: Uint8Array, random: Random): Buffer {
  const bytes = Buffer.from(stream)
  for (let count = 1 + random(4); count > 0; count--)
    bytes[random(random(2) === 0 ? 13 : bytes.length)] = random(256)
  return random(8) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes
}
