/**
 * The cheapest set of elements of which every given set has at least one: by leaving out what cannot matter (Weihe,
 * "Covering trains by stations", 1998), and branch and bound over what is left.
 */

export interface HittingSet {
  readonly elements: readonly number[]
  readonly weight: number
  /** no cheaper one exists; false when the search was cut short */
  readonly exact: boolean
}

interface Problem {
  readonly sets: readonly (readonly number[])[]
  readonly chosen: readonly number[]
}

const STEPS = 20_000

export function minimumHittingSet(
  sets: readonly (readonly number[])[],
  weightOf: (element: number) => number,
): HittingSet {
  const sum = (elements: readonly number[]): number =>
    elements.reduce((total, element) => total + weightOf(element), 0)
  let best: readonly number[] = greedy(sets, weightOf)
  let bestWeight = sum(best)
  let steps = 0

  function search(problem: Problem): void {
    if (++steps > STEPS) return
    const { sets: open, chosen } = reduce(problem, weightOf)
    const weight = sum(chosen)
    const shortest = open.reduce<readonly number[] | undefined>(
      (least, set) => (least === undefined || set.length < least.length ? set : least),
      undefined,
    )
    if (shortest === undefined) {
      if (weight < bestWeight) {
        best = chosen
        bestWeight = weight
      }
      return
    }
    if (weight + bound(open, weightOf) >= bestWeight) return
    const order = [...shortest].sort((a, b) => weightOf(a) - weightOf(b))
    const refused = new Set<number>()
    for (const element of order) {
      // One after the other: what has been tried is not in the sets that come after.
      const rest = open
        .filter((set) => !set.includes(element))
        .map((set) => set.filter((each) => !refused.has(each)))
      if (rest.every((set) => set.length > 0)) search({ sets: rest, chosen: [...chosen, element] })
      refused.add(element)
    }
  }
  search({ sets, chosen: [] })
  return { elements: best, weight: bestWeight, exact: steps <= STEPS }
}

/** Takes what is forced, and drops sets and elements that cannot make a difference, until nothing changes. */
function reduce({ sets, chosen }: Problem, weightOf: (element: number) => number): Problem {
  let open = sets
  let taken = chosen
  for (;;) {
    const forced = new Set(open.flatMap((set) => (set.length === 1 ? set : [])))
    if (forced.size > 0) {
      taken = [...taken, ...forced]
      open = open.filter((set) => !set.some((element) => forced.has(element)))
    }
    const unique = withoutSupersets(open)
    const useless = dominated(unique, weightOf)
    if (useless.size === 0) return { sets: unique, chosen: taken }
    open = unique.map((set) => set.filter((element) => !useless.has(element)))
  }
}

function withoutSupersets(sets: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const kept: Set<number>[] = []
  const result: (readonly number[])[] = []
  for (const set of [...sets].sort((a, b) => a.length - b.length)) {
    const own = new Set(set)
    if (kept.some((smaller) => [...smaller].every((element) => own.has(element)))) continue
    kept.push(own)
    result.push(set)
  }
  return result
}

/** Elements in whose place another one, no dearer, does at least as much. */
function dominated(
  sets: readonly (readonly number[])[],
  weightOf: (element: number) => number,
): ReadonlySet<number> {
  const occurrences = new Map<number, number[]>()
  sets.forEach((set, index) => {
    for (const element of set) {
      const known = occurrences.get(element)
      if (known === undefined) occurrences.set(element, [index])
      else known.push(index)
    }
  })
  const useless = new Set<number>()
  for (const [element, own] of occurrences) {
    const first = sets[own[0] ?? 0] ?? []
    for (const other of first) {
      if (other === element || useless.has(other) || weightOf(other) > weightOf(element)) continue
      const covered = new Set(occurrences.get(other))
      if (!own.every((index) => covered.has(index))) continue
      useless.add(element)
      break
    }
  }
  return useless
}

/** A weight that no solution is below: disjoint sets each cost their cheapest element. */
function bound(sets: readonly (readonly number[])[], weightOf: (element: number) => number): number {
  const used = new Set<number>()
  let total = 0
  for (const set of sets) {
    if (set.some((element) => used.has(element))) continue
    for (const element of set) used.add(element)
    total += Math.min(...set.map(weightOf))
  }
  return total
}

function greedy(sets: readonly (readonly number[])[], weightOf: (element: number) => number): number[] {
  const chosen: number[] = []
  let open = sets
  while (open.length > 0) {
    const counts = new Map<number, number>()
    for (const set of open) for (const element of set) counts.set(element, (counts.get(element) ?? 0) + 1)
    let best: number | undefined
    let value = Number.POSITIVE_INFINITY
    for (const [element, count] of counts) {
      if (weightOf(element) / count >= value) continue
      value = weightOf(element) / count
      best = element
    }
    if (best === undefined) break
    const taken = best
    chosen.push(taken)
    open = open.filter((set) => !set.includes(taken))
  }
  return chosen
}
