import { literalPrefix, matchesGlob } from './glob.ts'
import { normalizeAlias } from './name.ts'

/** Finds the modules that answer to an alias. */
export interface AliasIndex {
  /** Names of all modules one of whose patterns matches, each once, in the order in which they were added. */
  match(alias: string): readonly string[]
}

/**
 * An index over (pattern, module) pairs, as `modules.alias` holds them. A pattern is found through its literal
 * prefix: an alias has as many prefixes as characters, and few of them begin a pattern.
 */
export function indexAliases(entries: Iterable<readonly [pattern: string, name: string]>): AliasIndex {
  const byPrefix = new Map<string, { pattern: string; name: string; order: number }[]>()
  let order = 0
  let longest = 0
  for (const [written, name] of entries) {
    const pattern = normalizeAlias(written)
    if (pattern === undefined) continue
    const prefix = literalPrefix(pattern)
    longest = Math.max(longest, prefix.length)
    const entry = { pattern, name, order: order++ }
    const known = byPrefix.get(prefix)
    if (known === undefined) byPrefix.set(prefix, [entry])
    else known.push(entry)
  }
  return {
    match(written) {
      const alias = normalizeAlias(written)
      if (alias === undefined) return []
      const found: { name: string; order: number }[] = []
      for (let length = 0; length <= Math.min(alias.length, longest); length++) {
        for (const entry of byPrefix.get(alias.slice(0, length)) ?? []) {
          if (matchesGlob(entry.pattern, alias)) found.push(entry)
        }
      }
      found.sort((a, b) => a.order - b.order)
      return [...new Set(found.map(({ name }) => name))]
    },
  }
}
