import { matchesGlob } from './glob.ts'
import { parseSoftdep, type Softdep } from './modinfo.ts'
import { kmodName, normalizeAlias } from './name.ts'

/** What modprobe.d(5) files say. Names are in the kernel's form; the order is that of the files and lines. */
export interface ModprobeConfig {
  /** `alias PATTERN MODULE` */
  readonly aliases: readonly { readonly pattern: string; readonly module: string }[]
  /** `blacklist MODULE`: the module's own aliases do not load it; its name, and whoever depends on it, does. */
  readonly blacklist: ReadonlySet<string>
  /** `options MODULE …`: of a module, or of an alias by which it is asked for. */
  readonly options: readonly { readonly module: string; readonly text: string }[]
  /** `softdep MODULE …`; the module is a pattern. */
  readonly softdeps: readonly { readonly pattern: string; readonly file: string; readonly softdep: Softdep }[]
  /** `weakdep MODULE …` (kmod 33 and later): may be of use; nothing loads them. */
  readonly weakdeps: readonly { readonly pattern: string; readonly names: readonly string[] }[]
  /** `install MODULE COMMAND`: what modprobe runs instead of loading the module. `remove` likewise. Never run here. */
  readonly install: readonly { readonly pattern: string; readonly command: string }[]
  readonly remove: readonly { readonly pattern: string; readonly command: string }[]
  /** Lines that say nothing: `FILE:LINE: …`. modprobe passes over them with a complaint. */
  readonly problems: readonly string[]
}

export interface ModprobeFile {
  /** Decides the order: `10-local.conf`. */
  readonly name: string
  readonly text: string
}

export const noModprobeConfig: ModprobeConfig = parseModprobeConfig([])

/**
 * Reads files in the order of their names; of two with one name the first counts (libkmod-config.c,
 * `conf_files_insert_sorted`), as of /etc/modprobe.d and /lib/modprobe.d the former.
 */
export function parseModprobeConfig(files: readonly ModprobeFile[]): ModprobeConfig {
  const byName = new Map<string, string>()
  for (const { name, text } of files) if (!byName.has(name)) byName.set(name, text)
  const aliases: { pattern: string; module: string }[] = []
  const blacklist = new Set<string>()
  const options: { module: string; text: string }[] = []
  const softdeps: { pattern: string; file: string; softdep: Softdep }[] = []
  const weakdeps: { pattern: string; names: readonly string[] }[] = []
  const commands = { install: [] as Command[], remove: [] as Command[] }
  const problems: string[] = []
  for (const [file, text] of [...byName].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const { number, line } of wrappedLines(text)) {
      if (line.startsWith('#')) continue
      const [verb = '', first, rest] = firstWords(line)
      if (verb === '') continue
      const name = first === undefined ? undefined : normalizeAlias(first)
      const problem = (why: string): unknown => problems.push(`${file}:${number}: ${why}: ${line.trim()}`)
      if (verb === 'blacklist') {
        if (name === undefined) problem('blacklist wants a module')
        else blacklist.add(name)
      } else if (!takesMore.has(verb)) problem('not a line of modprobe.d')
      else if (name === undefined || rest === undefined) problem(`${verb} wants a module and more`)
      else if (verb === 'alias') {
        const module = normalizeAlias(firstWords(rest)[0])
        if (module === undefined) problem('a bracket that is not closed')
        else aliases.push({ pattern: name, module })
      } else if (verb === 'options') options.push({ module: name, text: rest.replaceAll('\t', ' ') })
      else if (verb === 'softdep') softdeps.push({ pattern: name, file, softdep: parseSoftdep(rest) })
      else if (verb === 'weakdep')
        weakdeps.push({ pattern: name, names: rest.split(/[\t ]+/).filter(Boolean) })
      else commands[verb === 'install' ? 'install' : 'remove'].push({ pattern: name, command: rest })
    }
  }
  return { aliases, blacklist, options, softdeps, weakdeps, ...commands, problems }
}

type Command = ModprobeConfig['install'][number]

const takesMore: ReadonlySet<string> = new Set([
  'alias',
  'options',
  'softdep',
  'weakdep',
  'install',
  'remove',
])

/** A backslash at the end of a line joins it with the next; before any other character it is dropped (`freadline_wrapped`). */
function* wrappedLines(text: string): Generator<{ readonly number: number; readonly line: string }> {
  const joined = text.replace(/\\([\s\S]?)/g, (_, next: string) => (next === '\n' ? continued : next))
  let number = 1
  for (const each of joined.split('\n')) {
    yield { number, line: each.replaceAll(continued, '') }
    number += each.split(continued).length
  }
}

/** Stands for the end of a line that goes on: no text file has it. */
const continued = '\0'

/** The first two words, and what comes after them as it is (strtok(3) with blanks and tabs, then with none). */
function firstWords(line: string): readonly [string, string | undefined, string | undefined] {
  const [, verb = '', first, rest] = /^[\t ]*([^\t ]*)(?:[\t ]+([^\t ]+)(?:[\t ](.+))?)?/.exec(line) ?? []
  return [verb, first, rest]
}

/** Where an alias of the configuration leads; empty where it has none that matches. */
export function configuredAliases(
  { aliases }: ModprobeConfig,
  wanted: string,
): readonly { readonly pattern: string; readonly module: string }[] {
  const alias = normalizeAlias(wanted)
  return alias === undefined ? [] : aliases.filter(({ pattern }) => matchesGlob(pattern, alias))
}

/** What a module is given when it is loaded, after whatever its loader adds. */
export function configuredOptions({ options }: ModprobeConfig, name: string, alias?: string): string {
  return options
    .filter(({ module }) => module === name || module === alias)
    .map(({ text }) => text)
    .join(' ')
}

/** Softdep lines for a module. */
export function configuredSoftdeps({ softdeps }: ModprobeConfig, name: string): readonly Softdep[] {
  return softdeps.flatMap(({ pattern, softdep }) => (matchesGlob(pattern, name) ? [softdep] : []))
}

/** What weakdep lines say may be of use to a module. */
export function configuredWeakdeps({ weakdeps }: ModprobeConfig, name: string): readonly string[] {
  return weakdeps.flatMap(({ pattern, names }) => (matchesGlob(pattern, name) ? names : []))
}

/** The command that modprobe would run instead of loading a module: the first that is meant for it. */
export function installCommand({ install }: ModprobeConfig, name: string): string | undefined {
  return install.find(({ pattern }) => matchesGlob(pattern, name))?.command
}

/** Whether a name is known for having a command: then it is a module to modprobe, though it has no file. */
export function hasCommand({ install, remove }: ModprobeConfig, wanted: string): boolean {
  const name = kmodName(wanted)
  return [...install, ...remove].some(({ pattern }) => pattern === name)
}
