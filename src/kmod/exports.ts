import {
  type ElfFile,
  type ElfSection,
  type ElfSymbolTable,
  reservedSection,
  sectionType,
} from '../elf/index.ts'
import { fromElf, type KmodError, type KmodResult } from './error.ts'

/**
 * Symbols that a module gives to others (include/linux/export.h). Each has an entry in `__ksymtab` or `__ksymtab_gpl`:
 * references to the symbol itself, to its name and to the name of its namespace, both in `__ksymtab_strings`. As
 * many bytes as the architecture takes for a reference, three times; all of them are filled in by relocations, so
 * those are what is read here. The checksums of the entries stand in `__kcrctab` and `__kcrctab_gpl`, 32 bits each,
 * in the same order (scripts/module.lds.S sorts both alike).
 */
export interface ExportedSymbol {
  readonly name: string
  /** `EXPORT_SYMBOL_GPL`: only for modules with a licence compatible with the GPL. */
  readonly gplOnly: boolean
  /** Only for modules with this namespace among their `import_ns`. */
  readonly namespace?: string
  /** Checksum of the symbol's type (CONFIG_MODVERSIONS). */
  readonly crc?: number
}

/** The last three are of kernels before 5.12. */
const tableNames = ['', '_gpl', '_gpl_future', '_unused', '_unused_gpl'].map((suffix) => `__ksymtab${suffix}`)
const stringsName = '__ksymtab_strings'

/** In the order of the tables, those for everybody first if the file has them first. */
export function readExports(elf: ElfFile, symbols: ElfSymbolTable): KmodResult<readonly ExportedSymbol[]> {
  // Most modules export nothing, and this is cheaper than looking at all section names.
  if (!hasTable(elf)) return { ok: true, value: [] }
  const all = elf.sections()
  if (!all.ok) return fromElf(all.error)
  const sections = all.value
  // One table of a name, and below one list of relocations for a table: there are no more in a module, and a
  // hostile file could have them by the thousand, all of the same bytes.
  const tables = [
    ...new Map(
      sections.filter(({ name }) => tableNames.includes(name)).map((section) => [section.name, section]),
    ).values(),
  ]
  const strings = sections.find(({ name }) => name === stringsName)
  const stringBytes = strings === undefined ? undefined : elf.sectionData(strings)
  if (strings === undefined || stringBytes === undefined) {
    return malformed(stringsName, 0, `exports symbols and has no ${stringsName}`)
  }
  if (!stringBytes.ok) return fromElf(stringBytes.error)
  const text = Buffer.from(stringBytes.value ?? [])

  const exported: ExportedSymbol[] = []
  for (const table of tables) {
    const references = readReferences(elf, sections, symbols, table)
    if (!references.ok) return references
    const entries: { readonly name: string; readonly namespace?: string }[] = []
    let current: { value: Reference; readonly strings: string[] } | undefined
    const finish = (): KmodError | undefined => {
      if (current === undefined) return undefined
      const name = current.strings[0] ?? symbols.name(current.value.symbol)
      if (name === undefined || name === '') {
        return malformed(table.name, current.value.offset, 'exports a symbol without a name').error
      }
      const namespace = current.strings[1]
      entries.push(namespace === undefined || namespace === '' ? { name } : { name, namespace })
      return undefined
    }
    for (const reference of references.value) {
      if (reference.section !== strings.index) {
        // A reference to anything but a string is that to the symbol, which begins an entry.
        const failure = finish()
        if (failure !== undefined) return { ok: false, error: failure }
        current = { value: reference, strings: [] }
        continue
      }
      const end = reference.target < text.length ? text.indexOf(0, reference.target) : -1
      if (end === -1 || end - reference.target > longestNameBytes) {
        return malformed(table.name, reference.offset, 'refers to a string that is not there')
      }
      current?.strings.push(text.toString('utf8', reference.target, end))
    }
    const failure = finish()
    if (failure !== undefined) return { ok: false, error: failure }

    const crcs = readCrcs(elf, sections, symbols, table.name, entries.length)
    if (!crcs.ok) return crcs
    const gplOnly = table.name.includes('_gpl')
    for (const [index, entry] of entries.entries()) {
      const crc = crcs.value?.[index]
      exported.push({ ...entry, gplOnly, ...(crc === undefined ? {} : { crc }) })
    }
  }
  return { ok: true, value: exported }
}

function hasTable(elf: ElfFile): boolean {
  for (const name of tableNames) {
    const section = elf.section(name)
    if (!section.ok || section.value !== undefined) return true
  }
  return false
}

/** KSYM_NAME_LEN is 512 and a namespace is shorter; strings overlap, so a limit keeps hostile ones small. */
const longestNameBytes = 1024

/** A place in a table, and what is put there: an offset into a section. */
interface Reference {
  readonly offset: number
  readonly symbol: number
  readonly section: number
  readonly target: number
}

function readReferences(
  elf: ElfFile,
  sections: readonly ElfSection[],
  symbols: ElfSymbolTable,
  table: ElfSection,
): KmodResult<readonly Reference[]> {
  const references: Reference[] = []
  const content = elf.sectionData(table)
  if (!content.ok) return fromElf(content.error)
  const place = viewOf(elf, content.value ?? new Uint8Array())
  const section = sections.find(
    ({ type, info }) => info === table.index && (type === sectionType.rela || type === sectionType.rel),
  )
  if (section === undefined) return { ok: true, value: references }
  const relocations = elf.relocations(section)
  if (!relocations.ok) return fromElf(relocations.error)
  for (const { offsetBytes, symbol, addend } of relocations.value) {
    if (offsetBytes + 4 > place.sizeBytes || symbol >= symbols.count) {
      return malformed(table.name, offsetBytes, `${section.name} has a relocation that leaves ${table.name}`)
    }
    const target = Number(symbols.value(symbol)) + (addend ?? place.u32(offsetBytes))
    references.push({ offset: offsetBytes, symbol, section: symbols.section(symbol), target })
  }
  references.sort((a, b) => a.offset - b.offset)
  return { ok: true, value: references }
}

function readCrcs(
  elf: ElfFile,
  sections: readonly ElfSection[],
  symbols: ElfSymbolTable,
  tableName: string,
  count: number,
): KmodResult<readonly number[] | undefined> {
  const name = tableName.replace('__ksymtab', '__kcrctab')
  const table = sections.find((section) => section.name === name)
  if (table === undefined) return { ok: true, value: undefined }
  const content = elf.sectionData(table)
  if (!content.ok) return fromElf(content.error)
  const place = viewOf(elf, content.value ?? new Uint8Array())
  if (place.sizeBytes !== 4 * count) {
    return malformed(name, 0, `${name} has ${place.sizeBytes} bytes for ${count} symbols`)
  }
  const crcs = Array.from({ length: count }, (_, index) => place.u32(4 * index))
  // Before 5.19 the entries are relocations: to an absolute symbol whose value is the checksum.
  const references = readReferences(elf, sections, symbols, table)
  if (!references.ok) return references
  for (const { offset, section, target } of references.value) {
    if (section === reservedSection.absolute) crcs[Math.floor(offset / 4)] = target >>> 0
  }
  return { ok: true, value: crcs }
}

export function viewOf(
  elf: ElfFile,
  bytes: Uint8Array,
): { readonly sizeBytes: number; u32(offset: number): number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    sizeBytes: bytes.byteLength,
    u32: (offset) => view.getUint32(offset, elf.byteOrder === 'little'),
  }
}

function malformed(section: string, offsetBytes: number, message: string): { ok: false; error: KmodError } {
  return { ok: false, error: { type: 'malformed', section, offsetBytes, message } }
}
