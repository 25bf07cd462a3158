/**
 * A string table (gABI 4.1, "String Table"): NUL-terminated strings, named by the offset of their first byte.
 *
 * An offset may point into the middle of a string, so a small hostile table of n bytes can name strings of n²/2
 * bytes in all. Decoding therefore stops at {@link decodedPerTableByte} times the size of the table; a linker's
 * table, where only equal tails are shared, stays far below.
 */
export interface StringTable {
  /** The string at an offset; `undefined` if none is there, it has no end, or too much was decoded already. */
  at(offsetBytes: number): string | undefined
}

const decodedPerTableByte = 16
/** So that tiny tables, whose few strings may be shared more, are never refused. */
const decodedAnywayBytes = 65_536

export function stringTableOf(bytes: Uint8Array): StringTable {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const known = new Map<number, string>()
  let leftBytes = bytes.byteLength * decodedPerTableByte + decodedAnywayBytes
  return {
    at(offsetBytes) {
      const before = known.get(offsetBytes)
      if (before !== undefined) return before
      if (offsetBytes >= buffer.length) return undefined
      const end = buffer.indexOf(0, offsetBytes)
      if (end === -1 || end - offsetBytes > leftBytes) return undefined
      leftBytes -= end - offsetBytes
      const text = buffer.toString('utf8', offsetBytes, end)
      known.set(offsetBytes, text)
      return text
    },
  }
}
