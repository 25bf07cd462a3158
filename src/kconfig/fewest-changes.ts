/**
 * The smallest set of changes to a configuration that makes wishes come true, with proof.
 *
 * Implicit hitting sets (Davies, Bacchus, "Solving MAXSAT by solving a sequence of simpler SAT instances", CP 2011): the
 * solver is asked for a configuration in which nothing changes but a chosen few symbols. When there is none it names
 * changes of which at least one is needed, a *core*; the next few are the cheapest that meet all cores so far. The first
 * configuration found that way is the cheapest of all.
 *
 * Two refinements. Symbols on the border of the encoding are assumed to keep their values, and are expanded as soon as
 * an answer turns out to hang on that. And what is found is only believed when the evaluator comes to the same values;
 * where it does not, what differs is expanded and the search goes on.
 */
import type { Configuration } from './configuration.ts'
import { type Change, isLogical } from './encoder.ts'
import { createEncoding, type Encoding } from './encoding.ts'
import { type Bound, boundHolds, isExpr } from './facts.ts'
import { minimumHittingSet } from './hitting-set.ts'
import type { KconfigSymbol, Tristate } from './model.ts'
import { MOD, NO, YES } from './model.ts'
import { type Literal, not } from './sat.ts'
import type { Decision, Trial } from './trial.ts'

/** A value that a symbol is to have: a tristate, or the text of an int, hex or string. */
export interface ValueWish {
  readonly symbol: KconfigSymbol
  readonly value: Tristate
  readonly text: string | undefined
  /** m is wanted, and y will do where that cannot be */
  readonly orBuiltIn?: boolean
}
/** All bounds of one of the alternatives are to hold. */
export interface BoundWish {
  readonly anyOf: readonly (readonly Bound[])[]
}
export type Wish = ValueWish | BoundWish

export interface Plan {
  readonly decisions: readonly Decision[]
  readonly trial: Trial
  /** no other plan changes fewer symbols beyond those wished for */
  readonly fewest: boolean
}

export type PlanResult =
  | { readonly type: 'found'; readonly plan: Plan }
  /** `looked` are the symbols whose definitions rule it out */
  | { readonly type: 'impossible'; readonly looked: readonly KconfigSymbol[] }
  | { readonly type: 'undecided' }

export interface PlanSearch {
  /** The best plan; then, one after the other, others that do not contain an earlier one. */
  next(): PlanResult
}

export interface PlanOptions {
  readonly unmet: ReadonlySet<KconfigSymbol>
  /** how often the solver may be asked */
  readonly effort: number
}

/** What a change costs. Each kind outweighs any number of the kinds below it that can reasonably come together. */
const SECOND_BEST = 1e12
const CHANGE = 1e9
const BUILT_IN = 1e6
const FOR_WHOM = 1e4
const DISTANCE = 10
const MAX_DISTANCE = 20
const SELECT = 1
const MAX_SELECTS = 50

const CONFLICTS = 20_000
/** Cores up to this size are made as small as possible. */
const SMALL_CORE = 24
/** How often the evaluator may come to other values without a reason that the encoding knows. */
const MAX_DOUBTS = 30

/**
 * Symbols that decide for whom, or by what, is built are touched last; and of two ways to turn something on, the one
 * that drags less along comes first (and the nearer one, see `distances`).
 */
function reluctance(symbol: KconfigSymbol): number {
  const selects = symbol.properties.filter((property) => property.kind === 'select').length
  const dragged = Math.min(selects, MAX_SELECTS) * SELECT
  if (symbol.name === 'COMPILE_TEST' || symbol.name === 'BROKEN') return 2 * FOR_WHOM + dragged
  const architecture = symbol.nodes[0]?.file.startsWith('arch/') === true
  return (architecture || /^(?:CC|LD|AS|RUST)_/.test(symbol.name ?? '') ? FOR_WHOM : 0) + dragged
}

