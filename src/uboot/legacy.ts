/**
 * The legacy image ("uImage"): a header of 64 bytes with two checksums, then the data (include/image.h of U-Boot).
 * All numbers are big-endian.
 */
import { crc32 } from 'node:zlib'
import { failure, type ImageReadError, type ImageWriteError, type Result, success } from './result.ts'

/** Numbers of include/image.h; names as `mkimage` takes them. */
export const ARCHITECTURES = {
  arm: 2,
  x86: 3,
  mips: 5,
  mips64: 6,
  powerpc: 7,
  arm64: 22,
  x86_64: 24,
  riscv: 26,
} as const
export const IMAGE_TYPES = {
  standalone: 1,
  kernel: 2,
  ramdisk: 3,
  multi: 4,
  firmware: 5,
  script: 6,
  filesystem: 7,
  flat_dt: 8,
  kernel_noload: 14,
} as const
export const COMPRESSIONS = { none: 0, gzip: 1, bzip2: 2, lzma: 3, lzo: 4, lz4: 5, zstd: 6 } as const
export const OPERATING_SYSTEMS = { linux: 5, 'u-boot': 17 } as const

export type Architecture = keyof typeof ARCHITECTURES
export type ImageType = keyof typeof IMAGE_TYPES
export type Compression = keyof typeof COMPRESSIONS
export type OperatingSystem = keyof typeof OPERATING_SYSTEMS

export interface LegacyImage {
  readonly type: ImageType
  readonly architecture: Architecture
  readonly operatingSystem: OperatingSystem
  /** Of the data as it is handed in: nothing is compressed here. */
  readonly compression: Compression
  /** Where the loader puts the unpacked data, as the loader sees memory (KSEG0 on MIPS); 32 bits. */
  readonly loadAddress: number
  readonly entryPoint: number
  /** At most 32 bytes of printable ASCII. */
  readonly name: string
  /** Seconds since 1970; SOURCE_DATE_EPOCH, for images that can be reproduced. */
  readonly timeSeconds: number
  readonly data: Uint8Array
}

export const LEGACY_HEADER_BYTES = 64
export const LEGACY_NAME_BYTES = 32
const MAGIC = 0x27051956

/** Header and data. Errors: `bad-name`; `does-not-fit` for an address, time or size beyond 32 bits. */
export function writeLegacyImage(image: LegacyImage): Result<Buffer, ImageWriteError> {
  if (!/^[ -~]*$/.test(image.name) || image.name.length > LEGACY_NAME_BYTES) {
    const message = `"${image.name}" cannot be the name of an image: at most ${LEGACY_NAME_BYTES} printable characters`
    return failure({ type: 'bad-name', name: image.name, message })
  }
  const numbers = {
    'load address': image.loadAddress,
    'entry point': image.entryPoint,
    time: image.timeSeconds,
    size: image.data.length,
  }
  for (const [what, number] of Object.entries(numbers)) {
    if (!Number.isInteger(number) || number < 0 || number > 0xffffffff) {
      const message = `the ${what} of "${image.name}", ${number}, does not fit into the 32 bits of a legacy image`
      return failure({ type: 'does-not-fit', message })
    }
  }
  const header = Buffer.alloc(LEGACY_HEADER_BYTES)
  header.writeUInt32BE(MAGIC, 0)
  header.writeUInt32BE(image.timeSeconds, 8)
  header.writeUInt32BE(image.data.length, 12)
  header.writeUInt32BE(image.loadAddress, 16)
  header.writeUInt32BE(image.entryPoint, 20)
  header.writeUInt32BE(crc32(image.data), 24)
  header[28] = OPERATING_SYSTEMS[image.operatingSystem]
  header[29] = ARCHITECTURES[image.architecture]
  header[30] = IMAGE_TYPES[image.type]
  header[31] = COMPRESSIONS[image.compression]
  header.write(image.name, 32, 'latin1')
  // The checksum of the header is taken with its own field being zero.
  header.writeUInt32BE(crc32(header), 4)
  return success(Buffer.concat([header, image.data]))
}

