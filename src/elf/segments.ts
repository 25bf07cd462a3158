import type { ElfResult } from './error.ts'
import { type ElfHeader, readTable, type TableFields } from './header.ts'
import { type ElfInput, fieldsOf, readRange } from './input.ts'

/** One program header (gABI 5.1, "Program Header"). */
export interface ElfSegment {
  /** `p_type`, see {@link segmentType}. */
  readonly type: number
  /** `p_flags`: 1 execute, 2 write, 4 read. */
  readonly flags: number
  readonly offsetBytes: number
  readonly virtualAddress: bigint
  readonly physicalAddress: bigint
  readonly fileSizeBytes: number
  /** `p_memsz`: inexact from 2^53 on. */
  readonly memorySizeBytes: number
}

/** Values of `p_type` that are used here (gABI 5.1, figure "Segment Types"). */
export const segmentType = { load: 1, dynamic: 2, interpreter: 3 } as const

/** e_phnum when the real number does not fit: it stands in sh_info of section 0 (PN_XNUM). */
const extendedCount = 0xffff

export function readSegments(
  input: ElfInput,
  header: ElfHeader,
  tables: TableFields,
): ElfResult<readonly ElfSegment[]> {
  if (tables.segmentOffsetBytes === 0 || tables.segmentCount === 0) return { ok: true, value: [] }
  let count = tables.segmentCount
  const wide = header.class === 64
  if (count === extendedCount && tables.sectionOffsetBytes !== 0) {
    const size = wide ? 64 : 40
    const first = readRange(input, tables.sectionOffsetBytes, size, 'the first section header')
    if (!first.ok) return first
    count = fieldsOf(first.value, header.byteOrder === 'little').u32(wide ? 44 : 28)
  }
  const size = wide ? 56 : 32
  const table = readTable(input, header, {
    what: 'the program header table',
    offsetBytes: tables.segmentOffsetBytes,
    entryBytes: tables.segmentEntryBytes,
    wantedEntryBytes: size,
    entryBytesAt: wide ? 54 : 42,
    count,
  })
  if (!table.ok) return table
  const fields = table.value
  const segments: ElfSegment[] = []
  for (let at = 0; at < count * size; at += size) {
    segments.push(
      wide
        ? {
            type: fields.u32(at),
            flags: fields.u32(at + 4),
            offsetBytes: fields.u64(at + 8),
            virtualAddress: fields.bigU64(at + 16),
            physicalAddress: fields.bigU64(at + 24),
            fileSizeBytes: fields.u64(at + 32),
            memorySizeBytes: fields.u64(at + 40),
          }
        : {
            type: fields.u32(at),
            offsetBytes: fields.u32(at + 4),
            virtualAddress: BigInt(fields.u32(at + 8)),
            physicalAddress: BigInt(fields.u32(at + 12)),
            fileSizeBytes: fields.u32(at + 16),
            memorySizeBytes: fields.u32(at + 20),
            flags: fields.u32(at + 24),
          },
    )
  }
  return { ok: true, value: segments }
}