/** What has to be true in the encoding for the wish to hold. */
export function literalsOf(encoding: Encoding, wish: Wish): readonly Literal[] {
  if ('anyOf' in wish) {
    const literalOf = ({ of, level, holds }: Bound): Literal => {
      const literal = isExpr(of) ? encoding.expr(of, level) : encoding.level(of, level)
      return holds ? literal : not(literal)
    }
    const failing = wish.anyOf.map((bounds) => not(encoding.and(bounds.map(literalOf))))
    return [not(encoding.and(failing))]
  }
  const { symbol, value, text, orBuiltIn } = wish
  if (text !== undefined) return [encoding.hasText(symbol, sameText(symbol, text))]
  const some = encoding.level(symbol, 1)
  if (value === NO) return [not(some)]
  if (orBuiltIn === true) return [some]
  return value === MOD ? [some, not(encoding.level(symbol, 2))] : [encoding.level(symbol, 2)]
}

const sameText = (symbol: KconfigSymbol, wanted: string) => (text: string) =>
  symbol.type === 'hex'
    ? text.toLowerCase().replace(/^0x/, '') === wanted.toLowerCase().replace(/^0x/, '')
    : text === wanted

export function wishHolds(configuration: Configuration, wish: Wish): boolean {
  if ('anyOf' in wish)
    return wish.anyOf.some((bounds) => bounds.every((bound) => boundHolds(configuration, bound)))
  const { symbol, value, text, orBuiltIn } = wish
  if (orBuiltIn === true) return configuration.tristate(symbol) >= MOD
  return text === undefined
    ? configuration.tristate(symbol) === value
    : sameText(symbol, text)(configuration.text(symbol))
}

