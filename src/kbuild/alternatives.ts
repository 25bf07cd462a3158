/**
 * Conditions for people: a condition as a list of alternatives, each a list of demands on single symbols. The list is
 * irredundant: no alternative is covered by the others and no demand can be left out.
 */
import type { Condition, Conditions, SymbolValue } from './condition.ts'

/** One symbol has one of these values. */
export interface Demand {
  readonly symbol: string
  readonly values: readonly SymbolValue[]
}

/** All demands at once; an empty one always holds. */
export type Alternative = readonly Demand[]

/** Beyond this a list is no use to a person. */
const mostAlternatives = 64

/**
 * Whatever `condition` is, in alternatives; none means never. Alternatives with few demands come first.
 * @returns undefined where more than 64 would be needed
 */
export function alternativesOf(
  conditions: Conditions,
  condition: Condition,
): readonly Alternative[] | undefined {
  const paths: Demand[][] = []
  const walk = (at: Condition, demands: readonly Demand[]): boolean => {
    if (at === conditions.FALSE) return true
    if (at === conditions.TRUE) {
      paths.push([...demands])
      return paths.length <= mostAlternatives * 16
    }
    const { symbol } = at
    if (symbol === undefined) return true
    const branches = new Map<Condition, SymbolValue[]>()
    for (const value of conditions.isBool(symbol) ? (['y', 'n'] as const) : (['y', 'm', 'n'] as const))
      branches.set(at[value], [...(branches.get(at[value]) ?? []), value])
    return [...branches].every(([next, values]) => walk(next, [...demands, { symbol, values }]))
  }
  if (!walk(condition, [])) return undefined

  const meaning = (demands: Alternative): Condition =>
    demands.reduce((all, { symbol, values }) => {
      const any = values.reduce(
        (sum, value) => conditions.or(sum, conditions.is(symbol, value)),
        conditions.FALSE,
      )
      return conditions.and(all, any)
    }, conditions.TRUE)
  const implies = (a: Condition, b: Condition): boolean =>
    conditions.and(a, conditions.not(b)) === conditions.FALSE

  const widened = paths.map((path) => {
    let kept: Alternative = path
    for (const demand of path)
      for (const wider of widenings(conditions, demand)) {
        const trial = kept.flatMap((each) => (each.symbol === demand.symbol ? wider : [each]))
        if (!implies(meaning(trial), condition)) continue
        kept = trial
        break
      }
    return kept
  })
  const kept = new Map(widened.map((path) => [meaning(path), path]))
  for (const own of [...kept.keys()].sort(
    (a, b) => (kept.get(b)?.length ?? 0) - (kept.get(a)?.length ?? 0),
  )) {
    const others = [...kept.keys()]
      .filter((other) => other !== own)
      .reduce((sum, other) => conditions.or(sum, other), conditions.FALSE)
    if (implies(own, others)) kept.delete(own)
  }
  if (kept.size > mostAlternatives) return undefined
  return [...kept.values()]
    .map((path) => [...path].sort((a, b) => (a.symbol < b.symbol ? -1 : 1)))
    .sort((a, b) => a.length - b.length || (alternativeText(a) < alternativeText(b) ? -1 : 1))
}

/** Weaker demands in place of one, the weakest first: none at all, then one more value. */
function widenings(conditions: Conditions, { symbol, values }: Demand): readonly (readonly Demand[])[] {
  if (conditions.isBool(symbol) || values.length > 1) return [[]]
  const others = (['y', 'm', 'n'] as const).filter((value) => !values.includes(value))
  return [[], ...others.map((other) => [{ symbol, values: [...values, other] }])]
}

/** `NET_VENDOR_INTEL=y && E1000E=m` */
export function alternativeText(alternative: Alternative): string {
  if (alternative.length === 0) return 'always'
  return alternative.map(demandText).join(' && ')
}

function demandText({ symbol, values }: Demand): string {
  const [first] = values
  if (values.length === 1 && first !== undefined) return `${symbol}=${first}`
  if (!values.includes('n')) return `${symbol}=y|m`
  const missing = (['y', 'm', 'n'] as const).find((value) => !values.includes(value))
  return `${symbol}!=${missing ?? '?'}`
}
