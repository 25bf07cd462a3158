/**
 * Conditions over configuration symbols. A symbol is worth n, m or y, so a condition is a decision diagram with three
 * branches a node. Equal conditions are the same object: `===` compares them, {@link Conditions.TRUE} and
 * {@link Conditions.FALSE} included, however they came about.
 *
 * A symbol that is known to be bool never is m. Its m branch repeats the n branch, so that conditions stay canonical.
 */
import { limits, stop } from './error.ts'

/** What a symbol can be in a Makefile; a symbol that is off or unknown is n. */
export type SymbolValue = 'n' | 'm' | 'y'

export interface Condition {
  readonly id: number
  /** undefined in TRUE and FALSE */
  readonly symbol: string | undefined
  /** position of the symbol in the diagrams; TRUE and FALSE come last */
  readonly order: number
  readonly n: Condition
  readonly m: Condition
  readonly y: Condition
}

export interface Conditions {
  readonly TRUE: Condition
  readonly FALSE: Condition
  /** The symbol has that value. */
  is(symbol: string, value: SymbolValue): Condition
  and(a: Condition, b: Condition): Condition
  or(a: Condition, b: Condition): Condition
  not(a: Condition): Condition
  isBool(symbol: string): boolean
}

/** @param isBool whether a symbol can only be n or y; a symbol of which nothing is known may be m as well */
export function createConditions(isBool: (symbol: string) => boolean = () => false): Conditions {
  const constant = (id: number): Condition => {
    const made = { id, symbol: undefined, order: Number.POSITIVE_INFINITY } as {
      -readonly [K in keyof Condition]: Condition[K]
    }
    made.n = made
    made.m = made
    made.y = made
    return made
  }
  const FALSE = constant(0)
  const TRUE = constant(1)
  const nodes = new Map<string, Condition>()
  const orders = new Map<string, { readonly order: number; readonly bool: boolean }>()
  const negations = new Map<Condition, Condition>([
    [TRUE, FALSE],
    [FALSE, TRUE],
  ])

  const infoOf = (symbol: string) => {
    const known = orders.get(symbol)
    if (known !== undefined) return known
    const made = { order: orders.size, bool: isBool(symbol) }
    orders.set(symbol, made)
    return made
  }
  const node = (symbol: string, order: number, n: Condition, m: Condition, y: Condition): Condition => {
    if (n === m && m === y) return n
    const key = `${order},${n.id},${m.id},${y.id}`
    const known = nodes.get(key)
    if (known !== undefined) return known
    const made: Condition = { id: nodes.size + 2, symbol, order, n, m, y }
    if (nodes.size >= limits.conditions) stop('limit', 'the conditions in these Makefiles grow without end')
    nodes.set(key, made)
    return made
  }

  /** Conjunction and disjunction: they differ in which constant decides and which leaves the other as it is. */
  const combining = (neutral: Condition, deciding: Condition) => {
    const known = new Map<number, Condition>()
    const combine = (a: Condition, b: Condition): Condition => {
      if (a === b || b === neutral) return a
      if (a === neutral) return b
      if (a === deciding || b === deciding) return deciding
      const [first, second] = a.id < b.id ? [a, b] : [b, a]
      // ids stay below 2^22, so the pair is an exact number
      const key = first.id * 0x400000 + second.id
      const done = known.get(key)
      if (done !== undefined) return done
      const top = a.order <= b.order ? a : b
      const left = a.order === top.order ? a : undefined
      const right = b.order === top.order ? b : undefined
      const made = node(
        top.symbol as string,
        top.order,
        combine(left?.n ?? a, right?.n ?? b),
        combine(left?.m ?? a, right?.m ?? b),
        combine(left?.y ?? a, right?.y ?? b),
      )
      known.set(key, made)
      return made
    }
    return combine
  }
  const not = (a: Condition): Condition => {
    const known = negations.get(a)
    if (known !== undefined) return known
    const made = node(a.symbol as string, a.order, not(a.n), not(a.m), not(a.y))
    negations.set(a, made)
    negations.set(made, a)
    return made
  }
  return {
    TRUE,
    FALSE,
    and: combining(TRUE, FALSE),
    or: combining(FALSE, TRUE),
    not,
    is(symbol, value) {
      const { order, bool } = infoOf(symbol)
      if (bool && value === 'm') return FALSE
      const at = (branch: SymbolValue): Condition => {
        const meant = bool && branch === 'm' ? 'n' : branch
        return meant === value ? TRUE : FALSE
      }
      return node(symbol, order, at('n'), at('m'), at('y'))
    },
    isBool: (symbol) => infoOf(symbol).bool,
  }
}

/** Whether a condition holds where the symbols have these values. */
export function holds(condition: Condition, value: (symbol: string) => SymbolValue): boolean {
  let at = condition
  while (at.symbol !== undefined) at = at[value(at.symbol)]
  return at.id === 1
}

/** The symbols that a condition looks at, sorted. */
export function symbolsOf(condition: Condition): readonly string[] {
  const found = new Set<string>()
  const seen = new Set<Condition>()
  const visit = (at: Condition): void => {
    if (at.symbol === undefined || seen.has(at)) return
    seen.add(at)
    found.add(at.symbol)
    for (const next of [at.n, at.m, at.y]) visit(next)
  }
  visit(condition)
  return [...found].sort()
}
