/** Levenshtein distance, abandoned (as `limit + 1`) once it must exceed `limit`. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    let smallest = row
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      const value = Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1)
      current.push(value)
      smallest = Math.min(smallest, value)
    }
    if (smallest > limit) return limit + 1
    previous = current
  }
  return previous[b.length] ?? limit + 1
}

/**
 * The names among `known` that a person may have meant by `wanted`: at most `count`, nearest first, and among equals
 * those first that are about as long; case is ignored. A name that contains `wanted` (or the other way round) counts as
 * near.
 */
export function nearNames(wanted: string, known: Iterable<string>, count = 3): string[] {
  const lower = wanted.toLowerCase()
  const limit = Math.max(1, Math.floor(wanted.length / 3))
  const scored: { name: string; score: number }[] = []
  for (const name of known) {
    const candidate = name.toLowerCase()
    const contained =
      lower.length >= 3 && (candidate.includes(lower) || (candidate.length >= 3 && lower.includes(candidate)))
    const score = Math.min(distance(lower, candidate, limit), contained ? limit : limit + 1)
    if (score <= limit) scored.push({ name, score })
  }
  const unlike = ({ name }: { readonly name: string }): number => Math.abs(name.length - wanted.length)
  scored.sort((a, b) => a.score - b.score || unlike(a) - unlike(b) || (a.name < b.name ? -1 : 1))
  return scored.slice(0, count).map(({ name }) => name)
}
