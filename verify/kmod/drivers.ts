import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DeviceSource, deviceSources } from '../../src/hardware/index.ts'
import { openSourceTree, openSymbols, readKbuild } from '../../src/kbuild/index.ts'
import { parseConfigFile } from '../../src/kernel/index.ts'
import type { KmodSource } from '../../src/kmod/index.ts'

/** What a kernel's source has drivers for, as we read it, in the kernel of one configuration. */
export function sourcesOf(tree: string, arch: string, config: string): readonly DeviceSource[] {
  const source = openSourceTree(tree)
  const symbols = openSymbols(source, arch)
  if (!symbols.ok) throw new Error(symbols.error.message)
  const kbuild = readKbuild({ tree: source, srcarch: arch, symbol: symbols.value })
  if (!kbuild.ok) throw new Error(kbuild.error.message)
  const values = parseConfigFile(readFileSync(config, 'utf8'))
  return [
    ...deviceSources({
      kbuild: kbuild.value,
      symbol: (name) => {
        const value = values.get(name)
        return value === 'm' || value === 'y' ? value : 'n'
      },
      readFile: (path) => {
        try {
          return readFileSync(join(tree, path))
        } catch {
          return undefined
        }
      },
    }),
  ]
}

export interface ModuleTables {
  /** Modules with an alias of a device tree's, and how many of those there are. */
  readonly modules: number
  readonly compatibles: number
  readonly different: readonly string[]
}

/** The tables of each module's source files against the aliases that the build made of them. */
export async function compareModuleTables(
  modules: KmodSource,
  sources: readonly DeviceSource[],
): Promise<ModuleTables> {
  const ours = new Map<string, Set<string>>()
  for (const { names, placement } of sources) {
    const place = placement()
    if (place.type !== 'module') continue
    const known = ours.get(place.module) ?? new Set()
    for (const compatible of names.aliased) known.add(compatible)
    ours.set(place.module, known)
  }
  const different: string[] = []
  let withAliases = 0
  let compatibles = 0
  for (const name of modules.names.keys()) {
    const kmod = await modules.load(name)
    if (!kmod.ok) throw new Error(kmod.error.message)
    const theirs = new Set(kmod.value.aliases.flatMap((alias) => compatibleOfAlias(alias) ?? []))
    const mine = new Set([...(ours.get(name) ?? [])].map((text) => text.replaceAll(' ', '_')))
    if (theirs.size > 0) withAliases++
    compatibles += theirs.size
    const missing = [...theirs].filter((text) => !mine.has(text))
    const extra = [...mine].filter((text) => !theirs.has(text))
    if (missing.length + extra.length > 0) {
      different.push(
        `${name}: without ${missing.join(' ') || 'none'}, with ${extra.join(' ') || 'none'} too much`,
      )
    }
  }
  return { modules: withAliases, compatibles, different }
}

/** scripts/mod/file2alias.c, `do_of_entry_multi`: `of:N*T*Cvendor,device` and the same with `C*` after it. */
function compatibleOfAlias(alias: string): string | undefined {
  return /^of:N[^C]*?T[^C]*?C(.*?)(?:C\*)?$/.exec(alias)?.[1]
}

export interface ImageStrings {
  /**
   * `compatible` strings of drivers, early consoles and quirks that we take for built in, and those of them that are
   * not in the image.
   */
  readonly builtin: number
  readonly absent: readonly string[]
  /** Those of drivers that we take for off, known to nothing that is built in, and those of them that are in it all the same. */
  readonly off: number
  readonly present: readonly string[]
}

/** What is built in against the strings in the kernel's image: a table entry is text, and NULs up to 128 bytes. */
export function compareImage(sources: readonly DeviceSource[], image: Buffer): ImageStrings {
  const builtin = new Map<string, string>()
  const known = new Set<string>()
  const off = new Map<string, string>()
  for (const { file, names, placement } of sources) {
    const { type } = placement()
    if (type === 'off') for (const compatible of names.driven) off.set(compatible, file)
    if (type !== 'built-in') continue
    for (const compatible of [...names.driven, ...names.undriven]) builtin.set(compatible, file)
    for (const text of names.mentioned()) known.add(text)
  }
  const isIn = (text: string): boolean => image.includes(Buffer.from(`${text}\0`))
  const isEntry = (text: string): boolean => image.includes(Buffer.from(`\0${text}\0\0\0\0`))
  const really = [...off].filter(([text]) => !builtin.has(text) && !known.has(text))
  return {
    builtin: builtin.size,
    absent: [...builtin].filter(([text]) => !isIn(text)).map(([text, file]) => `${text} of ${file}`),
    off: really.length,
    present: really.filter(([text]) => isEntry(text)).map(([text, file]) => `${text} of ${file}`),
  }
}
