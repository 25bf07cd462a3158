/**
 * The header of an .lzma file (LZMA SDK, doc/lzma-specification.txt): one byte of properties, the dictionary size
 * and the unpacked size, little-endian. `xz --format=lzma` does not know the size when it begins and writes "unknown"
 * (all ones) with a marker at the end; an old vendor's U-Boot refuses that.
 */
import { failure, type ImageReadError, type Result, success } from './result.ts'

const HEADER_BYTES = 13
const UNKNOWN_SIZE = 0xffff_ffff_ffff_ffffn

export interface LzmaHeader {
  readonly dictionaryBytes: number
  /** Undefined for "unknown". */
  readonly unpackedSizeBytes: bigint | undefined
}

/** Errors: `truncated`; `not-an-image` where the properties are impossible. */
export function readLzmaHeader(bytes: Uint8Array): Result<LzmaHeader, ImageReadError> {
  if (bytes.length < HEADER_BYTES) {
    const message = `at offset 0x${bytes.length.toString(16)}: the file ends inside the header`
    return failure({ type: 'truncated', offsetBytes: bytes.length, message })
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  // (pb * 5 + lp) * 9 + lc, with pb and lp up to 4 and lc up to 8
  if (view.getUint8(0) >= 9 * 5 * 5) {
    const message = 'at offset 0x0: not an .lzma stream (impossible properties)'
    return failure({ type: 'not-an-image', offsetBytes: 0, message })
  }
  const size = view.getBigUint64(5, true)
  return success({
    dictionaryBytes: view.getUint32(1, true),
    unpackedSizeBytes: size === UNKNOWN_SIZE ? undefined : size,
  })
}

/** A copy of the stream with its true size in the header. Errors as `readLzmaHeader`. */
export function withLzmaSize(stream: Uint8Array, unpackedSizeBytes: number): Result<Buffer, ImageReadError> {
  const header = readLzmaHeader(stream)
  if (!header.ok) return header
  const copy = Buffer.from(stream)
  copy.writeBigUInt64LE(BigInt(unpackedSizeBytes), 5)
  return success(copy)
}
