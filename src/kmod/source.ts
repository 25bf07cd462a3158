import type { ElfInput } from '../elf/index.ts'
import { type AliasIndex, indexAliases } from './alias.ts'
import { parseBuiltin, parseBuiltinModinfo } from './builtin.ts'
import { decompressKmod, messageOf } from './decompress.ts'
import type { KmodError, KmodResult } from './error.ts'
import { type Kmod, readKmod } from './kmod.ts'
import { isKmodPath, kmodCompression, kmodName } from './name.ts'

/** The modules of one kernel, each read when it is asked for and once. */
export interface KmodSource {
  /** Name of every module -> path of its file, relative to `lib/modules/VERSION`. */
  readonly names: ReadonlyMap<string, string>
  /** Names of the modules that are part of the kernel itself. */
  readonly builtin: ReadonlySet<string>
  load(name: string): Promise<KmodResult<Kmod>>
  /** Who answers to an alias. The first call reads every module. */
  resolveAlias(alias: string): Promise<KmodResult<AliasMatches>>
}

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
}

export function createKmodSource(options: KmodSourceOptions): KmodSource {
  const names = nameModules(options.paths)
  const builtin = parseBuiltin(options.builtin ?? '')
  const loaded = new Map<string, Promise<KmodResult<Kmod>>>()
  const load = (asked: string): Promise<KmodResult<Kmod>> => {
    const name = kmodName(asked)
    const known = loaded.get(name)
    if (known !== undefined) return known
    const path = names.get(name)
    const kmod =
      path === undefined
        ? Promise.resolve(unreadable(`there is no module ${name}`))
        : readModule(path, options.read)
    loaded.set(name, kmod)
    return kmod
  }

  let index: Promise<KmodResult<{ modules: AliasIndex; builtin: AliasIndex }>> | undefined
  const readIndex = async (): Promise<KmodResult<{ modules: AliasIndex; builtin: AliasIndex }>> => {
    const entries: (readonly [string, string])[] = []
    const { readAll } = options
    if (readAll !== undefined) {
      const unread = [...names].filter(([name]) => !loaded.has(name)).map(([, path]) => path)
      await readAll(unread, (path, content) => {
        const kmod = content.ok ? readKmod(content.value) : content
        loaded.set(kmodName(path), Promise.resolve(kmod.ok ? kmod : withPath(kmod.error, path)))
      })
    }
    for (const name of names.keys()) {
      const kmod = await load(name)
      if (!kmod.ok) return kmod
      for (const alias of kmod.value.aliases) entries.push([alias, name])
    }
    const inKernel = parseBuiltinModinfo(options.builtinModinfo ?? new Uint8Array())
    const builtinEntries = [...inKernel].flatMap(([name, { aliases }]) =>
      aliases.map((alias) => [alias, name] as const),
    )
    return { ok: true, value: { modules: indexAliases(entries), builtin: indexAliases(builtinEntries) } }
  }

  return {
    names,
    builtin,
    load,
    async resolveAlias(alias) {
      index ??= readIndex()
      const known = await index
      if (!known.ok) return known
      const { modules, builtin: inKernel } = known.value
      return { ok: true, value: { modules: modules.match(alias), builtin: inKernel.match(alias) } }
    },
  }
}

/**
 * What is behind a name, a path or an alias, in the order in which libkmod looks (`kmod_module_new_from_lookup`): a
 * module of that name, else modules with such an alias, else built-in ones with such an alias, else a built-in of that
 * name. The order matters: `crc32` is built in, and it is an alias of the module crc32_generic, which those who
 * write `softdep pre: crc32` want. Empty when there is nothing.
 */
export async function lookUp(source: KmodSource, wanted: string): Promise<KmodResult<readonly string[]>> {
  const name = kmodName(wanted)
  if (source.names.has(name)) return { ok: true, value: [name] }
  const found = await source.resolveAlias(wanted)
  if (!found.ok) return found
  if (found.value.modules.length > 0) return { ok: true, value: found.value.modules }
  if (found.value.builtin.length > 0) return { ok: true, value: found.value.builtin }
  return { ok: true, value: source.builtin.has(name) ? [name] : [] }
}

/**
 * One path for each name. Of two files with one name, that under `updates/` counts, where replacements of a
 * kernel's own modules are installed (depmod.d(5), `search`); otherwise the first in the order of their paths.
 */
function nameModules(paths: Iterable<string>): ReadonlyMap<string, string> {
  const rank = (path: string): number => (path.startsWith('updates/') ? 0 : 1)
  const sorted = [...paths]
    .filter(isKmodPath)
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0))
  const names = new Map<string, string>()
  for (const path of sorted) {
    const name = kmodName(path)
    if (!names.has(name)) names.set(name, path)
  }
  return names
}

async function readModule(path: string, read: KmodSourceOptions['read']): Promise<KmodResult<Kmod>> {
  let content: Uint8Array | ElfInput
  try {
    content = await read(path)
  } catch (error) {
    return unreadable(`${path}: ${messageOf(error)}`)
  }
  const plain = await unpack(path, content)
  const kmod = plain.ok ? readKmod(plain.value) : plain
  return kmod.ok ? kmod : withPath(kmod.error, path)
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

function withPath(error: KmodError, path: string): { ok: false; error: KmodError } {
  return { ok: false, error: { ...error, message: `${path}: ${error.message}` } }
}