/**
 * Reads a legacy image and checks both checksums; bytes after the data are ignored. `data` shares its memory with
 * `bytes`. Errors: `truncated`, `not-an-image`, `bad-checksum`, `unsupported` (a type, architecture, system or
 * compression with a number that is not known here).
 */
export function readLegacyImage(bytes: Uint8Array): Result<LegacyImage, ImageReadError> {
  const fail = (type: ImageReadError['type'], offsetBytes: number, what: string) => {
    const message = `at offset 0x${offsetBytes.toString(16)}: ${what}`
    return failure<ImageReadError>({ type, offsetBytes, message })
  }
  if (bytes.length < LEGACY_HEADER_BYTES)
    return fail('truncated', bytes.length, 'the file ends inside the header')
  const header = Buffer.from(bytes.subarray(0, LEGACY_HEADER_BYTES))
  if (header.readUInt32BE(0) !== MAGIC) return fail('not-an-image', 0, 'not a legacy image (no 27051956)')
  const headerChecksum = header.readUInt32BE(4)
  header.writeUInt32BE(0, 4)
  if (crc32(header) !== headerChecksum) return fail('bad-checksum', 4, 'the checksum of the header is wrong')
  const sizeBytes = header.readUInt32BE(12)
  if (sizeBytes > bytes.length - LEGACY_HEADER_BYTES) {
    return fail('truncated', 12, `the header says ${sizeBytes} bytes of data, the file has fewer`)
  }
  const data = bytes.subarray(LEGACY_HEADER_BYTES, LEGACY_HEADER_BYTES + sizeBytes)
  if (crc32(data) !== header.readUInt32BE(24))
    return fail('bad-checksum', 24, 'the checksum of the data is wrong')
  const operatingSystem = nameOf(OPERATING_SYSTEMS, header[28])
  const architecture = nameOf(ARCHITECTURES, header[29])
  const type = nameOf(IMAGE_TYPES, header[30])
  const compression = nameOf(COMPRESSIONS, header[31])
  if (operatingSystem === undefined)
    return fail('unsupported', 28, `operating system ${header[28]} is not known`)
  if (architecture === undefined) return fail('unsupported', 29, `architecture ${header[29]} is not known`)
  if (type === undefined) return fail('unsupported', 30, `image type ${header[30]} is not known`)
  if (compression === undefined) return fail('unsupported', 31, `compression ${header[31]} is not known`)
  const name = header.toString('latin1', 32).split('\0')[0] ?? ''
  return success({
    type,
    architecture,
    operatingSystem,
    compression,
    loadAddress: header.readUInt32BE(16),
    entryPoint: header.readUInt32BE(20),
    name,
    timeSeconds: header.readUInt32BE(8),
    data,
  })
}

function nameOf<T extends string>(
  numbers: Readonly<Record<T, number>>,
  number: number | undefined,
): T | undefined {
  for (const name in numbers) if (numbers[name] === number) return name
  return undefined
}

export interface ScriptImageOptions {
  readonly architecture: Architecture
  readonly name: string
  readonly timeSeconds: number
}

/**
 * A script for U-Boot's `source`: the data is a list of sizes that ends with 0 (here one), then the text. Errors as
 * `writeLegacyImage`.
 */
export function writeScriptImage(text: string, options: ScriptImageOptions): Result<Buffer, ImageWriteError> {
  const script = Buffer.from(text, 'utf8')
  const sizes = Buffer.alloc(8)
  sizes.writeUInt32BE(script.length, 0)
  return writeLegacyImage({
    type: 'script',
    architecture: options.architecture,
    operatingSystem: 'linux',
    compression: 'none',
    loadAddress: 0,
    entryPoint: 0,
    name: options.name,
    timeSeconds: options.timeSeconds,
    data: Buffer.concat([sizes, script]),
  })
}
