import { type ElfResult, malformed } from './error.ts'
import { type ElfHeader, readTable, type TableFields } from './header.ts'
import { type ElfInput, type Fields, readRange } from './input.ts'
import { type StringTable, stringTableOf } from './strings.ts'

/** One section header (gABI 4.2, "Section Header Table"). */
export interface ElfSection {
  /** Index in the section header table: what symbols, `link` and `info` refer to. */
  readonly index: number
  /** Empty when the file has no table of section names. */
  readonly name: string
  /** `sh_type`, see {@link sectionType}. */
  readonly type: number
  /** `sh_flags`. */
  readonly flags: bigint
  readonly address: bigint
  readonly offsetBytes: number
  /** `sh_size`. A NOBITS section has this size in memory and none in the file. Inexact from 2^53 on. */
  readonly sizeBytes: number
  /** `sh_link`: index of a section that belongs to this one, by type; a symbol table's is its string table. */
  readonly link: number
  /** `sh_info`: more, by type; a relocation section's is the section that it applies to. */
  readonly info: number
  /** `sh_entsize`: size of one entry where the section is a table. */
  readonly entryBytes: number
}

/** Values of `sh_type` that are used here (gABI 4.2, figure "Section Types"). */
export const sectionType = {
  null: 0,
  symbols: 2,
  strings: 3,
  rela: 4,
  noBits: 8,
  rel: 9,
  dynamicSymbols: 11,
  extendedIndices: 18,
} as const

/** An index that does not fit into 16 bits stands elsewhere, and this in its place (SHN_XINDEX). */
const extendedIndex = 0xffff

export function readSections(
  input: ElfInput,
  header: ElfHeader,
  tables: TableFields,
): ElfResult<readonly ElfSection[]> {
  if (tables.sectionOffsetBytes === 0) return { ok: true, value: [] }
  const size = header.class === 64 ? 64 : 40
  const shape = {
    offsetBytes: tables.sectionOffsetBytes,
    entryBytes: tables.sectionEntryBytes,
    wantedEntryBytes: size,
    entryBytesAt: header.class === 64 ? 58 : 46,
  }
  let count = tables.sectionCount
  let namesIndex = tables.sectionNamesIndex
  if (count === 0 || namesIndex === extendedIndex) {
    const first = readTable(input, header, { ...shape, what: 'the first section header', count: 1 })
    if (!first.ok) return first
    const zeroth = sectionAt(first.value, header, 0, 0)
    // e_shnum 0 with a table: the number of sections is the size of section 0.
    if (count === 0) count = zeroth.sizeBytes
    if (namesIndex === extendedIndex) namesIndex = zeroth.link
  }
  const table = readTable(input, header, { ...shape, what: 'the section header table', count })
  if (!table.ok) return table
  const names = readNames(input, header, table.value, namesIndex, count)
  if (!names.ok) return names

  const sections: ElfSection[] = []
  for (let index = 0; index < count; index++) {
    const section = sectionAt(table.value, header, index, index * size)
    if (names.value === undefined) {
      sections.push(section)
      continue
    }
    const nameOffset = table.value.u32(index * size)
    const name = names.value.at(nameOffset)
    if (name === undefined) {
      return malformed(
        tables.sectionOffsetBytes + index * size,
        `section ${index} has no readable name: nothing at ${nameOffset} in the section names`,
      )
    }
    sections.push({ ...section, name })
  }
  return { ok: true, value: sections }
}

function readNames(
  input: ElfInput,
  header: ElfHeader,
  table: Fields,
  index: number,
  count: number,
): ElfResult<StringTable | undefined> {
  if (index === 0) return { ok: true, value: undefined }
  const at = header.class === 64 ? 62 : 50
  if (index >= count)
    return malformed(at, `section ${index} should hold the section names; there are ${count}`)
  const section = sectionAt(table, header, index, index * (header.class === 64 ? 64 : 40))
  if (section.type !== sectionType.strings) {
    return malformed(at, `section ${index} should hold the section names and is no string table`)
  }
  const bytes = readRange(input, section.offsetBytes, section.sizeBytes, 'the table of section names')
  return bytes.ok ? { ok: true, value: stringTableOf(bytes.value) } : bytes
}

function sectionAt(table: Fields, header: ElfHeader, index: number, at: number): ElfSection {
  if (header.class === 64) {
    return {
      index,
      name: '',
      type: table.u32(at + 4),
      flags: table.bigU64(at + 8),
      address: table.bigU64(at + 16),
      offsetBytes: table.u64(at + 24),
      sizeBytes: table.u64(at + 32),
      link: table.u32(at + 40),
      info: table.u32(at + 44),
      entryBytes: table.u64(at + 56),
    }
  }
  return {
    index,
    name: '',
    type: table.u32(at + 4),
    flags: BigInt(table.u32(at + 8)),
    address: BigInt(table.u32(at + 12)),
    offsetBytes: table.u32(at + 16),
    sizeBytes: table.u32(at + 20),
    link: table.u32(at + 24),
    info: table.u32(at + 28),
    entryBytes: table.u32(at + 36),
  }
}

/** What a section holds in the file: nothing for NOBITS; as it stands (SHF_COMPRESSED is not undone). */
export function readSectionData(input: ElfInput, section: ElfSection): ElfResult<Uint8Array> {
  if (section.type === sectionType.noBits || section.type === sectionType.null) {
    return { ok: true, value: new Uint8Array() }
  }
  return readRange(
    input,
    section.offsetBytes,
    section.sizeBytes,
    `section ${section.index} (${section.name})`,
  )
}
