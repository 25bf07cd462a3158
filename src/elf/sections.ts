import { type ElfResult, malformed } from './error.ts'
import { type ElfHeader, readTable, type TableFields } from './header.ts'
import { type ElfInput, type Fields, readRange } from './input.ts'
import { stringTableOf } from './strings.ts'

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
  group: 17,
  extendedIndices: 18,
} as const

/** An index that does not fit into 16 bits stands elsewhere, and this in its place (SHN_XINDEX). */
const extendedIndex = 0xffff

/**
 * The section header table, of which an entry is decoded when it is asked for: a kernel module has forty sections, of
 * which its reader wants four.
 */
export interface SectionTable {
  readonly count: number
  /** `index` must be below `count`. */
  at(index: number): ElfResult<ElfSection>
  /** Index of the first section of a name or a type; -1 if there is none. Unreadable names match nothing. */
  indexOfName(name: string): number
  indexOfType(type: number): number
}

export function openSections(
  input: ElfInput,
  header: ElfHeader,
  tables: TableFields,
): ElfResult<SectionTable> {
  if (tables.sectionOffsetBytes === 0) return { ok: true, value: noSections }
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
    const zeroth = sectionAt(first.value, header, 0, '')
    // e_shnum 0 with a table: the number of sections is the size of section 0.
    if (count === 0) count = zeroth.sizeBytes
    if (namesIndex === extendedIndex) namesIndex = zeroth.link
  }
  const table = readTable(input, header, { ...shape, what: 'the section header table', count })
  if (!table.ok) return table
  const fields = table.value
  const nameBytes = readNames(input, header, fields, namesIndex, count)
  if (!nameBytes.ok) return nameBytes
  const names = nameBytes.value === undefined ? undefined : stringTableOf(nameBytes.value)
  return {
    ok: true,
    value: {
      count,
      at(index) {
        const name = names === undefined ? '' : names.at(fields.u32(index * size))
        if (name === undefined) {
          return malformed(
            tables.sectionOffsetBytes + index * size,
            `section ${index} has no readable name: nothing at ${fields.u32(index * size)} in the section names`,
          )
        }
        return { ok: true, value: sectionAt(fields, header, index, name) }
      },
      indexOfName: (name) =>
        nameBytes.value === undefined ? -1 : indexOfName(fields, size, count, nameBytes.value, name),
      indexOfType: (type) => {
        for (let index = 0; index < count; index++) if (fields.u32(index * size + 4) === type) return index
        return -1
      },
    },
  }
}

const noSections: SectionTable = {
  count: 0,
  at: (index) => malformed(0, `there is no section ${index}: the file has no section header table`),
  indexOfName: () => -1,
  indexOfType: () => -1,
}

export function decodeSections(table: SectionTable): ElfResult<readonly ElfSection[]> {
  const sections: ElfSection[] = []
  for (let index = 0; index < table.count; index++) {
    const section = table.at(index)
    if (!section.ok) return section
    sections.push(section.value)
  }
  return { ok: true, value: sections }
}

/** Compares bytes, since decoding the names of all sections of a module takes longer than reading them. */
function indexOfName(fields: Fields, size: number, count: number, names: Uint8Array, wanted: string): number {
  const text = encoded(wanted)
  const { view, littleEndian } = fields
  // From 1: section 0 is none, whatever its header says.
  for (let index = 1; index < count; index++) {
    const start = view.getUint32(index * size, littleEndian)
    let at = 0
    while (at < text.length && names[start + at] === text[at]) at++
    if (at === text.length && names[start + at] === 0) return index
  }
  return -1
}

/** The same few names are asked of thousands of files. */
const encodings = new Map<string, Uint8Array>()

function encoded(name: string): Uint8Array {
  const known = encodings.get(name)
  if (known !== undefined) return known
  const bytes = Buffer.from(name)
  if (encodings.size < 100) encodings.set(name, bytes)
  return bytes
}

function readNames(
  input: ElfInput,
  header: ElfHeader,
  table: Fields,
  index: number,
  count: number,
): ElfResult<Uint8Array | undefined> {
  if (index === 0) return { ok: true, value: undefined }
  const at = header.class === 64 ? 62 : 50
  if (index >= count)
    return malformed(at, `section ${index} should hold the section names; there are ${count}`)
  const section = sectionAt(table, header, index, '')
  if (section.type !== sectionType.strings) {
    return malformed(at, `section ${index} should hold the section names and is no string table`)
  }
  return readRange(input, section.offsetBytes, section.sizeBytes, 'the table of section names')
}

function sectionAt(table: Fields, header: ElfHeader, index: number, name: string): ElfSection {
  if (header.class === 64) {
    const at = index * 64
    return {
      index,
      name,
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
  const at = index * 40
  return {
    index,
    name,
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
