/** Names of a tree that a mistyped one may have meant. */
import type { Kconfig } from './model.ts'

/** How many letters have to be inserted, left out or replaced, up to `limit`. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1))
    }
    if (Math.min(...current) > limit) return limit + 1
    previous = current
  }
  return previous[b.length] ?? limit + 1
}

export function nearbyNames(tree: Kconfig, name: string, count = 5): readonly string[] {
  const upper = name.toUpperCase().replace(/^CONFIG_/, '')
  const limit = Math.max(2, Math.floor(upper.length / 4))
  const scored: { name: string; score: number }[] = []
  for (const [candidate, symbol] of tree.byName) {
    if (symbol.nodes.length === 0) continue
    if (candidate === upper) return [candidate]
    const contains = upper.length >= 4 && candidate.includes(upper)
    const score = contains ? 1 + (candidate.length - upper.length) / 100 : distance(upper, candidate, limit)
    if (score <= limit) scored.push({ name: candidate, score })
  }
  return scored
    .sort((a, b) => a.score - b.score || (a.name < b.name ? -1 : 1))
    .slice(0, count)
    .map((entry) => entry.name)
}
