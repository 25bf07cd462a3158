/** The shortest chain of facts of a tree that rules a wish out. */
import type { Configuration } from './configuration.ts'
import { createEncoding } from './encoding.ts'
import { type Bound, type Claim, type Fact, isExpr, symbolsIn } from './facts.ts'
import { literalsOf, type ValueWish } from './fewest-changes.ts'
import { minimumHittingSet } from './hitting-set.ts'
import type { KconfigSymbol, Location } from './model.ts'
import { type Literal, not } from './sat.ts'

/** One link of an explanation. */
export interface Step {
  readonly text: string
  readonly at: Location | undefined
  /** of a fact of the tree: what it says, for trying it out on a configuration */
  readonly claim?: Claim
}

/** A wish, and the words for it. */
export interface WishStep {
  readonly wish: ValueWish
  readonly step: Step
}

export interface Contradiction {
  readonly steps: readonly Step[]
  /** nothing shorter contradicts the wishes, among the facts looked at */
  readonly shortest: boolean
}

const CONFLICTS = 20_000
/** How many sets of facts are tried to find one smaller than what leaving facts out one by one has come to. */
const ROUNDS = 80
/** Cores larger than this are not made smaller one by one. */
const MAX_CORE = 400

/** @param looked the symbols whose definitions are known to rule the wishes out */
export function contradiction(
  base: Configuration,
  wishes: readonly WishStep[],
  looked: readonly KconfigSymbol[],
  unmet: ReadonlySet<KconfigSymbol>,
): Contradiction {
  const texts = new Map<KconfigSymbol, readonly string[]>()
  for (const { wish } of wishes) if (wish.text !== undefined) texts.set(wish.symbol, [wish.text])
  const encoding = createEncoding(base, { facts: true, unmet, texts })
  const { solver, facts } = encoding
  for (const symbol of looked) encoding.expand(symbol)
  const asked = new Map<Literal, WishStep>()
  for (const each of wishes) {
    const counts = solver.newVariable(true)
    asked.set(counts, each)
    for (const literal of literalsOf(encoding, each.wish)) solver.addClause([not(counts), literal])
  }
  const all = [...asked.keys(), ...facts.keys()]
  const contradicts = (literals: readonly Literal[]): boolean => solver.solve(literals, CONFLICTS) === false

  if (!contradicts(all)) return { steps: wishes.map(({ step }) => step), shortest: false }
  let core = solver.core
  for (let round = 0; round < 3; round++) {
    if (!contradicts([...core].reverse()) || solver.core.length >= core.length) break
    core = solver.core
  }
  const weightOf = (literal: Literal): number => facts.get(literal)?.weight ?? 1
  const weigh = (literals: readonly Literal[]): number =>
    literals.reduce((sum, literal) => sum + weightOf(literal), 0)
  if (core.length <= MAX_CORE)
    for (const literal of [...core].sort((a, b) => weightOf(b) - weightOf(a))) {
      if (!core.includes(literal)) continue
      if (contradicts(core.filter((other) => other !== literal))) core = solver.core
    }

  // The shortest: the lightest set that has one of every set of facts without which there is no contradiction.
  let shortest = false
  const corrections: (readonly Literal[])[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const candidate = minimumHittingSet(corrections, weightOf)
    if (!candidate.exact) break
    if (candidate.weight >= weigh(core)) {
      shortest = true
      break
    }
    const verdict = solver.solve(candidate.elements, CONFLICTS)
    if (verdict === undefined) break
    if (verdict === false) {
      core = candidate.elements
      shortest = true
      break
    }
    // What more can hold beside the candidate? The rest is a correction.
    const held = new Set(all.filter((literal) => solver.isTrue(literal)))
    for (const literal of all) {
      if (held.has(literal)) continue
      if (solver.solve([...held, literal], CONFLICTS) !== true) continue
      for (const each of all) if (solver.isTrue(each)) held.add(each)
    }
    corrections.push(all.filter((literal) => !held.has(literal)))
  }

  const said = core.flatMap((literal) => {
    const fact = facts.get(literal)?.make()
    return fact === undefined ? [] : [fact]
  })
  const requests = core.flatMap((literal) => asked.get(literal) ?? [])
  return { steps: inOrder(requests, said), shortest }
}

function* symbolsOf(bounds: readonly Bound[]): Generator<KconfigSymbol> {
  for (const { of } of bounds) {
    if (isExpr(of)) yield* symbolsIn(of)
    else yield of
  }
}

/** Facts behind the wishes, so that each speaks of something that has been mentioned, the latest first. */
function inOrder(requests: readonly WishStep[], facts: readonly Fact[]): readonly Step[] {
  const steps: Step[] = []
  /** when a symbol was mentioned last */
  const mentioned = new Map<KconfigSymbol, number>()
  const open = new Set(facts)
  let time = 0
  const drain = (): void => {
    while (open.size > 0) {
      let best: Fact | undefined
      let bestTime = 0
      for (const fact of open)
        for (const symbol of symbolsOf(fact.claim.premises)) {
          const when = mentioned.get(symbol) ?? 0
          if (when <= bestTime) continue
          best = fact
          bestTime = when
        }
      if (best === undefined) return
      open.delete(best)
      steps.push(best)
      time++
      for (const symbol of symbolsOf([...best.claim.premises, ...best.claim.alternatives]))
        mentioned.set(symbol, time)
    }
  }
  for (const { wish, step } of requests) {
    steps.push(step)
    mentioned.set(wish.symbol, ++time)
    drain()
  }
  return [...steps, ...open]
}
