import type { ElfInput } from '../elf/index.ts'
import { type AliasIndex, indexAliases } from './alias.ts'
import { scanAliases } from './alias-scan.ts'
import { parseBuiltin, parseBuiltinModinfo } from './builtin.ts'
import { decompressKmod, messageOf } from './decompress.ts'
import { type KmodError, type KmodResult, withPath } from './error.ts'
import { type Kmod, kmodOfModinfo, modinfoOfFile } from './kmod.ts'
import type { KmodMemory } from './memory.ts'
import { modinfoValues } from './modinfo.ts'
import {
  createModinfoPacker,
  type ModinfoPack,
  type ModinfoPacker,
  modinfoOf,
  readModinfoPack,
  writeModinfoPack,
} from './modinfo-pack.ts'
import { isKmodPath, kmodCompression, kmodName } from './name.ts'

/** The modules of one kernel, each read when it is asked for and once. */
export interface KmodSource {
  /** Name of every module -> path of its file, relative to `lib/modules/VERSION`. */
  readonly names: ReadonlyMap<string, string>
  /** Names of the modules that are part of the kernel itself. */
  readonly builtin: ReadonlySet<string>
  /** What modules that are part of the kernel itself say about themselves: aliases, parameters, firmware. */
  readonly builtinKmods: ReadonlyMap<string, Kmod>
  load(name: string): Promise<KmodResult<Kmod>>
  /** A module's file, unpacked. */
  open(name: string): Promise<KmodResult<Uint8Array | ElfInput>>
  /** Many modules' files, unpacked, in no particular order. Each may be gone when `receive` returns. */
  visit(names: readonly string[], receive: KmodReceiver): Promise<void>
  /** Who answers to an alias. The first call reads the `.modinfo` of every module. */
  resolveAlias(alias: string): Promise<KmodResult<AliasMatches>>
  /** What was found out about all of these modules before, if that is kept. */
  readonly memory: KmodMemory | undefined
}

export type KmodReceiver = (name: string, content: KmodResult<Uint8Array | ElfInput>) => void

export interface AliasMatches {
  readonly modules: readonly string[]
  readonly builtin: readonly string[]
}

export interface KmodSourceOptions {
  /** Paths relative to `lib/modules/VERSION`; what is no module by its name is passed over. */
  readonly paths: Iterable<string>
  /** Text of `modules.builtin`. */
  readonly builtin?: string
  /** Content of `modules.builtin.modinfo`: the aliases of what is built in. */
  readonly builtinModinfo?: Uint8Array
  /**
   * The file at one of `paths`, as it is: a compressed one is unpacked here. What it throws becomes an `unreadable`
   * error.
   */
  read(path: string): Promise<Uint8Array | ElfInput> | Uint8Array | ElfInput
  /** Reads many files at once, unpacked, faster than one by one; each may be gone when `receive` returns. */
  readAll?(
    paths: Iterable<string>,
    receive: (path: string, content: KmodResult<Uint8Array | ElfInput>) => void,
  ): Promise<void>
  /** Packs the `.modinfo` of many modules, given with their paths, faster than that. */
  packModinfos?(
    files: ReadonlyMap<string, string>,
    packer: ModinfoPacker,
    failed: (name: string, error: KmodError) => void,
  ): Promise<void>
  /** Keeps what was read of all modules, from one process to the next. Asked for when all are needed. */
  memory?(): KmodMemory | undefined
}

