import { type ElfFile, type ElfInput, type ElfSymbolTable, readElf } from '../elf/index.ts'
import { fromElf, type KmodError, type KmodResult } from './error.ts'
import { type ExportedSymbol, readExports, viewOf } from './exports.ts'

/** A symbol that a module takes from the kernel or another module. */
export interface ImportedSymbol {
  readonly name: string
  /** Weak: the module loads without it, and finds a null address. */
  readonly weak: boolean
  /** The checksum of the symbol that it was built against (`__versions`); only with CONFIG_MODVERSIONS. */
  readonly crc?: number
}

export interface KmodSymbols {
  /** In the order of the symbol table. */
  readonly imports: readonly ImportedSymbol[]
  readonly exports: readonly ExportedSymbol[]
  /**
   * All of `__versions`, name to checksum: those of the imports, and `module_layout`, which stands for the layout of
   * the kernel's own structures. Empty without CONFIG_MODVERSIONS.
   */
  readonly versions: ReadonlyMap<string, number>
  /** Has `init_module`. */
  readonly hasInit: boolean
  /** Has `cleanup_module`. A module with the former and without the latter can never be unloaded. */
  readonly hasExit: boolean
}

/** Reads what a module exports and imports. Never throws. The bytes are those of the plain ELF file. */
export function readKmodSymbols(source: Uint8Array | ElfInput): KmodResult<KmodSymbols> {
  const elf = readElf(source)
  return elf.ok ? symbolsOfElf(elf.value) : fromElf(elf.error)
}

const noneNamed: KmodSymbols = {
  imports: [],
  exports: [],
  versions: new Map(),
  hasInit: false,
  hasExit: false,
}

export function symbolsOfElf(elf: ElfFile): KmodResult<KmodSymbols> {
  const table = elf.symbolTable()
  if (!table.ok) return fromElf(table.error)
  const versions = readVersions(elf)
  if (!versions.ok) return versions
  if (table.value === undefined) return { ok: true, value: { ...noneNamed, versions: versions.value } }
  const exported = readExports(elf, table.value)
  if (!exported.ok) return exported
  const names = readImportNames(elf, table.value)
  if (!names.ok) return names
  const imports = names.value.map(({ name, weak }): ImportedSymbol => {
    const crc = versions.value.get(name)
    return crc === undefined ? { name, weak } : { name, weak, crc }
  })
  const functions = findFunctions(table.value)
  return { ok: true, value: { imports, exports: exported.value, versions: versions.value, ...functions } }
}

const weakBinding = 2
const localBinding = 0

export function readImportNames(
  elf: ElfFile,
  symbols: ElfSymbolTable,
): KmodResult<readonly Omit<ImportedSymbol, 'crc'>[]> {
  const imports: Omit<ImportedSymbol, 'crc'>[] = []
  for (const index of symbols.undefinedIndices()) {
    const name = symbols.name(index)
    if (name === undefined) {
      const message = `symbol ${index} has no readable name`
      return { ok: false, error: { type: 'malformed', section: '.symtab', offsetBytes: 0, message } }
    }
    if (name === '' || isToolchainSymbol(elf.machine, name)) continue
    imports.push({ name, weak: symbols.binding(index) === weakBinding })
  }
  return { ok: true, value: imports }
}

function findFunctions(symbols: ElfSymbolTable): Pick<KmodSymbols, 'hasInit' | 'hasExit'> {
  let hasInit = false
  let hasExit = false
  for (let index = 1; index < symbols.count; index++) {
    if (symbols.section(index) === 0 || symbols.binding(index) === localBinding) continue
    const name = symbols.name(index)
    if (name === 'init_module') hasInit = true
    else if (name === 'cleanup_module') hasExit = true
  }
  return { hasInit, hasExit }
}

/** Undefined symbols that no kernel exports: the module loader itself supplies them (scripts/mod/modpost.c, `ignore_undef_symbol`). */
function isToolchainSymbol(machine: number, name: string): boolean {
  if (name === '__this_module' || name === '_GLOBAL_OFFSET_TABLE_') return true
  switch (machine) {
    case 20:
      return /^_(rest|save)(gpr|32gpr|vr)_/.test(name)
    case 21:
      return name === '.TOC.' || /^_(rest|save)(gpr0|gpr1|vr)_/.test(name)
    case 22:
      return name.startsWith('__s390_indirect_jump_r')
    default:
      return false
  }
}

/**
 * `__versions` (include/linux/module.h, `struct modversion_info`): 64 bytes each, a checksum as wide as a word, then a
 * NUL-padded name. Kernels since 6.14 can have longer names, in two sections of their own (`__version_ext_crcs`,
 * 32 bits each; `__version_ext_names`, the names one after the other).
 */
function readVersions(elf: ElfFile): KmodResult<ReadonlyMap<string, number>> {
  const versions = new Map<string, number>()
  const classic = elf.sectionData('__versions')
  if (!classic.ok) return fromElf(classic.error)
  if (classic.value !== undefined) {
    const fields = viewOf(elf, classic.value)
    const text = Buffer.from(classic.value.buffer, classic.value.byteOffset, classic.value.byteLength)
    if (fields.sizeBytes % 64 !== 0) {
      return badVersions('__versions', `__versions has ${fields.sizeBytes} bytes, no multiple of 64`)
    }
    const word = elf.class / 8
    // The checksum is the low half of a word, which a big-endian file has last.
    const crcAt = elf.byteOrder === 'big' ? word - 4 : 0
    for (let at = 0; at < fields.sizeBytes; at += 64) {
      const end = text.indexOf(0, at + word)
      const stop = end === -1 ? at + 64 : Math.min(end, at + 64)
      versions.set(text.toString('utf8', at + word, stop), fields.u32(at + crcAt))
    }
  }
  const crcs = elf.sectionData('__version_ext_crcs')
  const names = elf.sectionData('__version_ext_names')
  if (!crcs.ok) return fromElf(crcs.error)
  if (!names.ok) return fromElf(names.error)
  if (crcs.value === undefined || names.value === undefined) return { ok: true, value: versions }
  const fields = viewOf(elf, crcs.value)
  const list = Buffer.from(names.value).toString('utf8').split('\0')
  const count = Math.floor(fields.sizeBytes / 4)
  if (list.length < count) {
    return badVersions('__version_ext_names', `${list.length} names for ${count} checksums`)
  }
  for (let index = 0; index < count; index++) versions.set(list[index] ?? '', fields.u32(4 * index))
  return { ok: true, value: versions }
}

function badVersions(section: string, message: string): { ok: false; error: KmodError } {
  return { ok: false, error: { type: 'malformed', section, offsetBytes: 0, message } }
}
