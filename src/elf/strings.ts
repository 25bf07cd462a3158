/**
 * A string table (gABI 4.1, "String Table"): NUL-terminated strings, named by the offset of their first byte.
 *
 * An offset may point into the middle of a string, so a small hostile table of n bytes can name strings of n²/2
 * bytes in all. Decoding therefore stops when it has given out {@link decodedPerTableByte} times the size of the table.
 * Only what is longer than {@link freeBytes} counts: as many bytes as an entry that names a string has itself are
 * in proportion anyhow, and the same short name may stand at any number of entries.
 */
export interface StringTable {
  /** The string at an offset; `undefined` if none is there, it has no end, or too much was decoded already. */
  at(offsetBytes: number): string | undefined
}

const decodedPerTableByte = 16
const freeBytes = 64

export function stringTableOf(bytes: Uint8Array): StringTable {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let leftBytes = bytes.byteLength * decodedPerTableByte
  return {
    at(offsetBytes) {
      if (offsetBytes >= buffer.length) return undefined
      const end = buffer.indexOf(0, offsetBytes)
      if (end === -1) return undefined
      const chargedBytes = end - offsetBytes - freeBytes
      if (chargedBytes > 0) {
        if (chargedBytes > leftBytes) return undefined
        leftBytes -= chargedBytes
      }
      return buffer.toString('utf8', offsetBytes, end)
    },
  }
}