export function searchPlans(
  base: Configuration,
  wishes: readonly Wish[],
  tryOut: (decisions: readonly Decision[]) => Trial,
  { unmet, effort }: PlanOptions,
): PlanSearch {
  const values = wishes.filter((wish) => 'symbol' in wish)
  const requested = new Set(values.map(({ symbol }) => symbol))
  const texts = new Map<KconfigSymbol, readonly string[]>()
  for (const { symbol, text } of values) if (text !== undefined) texts.set(symbol, [text])
  const encoding = createEncoding(base, { facts: false, unmet, texts })
  const { solver } = encoding
  const goals = wishes.flatMap((wish) => literalsOf(encoding, wish))
  /** how many definitions lie between a wish and a symbol */
  const distances = new Map<KconfigSymbol, number>()
  function expand(symbol: KconfigSymbol): void {
    const known = encoding.mentioned.length
    encoding.expand(symbol)
    const distance = (distances.get(symbol) ?? 0) + 1
    for (const reached of encoding.mentioned.slice(known)) distances.set(reached, distance)
  }
  for (const { symbol } of values) expand(symbol)

  let solvesLeft = effort
  /** the evaluator disagreed, and the encoding does not know why */
  let doubts = 0

  // --- costs ------------------------------------------------------------------------------------------------------

  const weights = new Map<Literal, number>()
  let weighed = 0
  // What is to be m and may be y is y only where m cannot be.
  for (const { symbol, orBuiltIn } of values)
    if (orBuiltIn === true && symbol.type === 'tristate') weights.set(encoding.level(symbol, 2), SECOND_BEST)
  function weighNewChanges(): void {
    if (encoding.changes.size === weighed) return
    let index = 0
    for (const change of encoding.changes.values()) {
      if (index++ < weighed || requested.has(change.symbol)) continue
      const { symbol, changed } = change
      const distance = Math.min(distances.get(symbol) ?? 0, MAX_DISTANCE) * DISTANCE
      weights.set(changed, CHANGE + reluctance(symbol) + distance)
      if (symbol.type === 'tristate') weights.set(encoding.and([changed, change.atLeast(2)]), BUILT_IN)
    }
    weighed = encoding.changes.size
  }
  const weightOf = (literal: Literal): number => weights.get(literal) ?? 0

  /** Symbols without a definition keep their values. @returns for each literal the symbol it is about */
  function border(): Map<Literal, KconfigSymbol> {
    const literals = new Map<Literal, KconfigSymbol>()
    for (const symbol of encoding.mentioned) {
      if (encoding.isExpanded(symbol)) continue
      const value = base.tristate(symbol)
      const some = encoding.level(symbol, 1)
      const full = encoding.level(symbol, 2)
      literals.set(value >= MOD ? some : not(some), symbol)
      if (full !== some) literals.set(value === YES ? full : not(full), symbol)
    }
    return literals
  }

  // --- asking -----------------------------------------------------------------------------------------------------

  function ask(assumptions: readonly Literal[], conflicts = CONFLICTS): boolean | undefined {
    if (--solvesLeft < 0) return undefined
    return solver.solve(assumptions, conflicts)
  }

  /** A core with as little in it as can be had cheaply; what `dropFirst` accepts is tried to be left out before the rest. */
  function shrink(found: readonly Literal[], dropFirst: (literal: Literal) => boolean): readonly Literal[] {
    const wanted = new Set(goals)
    let core = found
    for (let round = 0; round < 2 && core.length > 2; round++) {
      const rest = core.filter((literal) => !wanted.has(literal))
      const again = [...rest.filter((each) => !dropFirst(each)), ...rest.filter(dropFirst)]
      if (ask([...goals, ...again], 1000) !== false) return core
      if (solver.core.length >= core.length) break
      core = solver.core
    }
    const optional = core.filter((literal) => !wanted.has(literal))
    if (optional.length > SMALL_CORE) return core
    for (const literal of [...optional.filter(dropFirst), ...optional.filter((each) => !dropFirst(each))]) {
      if (!core.includes(literal)) continue
      const without = core.filter((other) => other !== literal)
      if (ask(without, 500) === false) core = solver.core
    }
    return core
  }

  // --- plans ------------------------------------------------------------------------------------------------------

  const decisionOf = (change: Change): Decision => {
    const { symbol } = change
    if (isLogical(symbol)) {
      const value = solver.isTrue(change.atLeast(2)) ? YES : solver.isTrue(change.atLeast(1)) ? MOD : NO
      return { symbol, value, text: undefined }
    }
    const text = change.texts.find(({ when }) => solver.isTrue(when))?.text ?? ''
    return { symbol, value: NO, text }
  }
  const planned = (): Decision[] =>
    [...encoding.changes.values()].filter(({ changed }) => solver.isTrue(changed)).map(decisionOf)

  const sameValue = (change: Change, { value, text }: Decision): Literal => {
    if (text !== undefined) return change.texts.find((each) => each.text === text)?.when ?? change.changed
    if (value === YES) return change.atLeast(2)
    if (value === NO) return not(change.atLeast(1))
    return encoding.and([change.atLeast(1), not(change.atLeast(2))])
  }
  const decided = (decision: Decision): Literal => {
    const change = encoding.changes.get(decision.symbol)
    return change === undefined ? not(0) : encoding.and([change.changed, sameValue(change, decision)])
  }

  /** Looks at what the evaluator makes of a plan. @returns whether it is fine; if not, the encoding has learned why */
  function examine(decisions: readonly Decision[], trial: Trial): boolean {
    const surprises: KconfigSymbol[] = [...trial.unmet]
    for (const symbol of encoding.mentioned) {
      const value = trial.configuration.tristate(symbol)
      const expected = solver.isTrue(encoding.level(symbol, 2))
        ? YES
        : solver.isTrue(encoding.level(symbol, 1))
          ? MOD
          : NO
      if (value !== expected) surprises.push(symbol)
    }
    const unknown = surprises.filter((symbol) => !encoding.isExpanded(symbol))
    if (unknown.length > 0) {
      for (const symbol of unknown) expand(symbol)
      return false
    }
    const fine = trial.unmet.size === 0 && wishes.every((wish) => wishHolds(trial.configuration, wish))
    if (fine) return true
    // Not this set of changes, then.
    doubts++
    const others = [...encoding.changes.values()].filter(({ changed }) => !solver.isTrue(changed))
    solver.addClause([
      ...decisions.map((decision) => not(decided(decision))),
      ...others.map(({ changed }) => changed),
    ])
    return false
  }

  /**
   * Leaves out what the evaluator says is not needed, added symbols first. Where it is proved that fewer would not do,
   * that can only be requests that come true by themselves.
   */
  function reduced(
    decisions: readonly Decision[],
    trial: Trial,
    fewest: boolean,
  ): { decisions: readonly Decision[]; trial: Trial } {
    let kept = decisions
    let result = trial
    const order = decisions
      .filter(({ symbol }) => !fewest || requested.has(symbol))
      .sort((a, b) => Number(requested.has(a.symbol)) - Number(requested.has(b.symbol)))
    for (let again = true; again; ) {
      again = false
      for (const decision of order) {
        if (!kept.includes(decision) || onlyUserGives(result.configuration, decision)) continue
        const without = kept.filter((other) => other !== decision)
        const attempt = tryOut(without)
        if (attempt.unmet.size > 0 || !wishes.every((wish) => wishHolds(attempt.configuration, wish)))
          continue
        kept = without
        result = attempt
        again = true
      }
    }
    // While modules are off, m is y: said as what it is. In a choice the two are not the same answer.
    const modules = result.configuration.tristate(base.tree.modules) !== NO
    const asItIs = (decision: Decision): Decision =>
      decision.value === MOD && !modules && decision.symbol.choice === undefined
        ? { ...decision, value: YES }
        : decision
    return { decisions: kept.map(asItIs), trial: result }
  }

  /** Whether nothing but the decision can have given its symbol the value: then it cannot be left out. */
  function onlyUserGives(configuration: Configuration, { symbol, value, text }: Decision): boolean {
    if (text !== undefined || value === NO || symbol.choice !== undefined) return false
    return (
      configuration.tristate(symbol) === value &&
      configuration.selected(symbol) < value &&
      symbol.impliedBy.length === 0 &&
      symbol.properties.every(({ kind }) => kind !== 'default') &&
      base.userValue(symbol)?.tristate !== value
    )
  }

  const cores: (readonly Literal[])[] = []

  /** One more core, or none when there is a model; what is on the border and matters is expanded on the way. */
  function findCore(free: ReadonlySet<Literal>): readonly Literal[] | 'model' | 'impossible' | undefined {
    for (;;) {
      weighNewChanges()
      const kept = border()
      const softs = [...weights.keys()].filter((literal) => !free.has(literal)).map(not)
      const answer = ask([...goals, ...softs, ...kept.keys()])
      if (answer === undefined) return undefined
      if (answer) return 'model'
      const core = shrink(solver.core, (literal) => kept.has(literal))
      const onBorder = new Set(core.flatMap((literal) => kept.get(literal) ?? []))
      if (onBorder.size > 0) {
        for (const symbol of onBorder) expand(symbol)
        continue
      }
      const needed = core.map(not).filter((literal) => weights.has(literal))
      return needed.length === 0 ? 'impossible' : needed
    }
  }

  function next(): PlanResult {
    let exact = true
    for (;;) {
      const cheapest = minimumHittingSet(cores, weightOf)
      exact &&= cheapest.exact
      const free = new Set(cheapest.elements)
      let fresh = 0
      for (;;) {
        const core = findCore(free)
        if (core === undefined || doubts > MAX_DOUBTS) return { type: 'undecided' }
        if (core === 'impossible') {
          if (doubts > 0) return { type: 'undecided' }
          return { type: 'impossible', looked: encoding.mentioned.filter(encoding.isExpanded) }
        }
        if (core !== 'model') {
          // One after the other without meeting again: several for one hitting set.
          cores.push(core)
          for (const literal of core) free.add(literal)
          fresh++
          continue
        }
        if (fresh > 0) break
        const decisions = planned()
        const trial = tryOut(decisions)
        if (!examine(decisions, trial)) continue
        const least = reduced(decisions, trial, exact && doubts === 0)
        exclude(least.decisions)
        return { type: 'found', plan: { ...least, fewest: exact && doubts === 0 } }
      }
    }
  }
  /** No later plan shall change all that this one changes. */
  function exclude(decisions: readonly Decision[]): void {
    solver.addClause(
      decisions.flatMap(({ symbol }) => {
        const changed = encoding.changes.get(symbol)?.changed
        return changed === undefined || requested.has(symbol) ? [] : [not(changed)]
      }),
    )
  }

  return { next }
}
