import { type ElfDynamic, readDynamic } from './dynamic.ts'
import type { ElfResult } from './error.ts'
import { type ElfHeader, readHeader } from './header.ts'
import { type ElfInput, inputOfBytes } from './input.ts'
import {
  type ElfRelocation,
  type RelocationVisitor,
  readRelocations,
  visitRelocations,
} from './relocations.ts'
import { decodeSections, type ElfSection, openSections, readSectionData, sectionType } from './sections.ts'
import { type ElfSegment, readSegments } from './segments.ts'
import { decodeSymbols, type ElfSymbol, type ElfSymbolTable, readSymbolTable } from './symbols.ts'

/**
 * An ELF file of which the header was read. Everything else is read, checked and remembered when it is asked
 * for, so that a file with damaged section headers, which a loader never looks at, still tells what it needs
 * at run time.
 */
export interface ElfFile extends ElfHeader {
  /** In the order of the table; index 0 is the null section. Empty when the table was stripped. */
  sections(): ElfResult<readonly ElfSection[]>
  /** The first section of a name; `undefined` when there is none. Cheaper than looking through all. */
  section(name: string): ElfResult<ElfSection | undefined>
  /** In the order of the table; empty for an object file. */
  segments(): ElfResult<readonly ElfSegment[]>
  /** Bytes of a section, or of the first one of a name; `undefined` when no section has that name. */
  sectionData(section: string | ElfSection): ElfResult<Uint8Array | undefined>
  /** The first table of that kind as a view; `undefined` when there is none. */
  symbolTable(kind?: 'all' | 'dynamic'): ElfResult<ElfSymbolTable | undefined>
  /** The same decoded whole; empty when there is none. */
  symbols(kind?: 'all' | 'dynamic'): ElfResult<readonly ElfSymbol[]>
  /** Entries of a REL or RELA section; any other section is an error. */
  relocations(section: ElfSection): ElfResult<readonly ElfRelocation[]>
  /** The same, one after the other. */
  visitRelocations(section: ElfSection, visit: RelocationVisitor): ElfResult<undefined>
  /** What the dynamic loader is told; `undefined` for what needs none. */
  dynamic(): ElfResult<ElfDynamic | undefined>
}

/**
 * Reads an ELF file, 32 or 64 bit, either byte order. Never throws, whatever the bytes; memory stays in
 * proportion to the size of the input. The bytes are referred to, not copied, and must not change.
 */
export function readElf(source: Uint8Array | ElfInput): ElfResult<ElfFile> {
  const input = source instanceof Uint8Array ? inputOfBytes(source) : source
  const parsed = readHeader(input)
  if (!parsed.ok) return parsed
  const { header, tables } = parsed.value

  const table = once(() => openSections(input, header, tables))
  const sections = once((): ElfResult<readonly ElfSection[]> => {
    const opened = table()
    return opened.ok ? decodeSections(opened.value) : opened
  })
  const section = (name: string): ElfResult<ElfSection | undefined> => {
    const opened = table()
    if (!opened.ok) return opened
    const index = opened.value.indexOfName(name)
    return index === -1 ? { ok: true, value: undefined } : opened.value.at(index)
  }
  const segments = once(() => readSegments(input, header, tables))
  const dynamic = once((): ElfResult<ElfDynamic | undefined> => {
    const found = segments()
    return found.ok ? readDynamic(input, header, found.value) : found
  })
  const symbolSection = (kind: 'all' | 'dynamic'): ElfResult<ElfSection | undefined> => {
    const opened = table()
    if (!opened.ok) return opened
    const wanted = kind === 'all' ? sectionType.symbols : sectionType.dynamicSymbols
    const index = opened.value.indexOfType(wanted)
    return index === -1 ? { ok: true, value: undefined } : opened.value.at(index)
  }
  const symbolTableOf = (found: ElfSection): ElfResult<ElfSymbolTable> => {
    const opened = table()
    return opened.ok ? readSymbolTable(input, header, opened.value, found) : opened
  }

  return {
    ok: true,
    value: {
      ...header,
      sections,
      segments,
      section,
      sectionData(wanted) {
        if (typeof wanted !== 'string') return readSectionData(input, wanted)
        const found = section(wanted)
        if (!found.ok) return found
        return found.value === undefined
          ? { ok: true, value: undefined }
          : readSectionData(input, found.value)
      },
      symbolTable(kind = 'all') {
        const found = symbolSection(kind)
        if (!found.ok) return found
        return found.value === undefined ? { ok: true, value: undefined } : symbolTableOf(found.value)
      },
      symbols(kind = 'all') {
        const found = symbolSection(kind)
        if (!found.ok) return found
        if (found.value === undefined) return { ok: true, value: [] }
        const symbols = symbolTableOf(found.value)
        return symbols.ok ? decodeSymbols(symbols.value, found.value) : symbols
      },
      relocations: (section) => readRelocations(input, header, section),
      visitRelocations: (section, visit) => visitRelocations(input, header, section, visit),
      dynamic,
    },
  }
}

/**
 * Bytes of the first section of a name, and nothing else, for who looks through thousands of files: the same as
 * `sectionData(name)` of {@link readElf} without all that this remembers. `type` is the file's `e_type`.
 */
export function readElfSection(
  source: Uint8Array | ElfInput,
  name: string,
): ElfResult<{ readonly type: number; readonly bytes: Uint8Array | undefined }> {
  const input = source instanceof Uint8Array ? inputOfBytes(source) : source
  const parsed = readHeader(input)
  if (!parsed.ok) return parsed
  const { header, tables } = parsed.value
  const opened = openSections(input, header, tables)
  if (!opened.ok) return opened
  const index = opened.value.indexOfName(name)
  if (index === -1) return { ok: true, value: { type: header.type, bytes: undefined } }
  const section = opened.value.at(index)
  if (!section.ok) return section
  const bytes = readSectionData(input, section.value)
  return bytes.ok ? { ok: true, value: { type: header.type, bytes: bytes.value } } : bytes
}

function once<Value>(read: () => Value): () => Value {
  let known: { readonly value: Value } | undefined
  return () => {
    known ??= { value: read() }
    return known.value
  }
}
