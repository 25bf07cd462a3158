import { type ElfResult, malformed } from './error.ts'
import type { ElfHeader } from './header.ts'
import { type ElfInput, type Fields, fieldsOf } from './input.ts'
import { type ElfSection, readSectionData, sectionType } from './sections.ts'

/** One relocation (gABI 4.4, "Relocation"). */
export interface ElfRelocation {
  /** In an object file the offset into the section that the relocation section's `info` names. */
  readonly offsetBytes: number
  /** Index into the symbol table that the relocation section's `link` names. */
  readonly symbol: number
  /** Processor-specific. */
  readonly type: number
  /** Only of RELA entries; REL keeps it in the place to be relocated. Inexact outside of ±2^53. */
  readonly addend?: number
}

const mips = 8

export function readRelocations(
  input: ElfInput,
  header: ElfHeader,
  section: ElfSection,
): ElfResult<readonly ElfRelocation[]> {
  const wide = header.class === 64
  const hasAddend = section.type === sectionType.rela
  if (!hasAddend && section.type !== sectionType.rel) {
    return malformed(section.offsetBytes, `section ${section.index} (${section.name}) holds no relocations`)
  }
  const size = (wide ? 16 : 8) + (hasAddend ? (wide ? 8 : 4) : 0)
  if (section.entryBytes !== size) {
    return malformed(
      section.offsetBytes,
      `entries of ${section.name} are said to have ${section.entryBytes} bytes, not ${size}`,
    )
  }
  const bytes = readSectionData(input, section)
  if (!bytes.ok) return bytes
  const little = header.byteOrder === 'little'
  const fields = fieldsOf(bytes.value, little)
  // 64-bit MIPS splits r_info into a 32-bit symbol and four bytes, each in the file's order; elsewhere it is one
  // number with the symbol in the high half. Only in little-endian files does that differ.
  const symbolFirst = wide && (!little || header.machine === mips)
  const relocations: ElfRelocation[] = []
  for (let at = 0; at + size <= fields.sizeBytes; at += size) {
    if (wide) {
      const symbol = fields.u32(at + (symbolFirst ? 8 : 12))
      const type = fields.u32(at + (symbolFirst ? 12 : 8))
      const common = { offsetBytes: fields.u64(at), symbol, type }
      relocations.push(hasAddend ? { ...common, addend: signed64(fields, at + 16) } : common)
    } else {
      const info = fields.u32(at + 4)
      const common = { offsetBytes: fields.u32(at), symbol: info >>> 8, type: info & 0xff }
      relocations.push(hasAddend ? { ...common, addend: fields.u32(at + 8) | 0 } : common)
    }
  }
  return { ok: true, value: relocations }
}

function signed64({ view, littleEndian }: Fields, at: number): number {
  const high = view.getInt32(littleEndian ? at + 4 : at, littleEndian)
  return high * 0x1_0000_0000 + view.getUint32(littleEndian ? at : at + 4, littleEndian)
}