export function createKmodSource(options: KmodSourceOptions): KmodSource {
  const names = nameModules(options.paths)
  const builtin = parseBuiltin(options.builtin ?? '')
  const loaded = new Map<string, Promise<KmodResult<Kmod>>>()

  const open = async (asked: string): Promise<KmodResult<Uint8Array | ElfInput>> => {
    const path = names.get(kmodName(asked))
    if (path === undefined) return unreadable(`there is no module ${kmodName(asked)}`)
    let content: Uint8Array | ElfInput
    try {
      content = await options.read(path)
    } catch (error) {
      return unreadable(`${path}: ${messageOf(error)}`)
    }
    const plain = await unpack(path, content)
    return plain.ok ? plain : withPath(plain.error, path)
  }
  const visit = async (wanted: readonly string[], receive: KmodReceiver): Promise<void> => {
    const { readAll } = options
    if (readAll === undefined) {
      for (const name of wanted) receive(name, await open(name))
      return
    }
    const byPath = new Map(wanted.map((name) => [names.get(name) ?? '', name]))
    await readAll(byPath.keys(), (path, content) =>
      receive(byPath.get(path) ?? '', content.ok ? content : withPath(content.error, path)),
    )
  }
  const load = async (name: string): Promise<KmodResult<Kmod>> => {
    const content = await open(name)
    if (!content.ok) return content
    const modinfo = modinfoOfFile(content.value)
    if (modinfo.ok) return { ok: true, value: kmodOfModinfo(modinfo.value) }
    return withPath(modinfo.error, names.get(name) ?? name)
  }

  const memory = once(() => options.memory?.())
  const builtinKmods = once(() => parseBuiltinModinfo(options.builtinModinfo ?? new Uint8Array()))
  /** `.modinfo` of every module: 2 MB for all of a kernel's. */
  const allModinfos = once(async (): Promise<KmodResult<ModinfoPack>> => {
    const known = memory()?.load('modinfo')
    if (known !== undefined) return { ok: true, value: readModinfoPack(known) }
    const packer = createModinfoPacker()
    const errors = new Map<string, KmodError>()
    const failed = (name: string, error: KmodError) =>
      errors.set(name, { ...error, message: `${names.get(name)}: ${error.message}` })
    if (options.packModinfos !== undefined) await options.packModinfos(names, packer, failed)
    else {
      await visit([...names.keys()], (name, content) => {
        const modinfo = content.ok ? modinfoOfFile(content.value) : content
        if (modinfo.ok) packer.add(name, modinfo.value)
        else failed(name, modinfo.error)
      })
    }
    for (const name of errors.size === 0 ? [] : names.keys()) {
      const error = errors.get(name)
      if (error !== undefined) return { ok: false, error }
    }
    const pack = packer.finish()
    memory()?.save('modinfo', writeModinfoPack(pack))
    return { ok: true, value: pack }
  })
  let scans = 0
  let moduleIndex: AliasIndex | undefined
  const builtinIndex = once(
    (): AliasIndex =>
      indexAliases(
        [...builtinKmods()].flatMap(([name, { aliases }]) => aliases.map((alias) => [alias, name] as const)),
      ),
  )
  const matchModules = (all: ModinfoPack, alias: string): readonly string[] => {
    if (scans++ >= fewScans) {
      moduleIndex ??= indexModules(all)
      return moduleIndex.match(alias)
    }
    const found = scanAliases(all, alias)
    return found.size < 2 ? [...found] : [...names.keys()].filter((name) => found.has(name))
  }

  return {
    names,
    builtin,
    get builtinKmods() {
      return builtinKmods()
    },
    get memory() {
      return memory()
    },
    open,
    visit,
    load(asked) {
      const name = kmodName(asked)
      const known = loaded.get(name) ?? load(name)
      loaded.set(name, known)
      return known
    },
    async resolveAlias(alias) {
      const all = await allModinfos()
      if (!all.ok) return all
      return {
        ok: true,
        value: {
          modules: matchModules(all.value, alias),
          // Who has found a module does not ask, and reading what is built in takes as long as looking through all modules.
          get builtin() {
            return builtinIndex().match(alias)
          },
        },
      }
    },
  }
}

/** Looking through all is faster than an index that is asked no more often than this. */
const fewScans = 6

function indexModules(all: ModinfoPack): AliasIndex {
  const entries: (readonly [string, string])[] = []
  for (const [index, name] of all.names.entries()) {
    for (const alias of modinfoValues(modinfoOf(all, index), 'alias')) entries.push([alias, name])
  }
  return indexAliases(entries)
}

function once<Value>(make: () => Value): () => Value {
  let known: { readonly value: Value } | undefined
  return () => {
    known ??= { value: make() }
    return known.value
  }
}

/**
 * What is behind a name, a path or an alias, in the order in which libkmod looks (`kmod_module_new_from_lookup`): a
 * module of that name, else modules with such an alias, else a built-in of that name, else built-in ones with such an
 * alias. The order matters: `crc32` is built in, and it is an alias of the module crc32_generic, which those who
 * write `softdep pre: crc32` want. Empty when there is nothing.
 */
export async function lookUp(source: KmodSource, wanted: string): Promise<KmodResult<readonly string[]>> {
  const name = kmodName(wanted)
  if (source.names.has(name)) return { ok: true, value: [name] }
  const found = await source.resolveAlias(wanted)
  if (!found.ok) return found
  if (found.value.modules.length > 0) return { ok: true, value: found.value.modules }
  return { ok: true, value: source.builtin.has(name) ? [name] : found.value.builtin }
}

/**
 * One path for each name. Of two files with one name, that under `updates/` counts, where replacements of a
 * kernel's own modules are installed (depmod.d(5), `search`); otherwise the first in the order of their paths.
 */
function nameModules(paths: Iterable<string>): ReadonlyMap<string, string> {
  const sorted = [...paths].filter(isKmodPath).sort()
  const isUpdate = (path: string): boolean => path.startsWith('updates/')
  const names = new Map<string, string>()
  for (const path of [...sorted.filter(isUpdate), ...sorted.filter((path) => !isUpdate(path))]) {
    const name = kmodName(path)
    if (!names.has(name)) names.set(name, path)
  }
  return names
}

async function unpack(
  path: string,
  content: Uint8Array | ElfInput,
): Promise<KmodResult<Uint8Array | ElfInput>> {
  const compression = kmodCompression(path)
  if (compression === undefined) return { ok: true, value: content }
  const bytes = content instanceof Uint8Array ? content : content.read(0, content.sizeBytes)
  return decompressKmod(bytes, compression)
}

function unreadable(message: string): KmodResult<never> {
  return { ok: false, error: { type: 'unreadable', message } }
}
