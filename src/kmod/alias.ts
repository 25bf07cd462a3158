import { literalPrefix, matchesGlob } from './glob.ts'
import { normalizeAlias } from './name.ts'

/** Finds the modules that answer to an alias. */
export interface AliasIndex {
  /** Names of all modules one of whose patterns matches, each once, in the order in which they were added. */
  match(alias: string): readonly string[]
}

interface Entry {
  readonly written: string
  readonly name: string
  readonly order: number
}

interface Prefixes {
  readonly byPrefix: ReadonlyMap<string, readonly (Entry & { readonly pattern: string })[]>
  readonly longest: number
}

/**
 * An index over (pattern, module) pairs, as `modules.alias` holds them. A pattern is found through its literal
 * prefix: an alias has as many prefixes as characters, and few of them begin a pattern. Patterns are sorted by
 * prefix when the first alias with their first character is looked up: a plan looks up two or three of the 26,000
 * aliases of a kernel.
 */
export function indexAliases(entries: Iterable<readonly [pattern: string, name: string]>): AliasIndex {
  /** By first character; under 0 those that may begin with any. */
  const groups = new Map<number, Entry[]>()
  const sorted = new Map<number, Prefixes>()
  let order = 0
  for (const [written, name] of entries) {
    const first = groupOf(written)
    const entry = { written, name, order: order++ }
    const known = groups.get(first)
    if (known === undefined) groups.set(first, [entry])
    else known.push(entry)
  }
  const prefixes = (group: number): Prefixes => {
    const known = sorted.get(group) ?? sortByPrefix(groups.get(group) ?? [])
    sorted.set(group, known)
    return known
  }
  return {
    match(written) {
      const alias = normalizeAlias(written)
      if (alias === undefined) return []
      const found: Entry[] = []
      const look = ({ byPrefix, longest }: Prefixes): void => {
        for (let length = 0; length <= Math.min(alias.length, longest); length++) {
          for (const entry of byPrefix.get(alias.slice(0, length)) ?? []) {
            if (matchesGlob(entry.pattern, alias)) found.push(entry)
          }
        }
      }
      look(prefixes(anyCharacter))
      const first = groupOf(alias)
      if (first !== anyCharacter) look(prefixes(first))
      found.sort((a, b) => a.order - b.order)
      return [...new Set(found.map(({ name }) => name))]
    },
  }
}

const anyCharacter = 0

function groupOf(pattern: string): number {
  switch (pattern[0]) {
    case undefined:
    case '*':
    case '?':
    case '[':
    case '\\':
      return anyCharacter
    case '-':
      return '_'.charCodeAt(0)
    default:
      return pattern.charCodeAt(0)
  }
}

function sortByPrefix(entries: readonly Entry[]): Prefixes {
  const byPrefix = new Map<string, (Entry & { readonly pattern: string })[]>()
  let longest = 0
  for (const entry of entries) {
    const pattern = normalizeAlias(entry.written)
    if (pattern === undefined) continue
    const prefix = literalPrefix(pattern)
    longest = Math.max(longest, prefix.length)
    const known = byPrefix.get(prefix)
    if (known === undefined) byPrefix.set(prefix, [{ ...entry, pattern }])
    else known.push({ ...entry, pattern })
  }
  return { byPrefix, longest }
}
