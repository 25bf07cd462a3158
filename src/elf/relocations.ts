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

/** Receives a relocation as its fields; `addend` is `undefined` in a REL section. */
export type RelocationVisitor = (
  offsetBytes: number,
  symbol: number,
  type: number,
  addend: number | undefined,
) => void

export function readRelocations(
  input: ElfInput,
  header: ElfHeader,
  section: ElfSection,
): ElfResult<readonly ElfRelocation[]> {
  const relocations: ElfRelocation[] = []
  const visited = visitRelocations(input, header, section, (offsetBytes, symbol, type, addend) => {
    const common = { offsetBytes, symbol, type }
    relocations.push(addend === undefined ? common : { ...common, addend })
  })
  return visited.ok ? { ok: true, value: relocations } : visited
}

/** The entries in order, for who has no use for objects: a kernel's modules have 60,000 that make up exports. */
export function visitRelocations(
  input: ElfInput,
  header: ElfHeader,
  section: ElfSection,
  visit: RelocationVisitor,
): ElfResult<undefined> {
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
  for (let at = 0; at + size <= fields.sizeBytes; at += size) {
    if (wide) {
      const symbol = fields.u32(at + (symbolFirst ? 8 : 12))
      const type = fields.u32(at + (symbolFirst ? 12 : 8))
      visit(fields.u64(at), symbol, type, hasAddend ? signed64(fields, at + 16) : undefined)
    } else {
      const info = fields.u32(at + 4)
      visit(fields.u32(at), info >>> 8, info & 0xff, hasAddend ? fields.u32(at + 8) | 0 : undefined)
    }
  }
  return { ok: true, value: undefined }
}

function signed64({ view, littleEndian }: Fields, at: number): number {
  const high = view.getInt32(littleEndian ? at + 4 : at, littleEndian)
  return high * 0x1_0000_0000 + view.getUint32(littleEndian ? at : at + 4, littleEndian)
}
