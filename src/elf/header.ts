import { type ElfResult, malformed } from './error.ts'
import { type ElfInput, type Fields, fieldsOf, readRange } from './input.ts'

/** The ELF header (gABI 4.1, "ELF Header"), without what is only needed to find the tables. */
export interface ElfHeader {
  /** Word size: ELFCLASS32 or ELFCLASS64. */
  readonly class: 32 | 64
  readonly byteOrder: 'little' | 'big'
  /** EI_OSABI: 0 System V, 3 GNU/Linux. */
  readonly osAbi: number
  /** `e_type`; {@link elfTypeName} names it. */
  readonly type: number
  /** `e_machine`; {@link elfMachineName} names it. */
  readonly machine: number
  /** `e_entry`: address of the first instruction, 0 if there is none. */
  readonly entryPoint: bigint
  /** `e_flags`: processor-specific; on ARM and MIPS it holds the ABI. */
  readonly flags: number
}

/** Where the tables are, as the header says: not yet checked against the size of the file. */
export interface TableFields {
  readonly segmentOffsetBytes: number
  readonly segmentEntryBytes: number
  readonly segmentCount: number
  readonly sectionOffsetBytes: number
  readonly sectionEntryBytes: number
  readonly sectionCount: number
  readonly sectionNamesIndex: number
}

const headerSizeBytes = { 32: 52, 64: 64 } as const

export interface ParsedHeader {
  readonly header: ElfHeader
  readonly tables: TableFields
}

export function readHeader(input: ElfInput): ElfResult<ParsedHeader> {
  const start = input.read(0, Math.min(input.sizeBytes, headerSizeBytes[64]))
  if (start[0] !== 0x7f || start[1] !== 0x45 || start[2] !== 0x4c || start[3] !== 0x46) {
    return { ok: false, error: { type: 'not-elf', offsetBytes: 0, message: 'not an ELF file' } }
  }
  const unsupported = (offsetBytes: number, what: string): ElfResult<never> => ({
    ok: false,
    error: { type: 'unsupported', offsetBytes, message: `${what} ${start[offsetBytes] ?? '(missing)'}` },
  })
  const bits = start[4] === 1 ? 32 : start[4] === 2 ? 64 : undefined
  if (bits === undefined) return unsupported(4, 'unknown ELF class')
  const byteOrder = start[5] === 1 ? 'little' : start[5] === 2 ? 'big' : undefined
  if (byteOrder === undefined) return unsupported(5, 'unknown ELF data encoding')
  if (start[6] !== 1) return unsupported(6, 'unknown ELF version')

  const whole = readRange(input, 0, headerSizeBytes[bits], 'the ELF header')
  if (!whole.ok) return whole
  const fields = fieldsOf(whole.value, byteOrder === 'little')
  return {
    ok: true,
    value: {
      header: {
        class: bits,
        byteOrder,
        osAbi: fields.u8(7),
        type: fields.u16(16),
        machine: fields.u16(18),
        entryPoint: bits === 64 ? fields.bigU64(24) : BigInt(fields.u32(24)),
        flags: fields.u32(bits === 64 ? 48 : 36),
      },
      tables: bits === 64 ? tables64(fields) : tables32(fields),
    },
  }
}

function tables64(fields: Fields): TableFields {
  return {
    segmentOffsetBytes: fields.u64(32),
    sectionOffsetBytes: fields.u64(40),
    segmentEntryBytes: fields.u16(54),
    segmentCount: fields.u16(56),
    sectionEntryBytes: fields.u16(58),
    sectionCount: fields.u16(60),
    sectionNamesIndex: fields.u16(62),
  }
}

function tables32(fields: Fields): TableFields {
  return {
    segmentOffsetBytes: fields.u32(28),
    sectionOffsetBytes: fields.u32(32),
    segmentEntryBytes: fields.u16(42),
    segmentCount: fields.u16(44),
    sectionEntryBytes: fields.u16(46),
    sectionCount: fields.u16(48),
    sectionNamesIndex: fields.u16(50),
  }
}

/** A table of `count` entries of one size, all of it inside the file. */
export function readTable(
  input: ElfInput,
  header: ElfHeader,
  table: {
    readonly what: string
    readonly offsetBytes: number
    readonly entryBytes: number
    readonly wantedEntryBytes: number
    readonly count: number
    /** Where the entry size stands in the file, for the error. */
    readonly entryBytesAt: number
  },
): ElfResult<Fields> {
  if (table.entryBytes !== table.wantedEntryBytes) {
    return malformed(
      table.entryBytesAt,
      `entries of ${table.what} are said to have ${table.entryBytes} bytes, not ${table.wantedEntryBytes}`,
    )
  }
  const bytes = readRange(input, table.offsetBytes, table.count * table.entryBytes, table.what)
  return bytes.ok ? { ok: true, value: fieldsOf(bytes.value, header.byteOrder === 'little') } : bytes
}
