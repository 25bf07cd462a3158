import { type ElfResult, malformed } from './error.ts'
import type { ElfHeader } from './header.ts'
import { type ElfInput, fieldsOf, readRange } from './input.ts'
import { type ElfSection, readSectionData, type SectionTable, sectionType } from './sections.ts'
import { stringTableOf } from './strings.ts'

/**
 * A symbol table (gABI 4.3, "Symbol Table") as a view: a field is decoded when it is asked for, so that a caller
 * who wants the few undefined symbols of a large table pays for those. Indices run from 0 (always the undefined
 * symbol) to `count - 1`; others are the caller's error.
 */
export interface ElfSymbolTable {
  readonly count: number
  /** Indices of all symbols that are defined elsewhere and not local, in order, without the null symbol. */
  undefinedIndices(): readonly number[]
  /** `undefined` when the string table has no such string. The name of an unnamed symbol is ''. */
  name(index: number): string | undefined
  /** The string table itself, for who compares names without making strings of them. */
  readonly nameBytes: Uint8Array
  /** Where in `nameBytes` a name begins, if it lies there at all. */
  nameOffset(index: number): number
  /** `st_value`: in an object file the offset into the section, else an address. */
  value(index: number): bigint
  sizeBytes(index: number): bigint
  /** STB_*: 0 local, 1 global, 2 weak. */
  binding(index: number): number
  /** STT_*: 0 none, 1 object, 2 function, 3 section, 4 file. */
  type(index: number): number
  /**
   * Index of the section in which the symbol is defined; 0 (SHN_UNDEF) when it is defined elsewhere. The
   * reserved values (SHN_LORESERVE to SHN_HIRESERVE) are moved below zero, see {@link reservedSection}, because
   * a file with extended indices may have a section 0xfff1.
   */
  section(index: number): number
}

export const reservedSection = {
  /** SHN_ABS: the value is no address. */
  absolute: 0xfff1 - 0x1_0000,
  /** SHN_COMMON: not allocated yet. */
  common: 0xfff2 - 0x1_0000,
} as const

/** One symbol, decoded whole. */
export interface ElfSymbol {
  readonly name: string
  readonly value: bigint
  readonly sizeBytes: bigint
  readonly binding: number
  readonly type: number
  readonly section: number
}

const extendedIndex = 0xffff
const firstReservedIndex = 0xff00

export function readSymbolTable(
  input: ElfInput,
  header: ElfHeader,
  sections: SectionTable,
  section: ElfSection,
): ElfResult<ElfSymbolTable> {
  const wide = header.class === 64
  const little = header.byteOrder === 'little'
  const size = wide ? 24 : 16
  if (section.entryBytes !== size) {
    return malformed(
      section.offsetBytes,
      `entries of ${section.name} are said to have ${section.entryBytes} bytes, not ${size}`,
    )
  }
  const stringSection = section.link < sections.count ? sections.at(section.link) : undefined
  if (stringSection === undefined || !stringSection.ok || stringSection.value.type !== sectionType.strings) {
    return malformed(section.offsetBytes, `${section.name} names section ${section.link} as its strings`)
  }
  const bytes = readSectionData(input, section)
  if (!bytes.ok) return bytes
  const stringBytes = readSectionData(input, stringSection.value)
  if (!stringBytes.ok) return stringBytes
  const fields = fieldsOf(bytes.value, little)
  const strings = stringTableOf(stringBytes.value)
  const count = Math.floor(fields.sizeBytes / size)

  // SHT_SYMTAB_SHNDX: one 32-bit section index for each symbol, used where st_shndx is SHN_XINDEX.
  const extensionIndex = sections.indexOfType(sectionType.extendedIndices)
  let extended: ReturnType<typeof fieldsOf> | undefined
  if (extensionIndex !== -1) {
    const extension = sections.at(extensionIndex)
    if (!extension.ok) return extension
    // There is one for each symbol table; only `.symtab` of an object file is so large that it needs one.
    if (extension.value.link === section.index) {
      const indices = readRange(input, extension.value.offsetBytes, count * 4, `section ${extensionIndex}`)
      if (!indices.ok) return indices
      extended = fieldsOf(indices.value, little)
    }
  }

  const infoAt = wide ? 4 : 12
  const sectionAt = wide ? 6 : 14
  return {
    ok: true,
    value: {
      count,
      undefinedIndices() {
        const found: number[] = []
        for (let index = 1, at = size; index < count; index++, at += size) {
          // Byte order does not matter for a zero.
          if (fields.view.getUint16(at + sectionAt) !== 0) continue
          if (fields.view.getUint8(at + infoAt) >> 4 !== 0) found.push(index)
        }
        return found
      },
      name: (index) => strings.at(fields.u32(index * size)),
      nameBytes: stringBytes.value,
      nameOffset: (index) => fields.u32(index * size),
      value: (index) => (wide ? fields.bigU64(index * size + 8) : BigInt(fields.u32(index * size + 4))),
      sizeBytes: (index) => (wide ? fields.bigU64(index * size + 16) : BigInt(fields.u32(index * size + 8))),
      binding: (index) => fields.u8(index * size + infoAt) >> 4,
      type: (index) => fields.u8(index * size + infoAt) & 15,
      section: (index) => {
        const value = fields.u16(index * size + sectionAt)
        if (value < firstReservedIndex) return value
        return value === extendedIndex && extended !== undefined ? extended.u32(index * 4) : value - 0x1_0000
      },
    },
  }
}

export function decodeSymbols(table: ElfSymbolTable, section: ElfSection): ElfResult<readonly ElfSymbol[]> {
  const symbols: ElfSymbol[] = []
  for (let index = 0; index < table.count; index++) {
    const name = table.name(index)
    if (name === undefined) {
      return malformed(section.offsetBytes, `symbol ${index} of ${section.name} has no readable name`)
    }
    symbols.push({
      name,
      value: table.value(index),
      sizeBytes: table.sizeBytes(index),
      binding: table.binding(index),
      type: table.type(index),
      section: table.section(index),
    })
  }
  return { ok: true, value: symbols }
}
