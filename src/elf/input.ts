import { type ElfResult, truncated } from './error.ts'

/**
 * Where an ELF file is read from. An interface, so that a reader which wants a few tables out of a large file
 * need not have the rest of it in memory.
 */
export interface ElfInput {
  readonly sizeBytes: number
  /**
   * `sizeBytes` bytes from `offsetBytes` on. Never called with a range that leaves the input. What it returns
   * is kept and must not change; fewer bytes mean that the file became shorter meanwhile. It may throw (an
   * unreadable disk): the exception passes through the reader.
   */
  read(offsetBytes: number, sizeBytes: number): Uint8Array
}

export function inputOfBytes(bytes: Uint8Array): ElfInput {
  return {
    sizeBytes: bytes.byteLength,
    read: (offsetBytes, sizeBytes) => bytes.subarray(offsetBytes, offsetBytes + sizeBytes),
  }
}

/** The bytes of a range that the file itself named; `what` names it in the error. */
export function readRange(
  input: ElfInput,
  offsetBytes: number,
  sizeBytes: number,
  what: string,
): ElfResult<Uint8Array> {
  // Both are at least 0, since they come from unsigned fields. One above 2^53 has lost its low bits and is
  // past the end of any file all the same.
  const endBytes = offsetBytes + sizeBytes
  if (endBytes > input.sizeBytes) {
    return truncated(
      offsetBytes,
      `${what} (${sizeBytes} bytes at offset ${offsetBytes}) reaches past the end of the file (${input.sizeBytes} bytes)`,
    )
  }
  const bytes = input.read(offsetBytes, sizeBytes)
  if (bytes.byteLength < sizeBytes) {
    return truncated(offsetBytes + bytes.byteLength, `the file ended while ${what} was read`)
  }
  return { ok: true, value: bytes }
}

/** The unsigned fields of a table, in the byte order and width of its file. Offsets must lie in the table. */
export interface Fields {
  readonly sizeBytes: number
  /** The same bytes for loops that must be fast. */
  readonly view: DataView
  readonly littleEndian: boolean
  u8(offsetBytes: number): number
  u16(offsetBytes: number): number
  u32(offsetBytes: number): number
  /** Elf64_Xword, Elf64_Off: exact below 2^53; above, good for nothing but being too large. */
  u64(offsetBytes: number): number
  /** Elf64_Addr: any value. */
  bigU64(offsetBytes: number): bigint
}

export function fieldsOf(bytes: Uint8Array, littleEndian: boolean): Fields {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const u32 = (offset: number): number => view.getUint32(offset, littleEndian)
  return {
    sizeBytes: bytes.byteLength,
    view,
    littleEndian,
    u8: (offset) => view.getUint8(offset),
    u16: (offset) => view.getUint16(offset, littleEndian),
    u32,
    u64: (offset) =>
      littleEndian
        ? u32(offset + 4) * 0x1_0000_0000 + u32(offset)
        : u32(offset) * 0x1_0000_0000 + u32(offset + 4),
    // In object files nearly all of these are 0, and making a bigint out of 64 bits is slow.
    bigU64: (offset) =>
      view.getInt32(offset) === 0 && view.getInt32(offset + 4) === 0
        ? 0n
        : view.getBigUint64(offset, littleEndian),
  }
}
