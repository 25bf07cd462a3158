/**
 * Finding assignments that make a wish come true: a search backwards from what is wanted.
 *
 * A *goal* is a bound on a symbol or an expression ("FOO at least m", "BAR at most n"). Each has some ways to be met:
 * the value it already has; a value set at a prompt, which makes the prompt's condition the next goal; a selector; a
 * default; an implying symbol. Ways are tried in the order of an estimate of what they cost, and undone when they lead
 * into a contradiction. What comes out is a set of assignments that *should* do; `verify` asks the real evaluator, whose
 * objections become goals again.
 */
import type { Configuration } from './configuration.ts'
import type { Expr, KconfigSymbol, Location, Property, Tristate } from './model.ts'
import { displayName, MOD, NO, YES } from './model.ts'

/** One link of an explanation. */
export interface Step {
  readonly text: string
  readonly at: Location | undefined
}

/** Why a goal is there: the link itself, and what led to it. */
export interface Because {
  readonly step: Step
  readonly parent: Because | undefined
}

export interface SymbolGoal {
  readonly kind: 'least' | 'most'
  readonly symbol: KconfigSymbol
  readonly value: Tristate
  readonly because: Because
  /** the value it has now has turned out not to last */
  readonly act: boolean
}
export interface ExprGoal {
  readonly kind: 'expr-least' | 'expr-most'
  readonly expr: Expr
  readonly value: Tristate
  readonly because: Because
}
export type Goal = SymbolGoal | ExprGoal

/** An assignment that the search has decided on. */
export interface Decision {
  readonly symbol: KconfigSymbol
  readonly value: Tristate
  readonly text: string | undefined
  readonly because: Because
}

export interface SearchLimits {
  /** how many goals are looked at before giving up */
  readonly goals: number
  /** how many complete proposals are tried out */
  readonly proposals: number
}

export type SearchResult =
  | { readonly type: 'found'; readonly decisions: ReadonlyMap<KconfigSymbol, Decision> }
  | { readonly type: 'impossible'; readonly steps: readonly Step[] }
  | { readonly type: 'gave-up'; readonly steps: readonly Step[] }

/** Tries a proposal out: what came of it, and what is not as it was meant to be. */
type Verify = (
  decisions: ReadonlyMap<KconfigSymbol, Decision>,
  bounds: Bounds,
) => { readonly trial: Configuration; readonly goals: readonly Goal[] }

export interface Bounds {
  readonly least: ReadonlyMap<KconfigSymbol, Bound>
  readonly most: ReadonlyMap<KconfigSymbol, Bound>
}
export interface Bound {
  readonly value: Tristate
  readonly because: Because
}

interface Way {
  readonly cost: number
  readonly goals: readonly Goal[]
  readonly decision: Decision | undefined
}

interface Agenda {
  readonly goal: Goal
  readonly rest: Agenda | undefined
}

const letter = (value: Tristate): string => (value === YES ? 'y' : value === MOD ? 'm' : 'n')
const isLogical = (symbol: KconfigSymbol): boolean => symbol.type === 'bool' || symbol.type === 'tristate'

/** What touching a symbol costs beyond one: options that change what is built for whom are a last resort. */
function reluctance(symbol: KconfigSymbol): number {
  if (symbol.name === 'COMPILE_TEST' || symbol.name === 'BROKEN') return 3
  if (symbol.name === 'EXPERT') return 1
  const file = symbol.nodes[0]?.file ?? ''
  return file.startsWith('arch/') ? 2 : /^(?:CC|LD|AS|RUST)_/.test(symbol.name ?? '') ? 2 : 0
}

const ESTIMATE_DEPTH = 6
const FAR = 1000
/** How often the search starts again without something that did not hold. */
const MAX_RESTARTS = 20
/** How many goals one proposal may consist of. */
const MAX_PATH = 2500
/** How many times objections of the evaluator to one proposal are turned into goals. */
const MAX_REPAIRS = 12

