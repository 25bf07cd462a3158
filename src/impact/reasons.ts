/** Why an object comes out differently: which of the changed symbols, and where it meets them. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Kbuild,
  type KbuildObject,
  openSourceTree,
  openSymbols,
  placeText,
  readKbuild,
  symbolsOf,
} from '../kbuild/index.ts'
import type { BuildFolder } from './build-folder.ts'
import { type CommandFile, commandFileOf, parseCommandFile, sourceName } from './command-file.ts'
import type { SymbolChange } from './wish.ts'

export interface Reason {
  /** one of the symbols that change; undefined where it cannot be told which */
  readonly symbol: string | undefined
  /** file, or line of a Makefile, in which the object meets it */
  readonly through: string
}

export interface Reasons {
  /** of an object that is there before and after */
  ofDifference(path: string): readonly Reason[]
  /** of a module that is there before and after: those of all it is linked from */
  ofModule(path: string): readonly Reason[]
  /** of an object, or module, that is there only before or only after */
  ofPresence(path: string): readonly Reason[]
  /** of vmlinux itself: symbols that the scripts look at which link it from its objects */
  ofLink(): readonly Reason[]
  /** how many of these objects mention one of the symbols, in their sources or headers */
  looking(paths: Iterable<string>): number
}

/** @param after the folder in which the build was made again */
export function createReasons(build: BuildFolder, after: string, changes: readonly SymbolChange[]): Reasons {
  const names = new Set(changes.map(({ symbol }) => symbol))
  const read = (folder: string, path: string): CommandFile | undefined => {
    const file = join(folder, commandFileOf(path))
    return existsSync(file) ? parseCommandFile(readFileSync(file, 'latin1')) : undefined
  }
  const mentioned = (file: CommandFile | undefined): readonly Reason[] =>
    [...(file?.mentions ?? [])].flatMap(([symbol, through]) =>
      names.has(symbol) ? [{ symbol, through: sourceName(through, build.source) }] : [],
    )
  const ofDifference = (path: string): readonly Reason[] => {
    const old = read(build.folder, path)
    const now = read(after, path)
    const direct = unique([...mentioned(old), ...mentioned(now)])
    if (direct.length > 0) return direct
    const generated = (now?.files ?? []).filter(
      (file) => file.includes('generated/') && differ(join(build.folder, file), join(after, file)),
    )
    const behind = generated.flatMap((file) => {
      const through = sourceName(file, build.source)
      const makers = makersOf(file, build.srcarch)
      const symbols = makers.flatMap((maker) => ofDifference(maker)).map(({ symbol }) => symbol)
      return (symbols.length === 0 ? [undefined] : symbols).map((symbol) => ({ symbol, through }))
    })
    if (behind.length > 0) return unique(behind)
    const through = old?.command === now?.command ? 'what it is linked from' : 'its compiler flags'
    return [{ symbol: undefined, through }]
  }
  let map: Kbuild | undefined
  const places = (): Kbuild => {
    map ??= readMap(build)
    return map
  }
  return {
    ofDifference,
    ofModule(path) {
      const parts = partsOf(after, path)
      const known = parts.flatMap((part) => mentioned(read(after, part)))
      return known.length > 0 ? unique(known) : [{ symbol: undefined, through: 'what it is linked from' }]
    },
    ofPresence(path) {
      const kbuild = places()
      const object = path.replace(/\.ko$/, '.o')
      const found = objectsWith(kbuild, object)
      const reasons = found.flatMap(({ places: lines }) =>
        lines.flatMap(({ at, when, gates }) =>
          [{ at, when }, ...gates].flatMap((each) =>
            symbolsOf(each.when)
              .filter((symbol) => names.has(symbol))
              .map((symbol) => ({ symbol, through: each.at === undefined ? '' : placeText(each.at) })),
          ),
        ),
      )
      return reasons.length > 0 ? unique(reasons) : [{ symbol: undefined, through: 'the Makefiles' }]
    },
    ofLink() {
      return linkScripts.flatMap((script) => {
        const path = join(build.source, script)
        const text = existsSync(path) ? readFileSync(path, 'latin1') : ''
        const symbols = [...text.matchAll(/\bCONFIG_(\w+)/g)].map(([, symbol = '']) => symbol)
        return [...new Set(symbols)]
          .filter((symbol) => names.has(symbol))
          .map((symbol) => ({ symbol, through: script }))
      })
    },
    looking(paths) {
      let count = 0
      for (const path of paths) if (mentioned(read(build.folder, path)).length > 0) count++
      return count
    },
  }
}

/** What turns objects into vmlinux: tables of symbol names (KALLSYMS), type information (DEBUG_INFO_BTF). */
const linkScripts = ['scripts/link-vmlinux.sh', 'scripts/Makefile.vmlinux', 'scripts/Makefile.vmlinux_o']

/** Built-in objects and modules that are this object or are linked from it. */
function objectsWith({ builtin, modules }: Kbuild, path: string): readonly KbuildObject[] {
  const isIt = (object: KbuildObject): boolean =>
    object.path === path || object.parts.some((part) => part.path === path)
  return [...builtin.values(), ...modules.values()].filter(isIt).map((object) => {
    const part = object.parts.find((each) => each.path === path)
    if (part === undefined) return object
    const line = { at: part.at, when: part.when, gates: [] }
    return { ...object, places: [line, ...object.places] }
  })
}

/** The objects that a module is linked from, as kbuild lists them in its .mod file. */
function partsOf(folder: string, path: string): readonly string[] {
  const list = join(folder, path.replace(/\.ko$/, '.mod'))
  return existsSync(list)
    ? readFileSync(list, 'utf8')
        .split(/\s+/)
        .filter((part) => part.endsWith('.o'))
    : []
}

function readMap({ source, arch, srcarch }: BuildFolder): Kbuild {
  const tree = openSourceTree(source)
  const symbols = openSymbols(tree, arch)
  if (!symbols.ok) throw new Error(symbols.error.message)
  const kbuild = readKbuild({ tree, srcarch, arch, symbol: symbols.value })
  if (!kbuild.ok) throw new Error(kbuild.error.message)
  return kbuild.value
}

/** Headers that are made by compiling: asm-offsets.h from asm-offsets.s (scripts/Makefile.lib, `filechk_offsets`). */
function makersOf(header: string, srcarch: string): readonly string[] {
  const [, name] = /([\w-]+)\.h$/.exec(header) ?? []
  switch (name) {
    case 'asm-offsets':
      return [`arch/${srcarch}/kernel/asm-offsets.s`]
    case 'bounds':
      return ['kernel/bounds.s']
    case 'rq-offsets':
      return ['kernel/sched/rq-offsets.s']
    default:
      return []
  }
}

function differ(before: string, after: string): boolean {
  if (!existsSync(before) || !existsSync(after)) return existsSync(before) !== existsSync(after)
  return !readFileSync(before).equals(readFileSync(after))
}

function unique(reasons: readonly Reason[]): readonly Reason[] {
  return [...new Map(reasons.map((reason) => [`${reason.symbol} ${reason.through}`, reason])).values()]
}
