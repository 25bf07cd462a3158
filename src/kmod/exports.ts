import {
  type ElfFile,
  type ElfSection,
  type ElfSymbolTable,
  reservedSection,
  sectionType,
} from '../elf/index.ts'
import { fromElf, type KmodError, type KmodResult } from './error.ts'
import { longestNameBytes, type NameTable } from './names.ts'

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
  const exported: ExportedSymbol[] = []
  const read = visitTables(elf, symbols, ({ table, sections, strings, entries }) => {
    const text = Buffer.from(strings.buffer, strings.byteOffset, strings.byteLength)
    const stringAt = (offset: number): string =>
      offset === -1 ? '' : text.toString('utf8', offset, text.indexOf(0, offset))
    const crcs = readCrcs(elf, sections, symbols, table.name, entries.length)
    if (!crcs.ok) return crcs
    const gplOnly = table.name.includes('_gpl')
    for (const [index, { nameAt, namespaceAt, symbol }] of entries.entries()) {
      const name = nameAt === -1 ? symbols.name(symbol) : stringAt(nameAt)
      if (name === undefined || name === '')
        return malformed(table.name, 0, 'exports a symbol without a name')
      const namespace = stringAt(namespaceAt)
      const crc = crcs.value?.[index]
      exported.push({
        name,
        ...(namespace === '' ? {} : { namespace }),
        gplOnly,
        ...(crc === undefined ? {} : { crc }),
      })
    }
    return { ok: true, value: undefined }
  })
  return read.ok ? { ok: true, value: exported } : read
}

/** Numbers of the names of all exported symbols, without the rest. */
export function internExports(
  elf: ElfFile,
  symbols: ElfSymbolTable,
  names: NameTable,
): KmodResult<readonly number[]> {
  const exported: number[] = []
  const read = visitTables(elf, symbols, ({ table, strings, entries }) => {
    for (const { nameAt, symbol } of entries) {
      const id =
        nameAt === -1
          ? names.intern(symbols.nameBytes, symbols.nameOffset(symbol))
          : names.intern(strings, nameAt)
      if (id === -1) return malformed(table.name, 0, 'exports a symbol without a name')
      exported.push(id)
    }
    return { ok: true, value: undefined }
  })
  return read.ok ? { ok: true, value: exported } : read
}

/** An entry of a table: offsets of its strings, -1 where it has none, and the exported symbol. */
interface TableEntry {
  nameAt: number
  namespaceAt: number
  readonly symbol: number
}

interface ExportTable {
  readonly table: ElfSection
  readonly sections: readonly ElfSection[]
  /** `__ksymtab_strings`. Every string that entries name ends in it. */
  readonly strings: Uint8Array
  readonly entries: readonly TableEntry[]
}

function visitTables(
  elf: ElfFile,
  symbols: ElfSymbolTable,
  visit: (table: ExportTable) => KmodResult<undefined>,
): KmodResult<undefined> {
  // Most modules export nothing, and this is cheaper than looking at all section names.
  if (!hasTable(elf)) return { ok: true, value: undefined }
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
  const stringSection = sections.find(({ name }) => name === stringsName)
  const stringBytes = stringSection === undefined ? undefined : elf.sectionData(stringSection)
  if (stringSection === undefined || stringBytes === undefined) {
    return malformed(stringsName, 0, `exports symbols and has no ${stringsName}`)
  }
  if (!stringBytes.ok) return fromElf(stringBytes.error)
  const strings = stringBytes.value ?? new Uint8Array()
  for (const table of tables) {
    const entries = readEntries(elf, sections, symbols, table, { index: stringSection.index, bytes: strings })
    if (!entries.ok) return entries
    const done = visit({ table, sections, strings, entries: entries.value })
    if (!done.ok) return done
  }
  return { ok: true, value: undefined }
}

function hasTable(elf: ElfFile): boolean {
  for (const name of tableNames) {
    const section = elf.section(name)
    if (!section.ok || section.value !== undefined) return true
  }
  return false
}

/** A reference to anything but a string is that to the symbol, which begins an entry. */
function readEntries(
  elf: ElfFile,
  sections: readonly ElfSection[],
  symbols: ElfSymbolTable,
  table: ElfSection,
  strings: { readonly index: number; readonly bytes: Uint8Array },
): KmodResult<readonly TableEntry[]> {
  const entries: TableEntry[] = []
  let current: TableEntry | undefined
  let bad = -1
  const read = visitReferences(elf, sections, symbols, table, (offset, symbol, section, target) => {
    if (section !== strings.index) {
      current = { nameAt: -1, namespaceAt: -1, symbol }
      entries.push(current)
      return
    }
    const end = target >= 0 && target < strings.bytes.length ? strings.bytes.indexOf(0, target) : -1
    if (end === -1 || end - target > longestNameBytes) bad = offset
    else if (current === undefined) return
    else if (current.nameAt === -1) current.nameAt = target
    else if (current.namespaceAt === -1) current.namespaceAt = target
  })
  if (!read.ok) return read
  if (bad !== -1) return malformed(table.name, bad, 'refers to a string that is not there')
  return { ok: true, value: entries }
}

/** Places in a table, in their order, and what is put there: an offset into a section. */
function visitReferences(
  elf: ElfFile,
  sections: readonly ElfSection[],
  symbols: ElfSymbolTable,
  table: ElfSection,
  visit: (offset: number, symbol: number, section: number, target: number) => void,
): KmodResult<undefined> {
  const content = elf.sectionData(table)
  if (!content.ok) return fromElf(content.error)
  const place = viewOf(elf, content.value ?? new Uint8Array())
  const section = sections.find(
    ({ type, info }) => info === table.index && (type === sectionType.rela || type === sectionType.rel),
  )
  if (section === undefined) return { ok: true, value: undefined }
  const offsets: number[] = []
  const referred: number[] = []
  const addends: number[] = []
  let sorted = true
  let bad = -1
  const relocations = elf.visitRelocations(section, (offset, symbol, _type, addend) => {
    if (offset + 4 > place.sizeBytes || symbol >= symbols.count) {
      bad = offset
      return
    }
    if (offset < (offsets[offsets.length - 1] ?? 0)) sorted = false
    offsets.push(offset)
    referred.push(symbol)
    addends.push(addend ?? place.u32(offset))
  })
  if (!relocations.ok) return fromElf(relocations.error)
  if (bad !== -1) {
    return malformed(table.name, bad, `${section.name} has a relocation that leaves ${table.name}`)
  }
  const order = offsets.keys()
  const places = sorted ? order : [...order].sort((a, b) => (offsets[a] ?? 0) - (offsets[b] ?? 0))
  for (const at of places) {
    const symbol = referred[at] ?? 0
    const value = Number(symbols.value(symbol))
    visit(offsets[at] ?? 0, symbol, symbols.section(symbol), value + (addends[at] ?? 0))
  }
  return { ok: true, value: undefined }
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
  const read = visitReferences(elf, sections, symbols, table, (offset, _symbol, section, target) => {
    if (section === reservedSection.absolute) crcs[Math.floor(offset / 4)] = target >>> 0
  })
  return read.ok ? { ok: true, value: crcs } : read
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