export function searchGoals(
  base: Configuration,
  start: readonly Goal[],
  verify: Verify,
  limits: SearchLimits,
): SearchResult {
  const least = new Map<KconfigSymbol, Bound>()
  const most = new Map<KconfigSymbol, Bound>()
  const decisions = new Map<KconfigSymbol, Decision>()
  const trail: (() => void)[] = []
  /** a dead end was not a contradiction between bounds, so that running out of ways proves nothing */
  let inexact = false
  /** what came of the last proposal */
  let latest = base
  /** bounds that have turned out not to hold whatever is set */
  const avoided = new Set<string>()
  let goalsLeft = limits.goals
  let proposalsLeft = limits.proposals
  let shortest: readonly Step[] | undefined

  const value = (symbol: KconfigSymbol): Tristate => base.tristate(symbol)

  // --- undoing ----------------------------------------------------------------------------------------------------

  function put<V>(map: Map<KconfigSymbol, V>, symbol: KconfigSymbol, entry: V): void {
    const old = map.get(symbol)
    trail.push(() => {
      if (old === undefined) map.delete(symbol)
      else map.set(symbol, old)
    })
    map.set(symbol, entry)
  }
  function undoTo(mark: number): void {
    while (trail.length > mark) trail.pop()?.()
  }

  // --- contradictions ---------------------------------------------------------------------------------------------

  function chain(because: Because): Step[] {
    const steps: Step[] = []
    for (let at: Because | undefined = because; at !== undefined; at = at.parent) steps.unshift(at.step)
    return steps
  }
  function contradiction(...reasons: readonly (Because | Step)[]): void {
    const steps: Step[] = []
    for (const reason of reasons)
      for (const step of 'step' in reason ? chain(reason) : [reason])
        if (!steps.some((known) => known.text === step.text)) steps.push(step)
    if (shortest === undefined || steps.length < shortest.length) shortest = steps
  }

  const placeOf = (symbol: KconfigSymbol): Location | undefined => symbol.nodes[0]
  const because = (text: string, at: Location | undefined, parent: Because): Because => ({
    step: { text, at: at === undefined ? undefined : { file: at.file, line: at.line } },
    parent,
  })

  const hidesDefaults = (symbol: KconfigSymbol): boolean =>
    base.userValue(symbol) !== undefined && symbol.properties.some((property) => property.text !== undefined)

  // --- estimates --------------------------------------------------------------------------------------------------

  const estimates = new Map<number, number>()
  function costOfSymbol(symbol: KconfigSymbol, wanted: Tristate, depth: number): number {
    if (wanted === NO) return 0
    if (symbol.constant || !isLogical(symbol)) return value(symbol) >= wanted ? 0 : FAR
    const bound = most.get(symbol)
    if (bound !== undefined && bound.value < wanted) return FAR
    if (value(symbol) >= wanted || (least.get(symbol)?.value ?? NO) >= wanted) return 0
    if (depth > ESTIMATE_DEPTH) return 3
    const key = symbol.index * 3 + wanted
    const known = estimates.get(key)
    if (known !== undefined) return known
    // What comes back to itself is no way.
    estimates.set(key, FAR)
    const level = symbol.type === 'bool' ? MOD : wanted
    let best = FAR
    for (const property of symbol.properties) {
      if (property.text !== undefined)
        best = Math.min(best, 1 + reluctance(symbol) + costOfExpr(property.condition, level, depth + 1))
      else if (property.kind === 'default' && !hidesDefaults(symbol))
        best = Math.min(
          best,
          costOfExpr(property.condition, level, depth + 1) + costOfExpr(property.value, level, depth + 1),
        )
    }
    if (best >= FAR)
      for (const { selector, condition } of [...symbol.selectedBy, ...symbol.impliedBy]) {
        if (selector === undefined) continue
        best = Math.min(
          best,
          0.5 + costOfSymbol(selector, level, depth + 1) + costOfExpr(condition, level, depth + 1),
        )
      }
    estimates.set(key, best)
    return best
  }
  function costOfExpr(expr: Expr | undefined, wanted: Tristate, depth: number): number {
    if (expr === undefined || wanted === NO) return 0
    switch (expr.kind) {
      case 'symbol':
        return costOfSymbol(expr.symbol, wanted, depth)
      case 'and':
        return Math.min(FAR, costOfExpr(expr.left, wanted, depth) + costOfExpr(expr.right, wanted, depth))
      case 'or':
        return Math.min(costOfExpr(expr.left, wanted, depth), costOfExpr(expr.right, wanted, depth))
      default:
        return base.evaluate(expr) >= wanted ? 0 : 1.5
    }
  }

  // --- ways to meet goals -----------------------------------------------------------------------------------------

  const goalLeast = (symbol: KconfigSymbol, wanted: Tristate, why: Because): SymbolGoal => ({
    kind: 'least',
    symbol,
    value: wanted,
    because: why,
    act: false,
  })
  const goalMost = (symbol: KconfigSymbol, allowed: Tristate, why: Because): SymbolGoal => ({
    kind: 'most',
    symbol,
    value: allowed,
    because: why,
    act: false,
  })
  const exprGoal = (
    kind: ExprGoal['kind'],
    expr: Expr | undefined,
    wanted: Tristate,
    why: Because,
  ): ExprGoal[] => (expr === undefined ? [] : [{ kind, expr, value: wanted, because: why }])

  /** How a prompt can be answered with the value; for members of choices, what the other members must be. */
  function promptWay(symbol: KconfigSymbol, property: Property, wanted: Tristate, why: Because): Way {
    const level = symbol.type === 'bool' ? MOD : wanted
    const name = displayName(symbol)
    const needed = because(`${name}=${letter(wanted)} can be set where ${name} is visible`, property, why)
    const goals: Goal[] = exprGoal('expr-least', property.condition, level, needed)
    if (symbol.choice !== undefined && wanted === YES)
      for (const other of symbol.choice.members)
        if (other !== symbol) {
          const excluded = because(
            `${displayName(other)} is in the same choice as ${name}`,
            placeOf(other),
            why,
          )
          goals.push(goalMost(other, NO, excluded))
        }
    const decision: Decision | undefined = symbol.isChoice
      ? undefined
      : { symbol, value: wanted, text: undefined, because: why }
    const condition = costOfExpr(property.condition, level, 0)
    return { cost: condition + (value(symbol) === wanted ? 0.5 : 1) + reluctance(symbol), goals, decision }
  }

  function waysUp(goal: SymbolGoal): Way[] {
    const { symbol, because: why } = goal
    const wanted: Tristate = symbol.type === 'bool' && goal.value === MOD ? YES : goal.value
    const level = symbol.type === 'bool' ? MOD : wanted
    const name = displayName(symbol)
    const ways: Way[] = []
    if (!goal.act && value(symbol) >= wanted) ways.push({ cost: 0, goals: [], decision: undefined })
    for (const property of symbol.properties)
      if (property.text !== undefined) ways.push(promptWay(symbol, property, wanted, why))
    for (const { selector, condition, property } of symbol.selectedBy) {
      if (selector === undefined) continue
      const chosen = because(
        `${name} is selected by ${displayName(selector)}`,
        property ?? placeOf(selector),
        why,
      )
      const goals: Goal[] = [
        goalLeast(selector, level, chosen),
        ...exprGoal('expr-least', condition, level, chosen),
        ...exprGoal('expr-least', symbol.directDependency, level, chosen),
      ]
      const cost =
        1 + costOfSymbol(selector, level, 0) + costOfExpr(condition, level, 0) + (ways.length > 0 ? 1 : 0)
      ways.push({ cost, goals, decision: undefined })
    }
    // Where a prompt shows, a value that somebody has set hides the defaults.
    const hiding = hidesDefaults(symbol) ? 4 : 0
    for (const property of symbol.properties) {
      if (property.kind !== 'default') continue
      const given = because(`${name} is ${letter(wanted)} by default`, property, why)
      const goals = [
        ...exprGoal('expr-least', property.value, level, given),
        ...exprGoal('expr-least', property.condition, level, given),
      ]
      const cost =
        hiding + 0.5 + costOfExpr(property.value, level, 0) + costOfExpr(property.condition, level, 0)
      ways.push({ cost, goals, decision: undefined })
    }
    for (const { selector, condition, property } of symbol.impliedBy) {
      if (selector === undefined) continue
      const implied = because(`${name} is implied by ${displayName(selector)}`, property, why)
      const goals: Goal[] = [
        goalLeast(selector, level, implied),
        ...exprGoal('expr-least', condition, level, implied),
        ...exprGoal('expr-least', symbol.directDependency, level, implied),
      ]
      const cost = hiding + 2 + costOfSymbol(selector, level, 0) + costOfExpr(condition, level, 0)
      ways.push({ cost, goals, decision: undefined })
    }
    if (ways.length === 0) {
      const text =
        symbol.nodes.length === 0
          ? `${name} is not defined here`
          : `${name} has no prompt, and nothing selects it or gives it a default`
      contradiction(why, { text, at: placeOf(symbol) })
    }
    return ways.sort((a, b) => a.cost - b.cost)
  }

  function waysDown(goal: SymbolGoal): Way[] {
    const { symbol, because: why } = goal
    const allowed: Tristate = symbol.type === 'bool' ? NO : goal.value
    const name = displayName(symbol)
    if (!goal.act && value(symbol) <= allowed) return [{ cost: 0, goals: [], decision: undefined }]
    const takenBy = symbol.choice?.members.find(
      (other) => other !== symbol && least.get(other)?.value === YES,
    )
    if (takenBy !== undefined) return [{ cost: 0, goals: [], decision: undefined }]
    // Whatever else is done, nothing may select it.
    const goals: Goal[] = []
    for (const { selector, term, property } of symbol.selectedBy) {
      if (selector === undefined) continue
      const pressed = Math.max(
        base.evaluate(term),
        goal.act ? latest.evaluate(term) : NO,
        least.get(selector)?.value ?? NO,
      )
      if (pressed <= allowed) continue
      const selects = because(`${displayName(selector)} selects ${name}`, property, why)
      goals.push(...exprGoal('expr-most', term, allowed, selects))
    }
    const ways: Way[] = []
    const prompted = symbol.properties.find((property) => property.text !== undefined)
    if (prompted !== undefined && symbol.choice === undefined && !symbol.isChoice)
      ways.push({
        cost: 1 + goals.length + reluctance(symbol),
        goals,
        decision: { symbol, value: allowed, text: undefined, because: why },
      })
    if (symbol.choice !== undefined)
      for (const other of symbol.choice.members) {
        if (other === symbol) continue
        const instead = because(
          `another member of the choice takes the place of ${name}`,
          placeOf(other),
          why,
        )
        ways.push({ cost: 2, goals: [...goals, goalLeast(other, YES, instead)], decision: undefined })
      }
    if (symbol.directDependency !== undefined) {
      const hidden = because(`${name} goes away with what it depends on`, placeOf(symbol), why)
      const off = exprGoal('expr-most', symbol.directDependency, allowed, hidden)
      ways.push({ cost: 4 + goals.length, goals: [...goals, ...off], decision: undefined })
    }
    if (prompted === undefined && symbol.choice === undefined) {
      const silenced: Goal[] = [...goals]
      for (const property of symbol.properties) {
        const now = goal.act ? latest : base
        if (property.kind !== 'default' || now.evaluate(property.condition) <= allowed) continue
        const given = because(`${name} has a default`, property, why)
        if (property.value !== undefined && now.evaluate(property.value) > allowed)
          silenced.push(...exprGoal('expr-most', property.condition, allowed, given))
      }
      ways.push({ cost: 2 + silenced.length, goals: silenced, decision: undefined })
    }
    return ways.sort((a, b) => a.cost - b.cost)
  }

  function waysOfExpr(goal: ExprGoal): Way[] {
    const { expr, value: bound, because: why } = goal
    const up = goal.kind === 'expr-least'
    const free: Way = { cost: 0, goals: [], decision: undefined }
    if (up ? bound === NO : bound === YES) return [free]
    const sub = (of: Expr, kind: ExprGoal['kind'] = goal.kind, at: Tristate = bound): Goal[] =>
      exprGoal(kind, of, at, why)
    const way = (cost: number, ...goals: Goal[]): Way => ({ cost, goals, decision: undefined })
    switch (expr.kind) {
      case 'symbol': {
        const { symbol } = expr
        const step = because(
          up
            ? `${displayName(symbol)} must be ${bound === MOD && symbol.type !== 'bool' ? 'm or y' : 'y'}`
            : `${displayName(symbol)} must be ${bound === MOD && symbol.type !== 'bool' ? 'n or m' : 'n'}`,
          placeOf(symbol),
          why,
        )
        return [way(1, up ? goalLeast(symbol, bound, step) : goalMost(symbol, bound, step))]
      }
      case 'and':
      case 'or': {
        if ((expr.kind === 'and') === up) return [way(1, ...sub(expr.left), ...sub(expr.right))]
        const cost = (of: Expr): number =>
          up ? costOfExpr(of, bound, 0) : base.evaluate(of) <= bound ? 0 : costOfLowering(of)
        return [way(cost(expr.left), ...sub(expr.left)), way(cost(expr.right), ...sub(expr.right))].sort(
          (a, b) => a.cost - b.cost,
        )
      }
      case 'not':
        return [way(1, ...sub(expr.operand, up ? 'expr-most' : 'expr-least', (2 - bound) as Tristate))]
      default:
        return waysOfComparison(expr, up, why)
    }
  }

  function costOfLowering(expr: Expr): number {
    if (expr.kind === 'symbol')
      return expr.symbol.properties.some((property) => property.text !== undefined)
        ? 1 + reluctance(expr.symbol)
        : 5
    return 3
  }

  /** Comparisons are y or n; `holds` says which is wanted. */
  function waysOfComparison(
    expr: Extract<Expr, { left: KconfigSymbol }>,
    holds: boolean,
    why: Because,
  ): Way[] {
    const { left, right, kind } = expr
    const way = (cost: number, ...goals: Goal[]): Way => ({ cost, goals, decision: undefined })
    const now = (base.evaluate(expr) !== NO) === holds
    if (!isLogical(left) || !right.constant) {
      if (now) return [way(0)]
      const prompted = left.properties.some((property) => property.text !== undefined)
      const number = Number(right.name)
      const text = !holds
        ? undefined
        : kind === '=' || kind === '<=' || kind === '>='
          ? right.name
          : Number.isFinite(number)
            ? String(kind === '>' ? number + 1 : number - 1)
            : undefined
      if (prompted && text !== undefined && kind !== '!=' && !isLogical(left))
        return [{ cost: 2, goals: [], decision: { symbol: left, value: NO, text, because: why } }]
      // Text and numbers could come to be what is wanted in ways that are not looked for.
      if (left.nodes.length > 0) inexact = true
      contradiction(why, {
        text: `${displayName(left)} ${kind} ${displayName(right)} is ${holds ? 'false' : 'true'}`,
        at: placeOf(left),
      })
      return []
    }
    const target = right.name === 'y' ? YES : right.name === 'm' ? MOD : NO
    const equal = (kind === '=') === holds
    const said = because(
      `${displayName(left)} must ${equal ? '' : 'not '}be ${letter(target)}`,
      placeOf(left),
      why,
    )
    const up = (at: Tristate): Goal => goalLeast(left, at, said)
    const down = (at: Tristate): Goal => goalMost(left, at, said)
    if (kind !== '=' && kind !== '!=') return now ? [way(0)] : []
    if (equal) {
      if (target === YES) return [way(1, up(YES))]
      if (target === NO) return [way(1, down(NO))]
      return [way(1, up(MOD), down(MOD))]
    }
    if (target === YES) return [way(1, down(MOD))]
    if (target === NO) return [way(1, up(MOD))]
    return value(left) === NO ? [way(0, down(NO)), way(1, up(YES))] : [way(1, up(YES)), way(2, down(NO))]
  }

  /** Records the bound of a goal. @returns false when it contradicts what is known, undefined when it says nothing new */
  function record(goal: SymbolGoal): boolean | undefined {
    const { symbol, because: why } = goal
    const name = displayName(symbol)
    if (symbol.constant || !isLogical(symbol)) {
      const fixed = value(symbol)
      const fine = goal.kind === 'least' ? fixed >= goal.value : fixed <= goal.value
      if (fine) return undefined
      const text =
        symbol.type === 'unknown' && !symbol.constant
          ? `${name} is not defined here, so it is always n`
          : `${name} is ${letter(fixed)}`
      contradiction(why, { text, at: placeOf(symbol) })
      return false
    }
    if (avoided.has(`${goal.kind} ${symbol.index}`)) return false
    const other = goal.kind === 'least' ? most.get(symbol) : least.get(symbol)
    // A bool is never m: at least m is y, at most m is n.
    const between = symbol.type === 'bool' && goal.value === MOD
    const wanted: Tristate = between ? YES : goal.value
    const allowed: Tristate = between ? NO : goal.value
    if (goal.kind === 'most' && allowed === YES) return undefined
    if (other !== undefined && (goal.kind === 'least' ? other.value < wanted : other.value > allowed)) {
      contradiction(why, other.because)
      return false
    }
    const same = goal.kind === 'least' ? least : most
    const known = same.get(symbol)
    const implied =
      known !== undefined && (goal.kind === 'least' ? known.value >= wanted : known.value <= allowed)
    if (implied && !goal.act) return undefined
    put(same, symbol, { value: goal.kind === 'least' ? wanted : allowed, because: why })
    return true
  }

  type Outcome = 'found' | 'dead-end' | 'out-of-budget' | 'restart'

  let depth = 0
  function solve(agenda: Agenda | undefined, repairs: number): Outcome {
    if (agenda === undefined) return propose(repairs)
    if (--goalsLeft < 0 || depth > MAX_PATH) return 'out-of-budget'
    depth++
    const outcome = meet(agenda, repairs)
    depth--
    return outcome
  }

  function meet({ goal, rest }: Agenda, repairs: number): Outcome {
    const mark = trail.length
    let ways: Way[]
    if ('symbol' in goal) {
      const recorded = record(goal)
      if (recorded === false) return 'dead-end'
      if (recorded === undefined) return solve(rest, repairs)
      ways = goal.kind === 'least' ? waysUp(goal) : waysDown(goal)
    } else ways = waysOfExpr(goal)
    for (const way of ways) {
      const inner = trail.length
      if (way.decision !== undefined) {
        const earlier = decisions.get(way.decision.symbol)
        if (earlier === undefined || earlier.value < way.decision.value || way.decision.text !== undefined)
          put(decisions, way.decision.symbol, way.decision)
      }
      let next = rest
      for (let i = way.goals.length - 1; i >= 0; i--) {
        const wanted = way.goals[i]
        if (wanted !== undefined) next = { goal: wanted, rest: next }
      }
      const outcome = solve(next, repairs)
      if (outcome !== 'dead-end') return outcome
      undoTo(inner)
    }
    undoTo(mark)
    return 'dead-end'
  }

  /** Proposals that were tried, as text: the same one is never tried twice. */
  const tried = new Set<string>()
  /** What the evaluator objected to, for each repair of the path. */
  const objected: ReadonlySet<string>[] = []
  const keyOf = (goal: SymbolGoal): string => `${goal.kind} ${goal.symbol.index}`
  const asked = new Set(start.flatMap((goal) => ('symbol' in goal ? [keyOf(goal)] : [])))
  let restartsLeft = MAX_RESTARTS

  function propose(repairs: number): Outcome {
    const proposal = [...decisions.values()]
      .map(({ symbol, value: to, text }) => `${symbol.index}=${text ?? to}`)
      .sort()
      .join()
    if (tried.has(proposal)) {
      inexact = true
      return 'dead-end'
    }
    tried.add(proposal)
    if (--proposalsLeft < 0) return 'out-of-budget'
    const { goals: objections, trial } = verify(decisions, { least, most })
    latest = trial
    if (objections.length === 0) return 'found'
    inexact = true
    const symbols = objections.filter((goal): goal is SymbolGoal => 'symbol' in goal)
    const stubborn = symbols.find(
      (goal) => repairs > 0 && objected[repairs - 1]?.has(keyOf(goal)) === true && !asked.has(keyOf(goal)),
    )
    if (stubborn !== undefined && restartsLeft > 0 && !avoided.has(keyOf(stubborn))) {
      // Something else keeps this bound from holding. The choice that relied on it lies far back: start again without.
      restartsLeft--
      avoided.add(keyOf(stubborn))
      return 'restart'
    }
    if (repairs >= MAX_REPAIRS) return 'dead-end'
    objected[repairs] = new Set(symbols.map(keyOf))
    estimates.clear()
    let agenda: Agenda | undefined
    for (const goal of objections) agenda = { goal, rest: agenda }
    return solve(agenda, repairs + 1)
  }

  let agenda: Agenda | undefined
  for (let i = start.length - 1; i >= 0; i--) {
    const goal = start[i]
    if (goal !== undefined) agenda = { goal, rest: agenda }
  }
  let outcome = solve(agenda, 0)
  while (outcome === 'restart') {
    undoTo(0)
    depth = 0
    estimates.clear()
    outcome = solve(agenda, 0)
  }
  if (outcome === 'found') return { type: 'found', decisions: new Map(decisions) }
  return {
    type: outcome === 'dead-end' && !inexact ? 'impossible' : 'gave-up',
    steps: shortest ?? [],
  }
}
