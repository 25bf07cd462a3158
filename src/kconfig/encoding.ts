/**
 * The values of a tree's symbols as propositional logic, so that "is there any configuration in which …" can be answered
 * with certainty: see `calculate` in configuration.ts for the rules that are written down here a second time.
 *
 * A bool is one variable, a tristate two: "at least m" and "y". What the user may change is variables too: whether a
 * symbol is set anew, and to what. A symbol gets its definition only when it is *expanded*; until then it is on the
 * *border*, free to have any value, and whoever asks assumes that it keeps the one it has in the base. So a
 * contradiction that does without those assumptions is one of the whole tree, of which a small part was looked at.
 *
 * With `facts`, every clause hangs on a variable for the fact that it comes from: what remains of a contradiction is the
 * explanation.
 */
import type { Configuration } from './configuration.ts'
import { defineChoice } from './encodeChoice.ts'
import {
  type Change,
  type Encoder,
  isLogical,
  type Level,
  levelsOf,
  placeOf,
  promptsOf,
  type TextValue,
} from './encoder.ts'
import { createTextEncoder } from './encodeText.ts'
import { printExpr } from './expressionText.ts'
import { atLeast, type Bound, below, conjuncts, type Fact } from './facts.ts'
import type { ComparisonExpr, Expr, KconfigSymbol, Property, Tristate } from './model.ts'
import { displayName, MOD, NO, YES } from './model.ts'
import { createSolver, FALSE, type Literal, not, type Solver, TRUE } from './sat.ts'

export interface EncodingOptions {
  /** whether clauses can be traced back to facts */
  readonly facts: boolean
  /** symbols that are selected against their dependencies in the base, and may stay so */
  readonly unmet: ReadonlySet<KconfigSymbol>
  /** texts that symbols are wanted to have */
  readonly texts: ReadonlyMap<KconfigSymbol, readonly string[]>
}

export interface Encoding {
  readonly solver: Solver
  level(symbol: KconfigSymbol, level: Level): Literal
  expr(expr: Expr | undefined, level: Level): Literal
  and(literals: readonly Literal[]): Literal
  /** The symbol, of type int, hex or string, has a text that the test accepts. */
  hasText(symbol: KconfigSymbol, accepts: (text: string) => boolean): Literal
  expand(symbol: KconfigSymbol): void
  isExpanded(symbol: KconfigSymbol): boolean
  /** symbols that have variables, in the order in which they got them */
  readonly mentioned: readonly KconfigSymbol[]
  readonly changes: ReadonlyMap<KconfigSymbol, Change>
  /** with `facts`: by the literal that has to be true for the fact to count */
  readonly facts: ReadonlyMap<Literal, MadeFact>
}

export interface MadeFact {
  readonly make: () => Fact
  /** how much there is to take in: a plain fact counts 1 */
  readonly weight: number
}
/** What it counts to be told of everything that can lift a symbol, or how a choice is made. */
const LONG_FACT = 3

const letter = (symbol: KconfigSymbol, level: Level): string =>
  level === 2 || symbol.type === 'bool' ? 'y' : 'm'

export function createEncoding(base: Configuration, options: EncodingOptions): Encoding {
  const { tree } = base
  const { modules } = tree
  const solver = createSolver()
  const variables = new Map<KconfigSymbol, readonly [Literal, Literal]>()
  const mentioned: KconfigSymbol[] = []
  const expanded = new Set<KconfigSymbol>()
  const changes = new Map<KconfigSymbol, Change>()
  const facts = new Map<Literal, MadeFact>()
  const known: readonly [Map<number, Literal>, Map<number, Literal>] = [new Map(), new Map()]

  // --- clauses and gates ------------------------------------------------------------------------------------------

  const clause = (...literals: Literal[]): void => solver.addClause(literals)
  const fact = (make: () => Fact, ...clauses: (readonly Literal[])[]): void => addFact(make, 1, clauses)
  const longFact = (make: () => Fact, ...clauses: (readonly Literal[])[]): void =>
    addFact(make, LONG_FACT, clauses)
  function addFact(make: () => Fact, weight: number, clauses: readonly (readonly Literal[])[]): void {
    if (!options.facts) {
      for (const each of clauses) solver.addClause(each)
      return
    }
    const counts = solver.newVariable(true)
    facts.set(counts, { make, weight })
    for (const each of clauses) solver.addClause([not(counts), ...each])
  }
  function and(literals: readonly Literal[]): Literal {
    const operands = [...new Set(literals)].filter((literal) => literal !== TRUE)
    if (operands.some((literal) => literal === FALSE || operands.includes(not(literal)))) return FALSE
    const [only] = operands
    if (only === undefined) return TRUE
    if (operands.length === 1) return only
    const gate = solver.newVariable()
    for (const operand of operands) solver.addClause([not(gate), operand])
    solver.addClause([gate, ...operands.map(not)])
    return gate
  }
  const or = (literals: readonly Literal[]): Literal => not(and(literals.map(not)))
  function firstMatches(conditions: readonly Literal[]): readonly Literal[] {
    const before: Literal[] = []
    return conditions.map((condition) => {
      const match = and([condition, ...before])
      before.push(not(condition))
      return match
    })
  }

  // --- symbols and expressions ------------------------------------------------------------------------------------

  function variablesOf(symbol: KconfigSymbol): readonly [Literal, Literal] {
    const made = variables.get(symbol)
    if (made !== undefined) return made
    const now = base.tristate(symbol)
    const first = solver.newVariable(now >= MOD)
    const second = symbol.type === 'tristate' ? solver.newVariable(now === YES) : first
    if (second !== first) clause(not(second), first)
    const pair = [first, second] as const
    variables.set(symbol, pair)
    mentioned.push(symbol)
    return pair
  }

  function level(symbol: KconfigSymbol, at: Level): Literal {
    if (symbol.constant) return base.tristate(symbol) >= at ? TRUE : FALSE
    if (symbol.nodes.length > 0 && isLogical(symbol)) return variablesOf(symbol)[at - 1] ?? FALSE
    if (!options.facts) return FALSE
    if (!variables.has(symbol)) {
      const [always] = variablesOf(symbol)
      fact(() => undefinedFact(symbol), [not(always)])
      expanded.add(symbol)
    }
    return variablesOf(symbol)[0]
  }

  function expr(of: Expr | undefined, at: Level): Literal {
    if (of === undefined) return TRUE
    if (of.kind === 'symbol' || of.kind === 'not') return gate(of, at)
    // Comparisons are n or y.
    const memo = known[of.kind === 'and' || of.kind === 'or' ? at - 1 : 0]
    const before = memo?.get(of.id)
    if (before !== undefined) return before
    const made = gate(of, at)
    memo?.set(of.id, made)
    return made
  }

  function gate(of: Expr, at: Level): Literal {
    switch (of.kind) {
      case 'symbol':
        return level(of.symbol, at)
      case 'not':
        return not(expr(of.operand, at === 1 ? 2 : 1))
      case 'and':
        return and(operands(of, 'and').map((each) => expr(each, at)))
      case 'or':
        return or(operands(of, 'or').map((each) => expr(each, at)))
      default:
        return comparison(of)
    }
  }

  function comparison(of: ComparisonExpr): Literal {
    const result = texts.compare(of)
    if (!options.facts || (result !== TRUE && result !== FALSE)) return result
    const counts = solver.newVariable()
    fact(
      () => ({
        text: `${printExpr(of, (symbol) => base.text(symbol))} is ${result === TRUE ? 'always' : 'never'} true`,
        at: placeOf(of.left.nodes[0] ?? of.right.nodes[0]),
        claim:
          result === TRUE
            ? { premises: [], alternatives: [atLeast(of, 1)] }
            : { premises: [atLeast(of, 1)], alternatives: [] },
      }),
      [result === TRUE ? counts : not(counts)],
    )
    return counts
  }

  // --- what the user says -----------------------------------------------------------------------------------------

  function change(symbol: KconfigSymbol, values: readonly TextValue[] = []): Change {
    const made = changes.get(symbol)
    if (made !== undefined) return made
    const changed = solver.newVariable()
    const pair = logicalUserValue(symbol, changed)
    const result: Change = { symbol, changed, atLeast: (at) => pair[at - 1] ?? FALSE, texts: values }
    changes.set(symbol, result)
    return result
  }
  function logicalUserValue(symbol: KconfigSymbol, changed: Literal): readonly [Literal, Literal] {
    if (!isLogical(symbol)) return [FALSE, FALSE]
    const before: Tristate = base.userValue(symbol)?.tristate ?? NO
    const first = solver.newVariable(before >= MOD)
    const second = symbol.type === 'tristate' ? solver.newVariable(before === YES) : first
    if (second !== first) clause(not(second), first)
    clause(changed, before >= MOD ? first : not(first))
    if (second !== first) clause(changed, before === YES ? second : not(second))
    return [first, second]
  }
  function user(symbol: KconfigSymbol) {
    if (promptsOf(symbol).length === 0) return { has: FALSE, atLeast: () => FALSE }
    const { changed, atLeast } = change(symbol)
    return { has: base.userValue(symbol) === undefined ? changed : TRUE, atLeast }
  }

  // --- definitions ------------------------------------------------------------------------------------------------

  const name = displayName
  function needs(symbol: KconfigSymbol, at: Level, condition: Expr | undefined): void {
    // While modules are off a tristate is y as soon as it could be m.
    const unless = at === 2 ? [not(level(modules, 1))] : []
    for (const part of conjuncts(condition))
      fact(
        () => ({
          text: `${name(symbol)}=${letter(symbol, at)} needs ${printExpr(part)}`,
          at: placeOf(symbol.nodes[0]),
          claim: {
            premises: [atLeast(symbol, at), ...(at === 2 ? [atLeast(modules, 1)] : [])],
            alternatives: [atLeast(part, at)],
          },
        }),
        [not(level(symbol, at)), expr(part, at), ...unless],
      )
  }

  /** Everything that can lift the symbol, as alternatives of a claim. */
  function waysOf(symbol: KconfigSymbol, at: Level): readonly Bound[] {
    const ways: Bound[] = []
    for (const property of symbol.properties) {
      if (property.text !== undefined) ways.push(always(property.condition, at))
      else if (property.kind === 'default') ways.push(always(property.value, at))
    }
    for (const { term } of [...symbol.selectedBy, ...symbol.impliedBy]) ways.push(atLeast(term, at))
    return ways
  }
  const always = (of: Expr | undefined, at: Level): Bound => atLeast(of ?? tree.constants.y, at)

  function defineLogical(symbol: KconfigSymbol): void {
    const { has, atLeast: userAtLeast } = user(symbol)
    const prompts = promptsOf(symbol)
    const visible = (at: Level): Literal => or(prompts.map(({ condition }) => expr(condition, at)))
    const answered = and([visible(1), has])
    const implied = (at: Level): Literal => or(symbol.impliedBy.map(({ term }) => expr(term, at)))
    const isImplied = implied(1)
    const direct = (at: Level): Literal => expr(symbol.directDependency, at)
    const defaults = symbol.properties.filter((property) => property.kind === 'default')
    const first = firstMatches(defaults.map(({ condition }) => expr(condition, 1)))
    const warned = options.unmet.has(symbol)
    // FIRST-WITHOUT-DEPENDENCY (finalize.ts): then the direct dependency is not all that the entries need.
    const strict = !warned && symbol.nodes.every((node) => node.dependency !== undefined)

    for (const at of levelsOf(symbol)) {
      const own = level(symbol, at)
      const offModules = at === 2 ? [not(level(modules, 1))] : []
      const prompted = and([answered, userAtLeast(at), visible(at)])
      const given = defaults.map(({ condition, value }, index) =>
        and([first[index] ?? FALSE, expr(condition, at), expr(value, at)]),
      )
      const impliedNow = and([isImplied, direct(at), or([...given, implied(at)])])
      const selected = symbol.selectedBy.map(({ term }) => expr(term, at))
      // Upwards: something has to lift it.
      const byDefault = or([and([not(isImplied), or(given)]), impliedNow])
      longFact(
        () => waysFact(symbol, at),
        [not(own), prompted, and([not(answered), byDefault]), ...selected, ...offModules],
      )
      if (strict) needs(symbol, at, symbol.directDependency)
      // Downwards: what lifts it cannot be refused.
      clause(not(prompted), own)
      given.forEach((literal, index) => {
        const property = defaults[index]
        if (literal === FALSE || property === undefined) return
        fact(() => defaultFact(symbol, property, at), [answered, isImplied, not(literal), own])
      })
      if (impliedNow !== FALSE)
        fact(() => impliedFact(symbol, at, userSaysNothing(symbol)), [answered, not(impliedNow), own])
      symbol.selectedBy.forEach(({ term, selector, property }, index) => {
        const literal = selected[index] ?? FALSE
        if (literal === FALSE) return
        fact(
          () => ({
            text: selector
              ? `${printExpr(term)} selects ${name(symbol)}`
              : `${name(symbol)} cannot be switched off`,
            at: placeOf(property ?? symbol.nodes[0]),
            claim: { premises: [atLeast(term, at)], alternatives: [atLeast(symbol, at)] },
          }),
          [not(literal), own],
        )
      })
      if (!strict && !warned && symbol.directDependency !== undefined) mayBeSelected(symbol, at, selected)
    }
    if (symbol.type === 'tristate')
      fact(
        () => ({
          text: `${name(symbol)}=m needs ${name(modules)}: without modules it is y`,
          at: placeOf(modules.nodes[0]),
          claim: {
            premises: [atLeast(symbol, 1), below(symbol, 2)],
            alternatives: [atLeast(modules, 1)],
          },
        }),
        [not(level(symbol, 1)), level(modules, 1), level(symbol, 2)],
      )
  }
  /** No select may go against the direct dependency. */
  function mayBeSelected(symbol: KconfigSymbol, at: Level, selected: readonly Literal[]): void {
    const { directDependency } = symbol
    if (directDependency === undefined) return
    symbol.selectedBy.forEach(({ term, property }, index) => {
      fact(
        () => ({
          text: `${printExpr(term)} selects ${name(symbol)}, which depends on ${printExpr(directDependency)}`,
          at: placeOf(property ?? symbol.nodes[0]),
          claim: {
            premises: [atLeast(term, at), ...(at === 2 ? [atLeast(modules, 1)] : [])],
            alternatives: [atLeast(directDependency, at)],
          },
        }),
        [
          not(selected[index] ?? FALSE),
          expr(directDependency, at),
          ...(at === 2 ? [not(level(modules, 1))] : []),
        ],
      )
    })
  }
  const notAlways = (condition: Expr | undefined): Bound =>
    condition === undefined ? below(tree.constants.y, 1) : below(condition, 1)
  /** For a claim about defaults: no prompt shows, or the user has not answered it. */
  const userSaysNothing = (symbol: KconfigSymbol): Bound[] =>
    promptsOf(symbol).map(({ condition }) => notAlways(condition))

  function waysFact(symbol: KconfigSymbol, at: Level): Fact {
    const ways = waysOf(symbol, at)
    const value = `${name(symbol)}=${letter(symbol, at)}`
    const prompts = promptsOf(symbol)
    const parts = [
      ...prompts.map(({ condition }) =>
        condition === undefined ? 'its prompt' : `its prompt if ${printExpr(condition)}`,
      ),
      ...symbol.properties
        .filter(({ kind }) => kind === 'default')
        .map(
          ({ value: given, condition, file, line }) =>
            `the default ${given ? printExpr(given) : 'y'}${condition ? ` if ${printExpr(condition)}` : ''} (${file}:${line})`,
        ),
      ...symbol.selectedBy.flatMap(({ selector, property }) =>
        selector
          ? [`select of ${name(selector)}${property ? ` (${property.file}:${property.line})` : ''}`]
          : [],
      ),
      ...symbol.impliedBy.flatMap(({ selector }) => (selector ? [`imply of ${name(selector)}`] : [])),
    ]
    const shown = parts.length > 8 ? [...parts.slice(0, 7), `${parts.length - 7} more`] : parts
    const text =
      parts.length === 0
        ? `${name(symbol)} has no prompt, and nothing selects it or gives it a default`
        : `${value} comes from ${shown.join('; or ')}, and nothing else`
    return {
      text,
      at: placeOf(symbol.nodes[0]),
      claim: {
        premises: [atLeast(symbol, at), ...(at === 2 ? [atLeast(modules, 1)] : [])],
        alternatives: ways,
      },
    }
  }
  function defaultFact(symbol: KconfigSymbol, property: Property, at: Level): Fact {
    const earlier = symbol.properties.filter(
      (other) => other.kind === 'default' && other.index < property.index,
    )
    const condition = property.condition === undefined ? '' : ` if ${printExpr(property.condition)}`
    const value = property.value === undefined ? 'y' : printExpr(property.value)
    return {
      text: `${name(symbol)} is ${value} by default${condition}${promptsOf(symbol).length > 0 ? ', where its prompt does not show' : ''}`,
      at: placeOf(property),
      claim: {
        premises: [
          ...userSaysNothing(symbol),
          ...earlier.map((other) => notAlways(other.condition)),
          always(property.condition, at),
          always(property.value, at),
          ...symbol.impliedBy.map(({ term }) => below(term, 1)),
        ],
        alternatives: [atLeast(symbol, at)],
      },
    }
  }
  function impliedFact(symbol: KconfigSymbol, at: Level, silent: readonly Bound[]): Fact {
    const terms = symbol.impliedBy.map(({ term }) => printExpr(term)).join(' or ')
    return {
      text: `${terms} implies ${name(symbol)}`,
      at: placeOf(symbol.nodes[0]),
      claim: {
        premises: [
          ...silent,
          always(symbol.directDependency, at),
          ...symbol.impliedBy.map(({ term }) => atLeast(term, at)),
        ],
        alternatives: [atLeast(symbol, at)],
      },
    }
  }
  const undefinedFact = (symbol: KconfigSymbol): Fact => ({
    text:
      symbol.nodes.length === 0
        ? `${name(symbol)} is not defined here, so it is always n`
        : `${name(symbol)} is of type ${symbol.type}, which counts as n`,
    at: placeOf(symbol.nodes[0]),
    claim: { premises: [atLeast(symbol, 1)], alternatives: [] },
  })

  function expand(symbol: KconfigSymbol): void {
    const group = symbol.choice ?? (symbol.isChoice ? symbol : undefined)
    if (expanded.has(symbol) || symbol.constant || !isLogical(symbol)) return
    if (group === undefined) {
      expanded.add(symbol)
      defineLogical(symbol)
      return
    }
    expanded.add(group)
    for (const member of group.members) expanded.add(member)
    defineChoice(encoder, group)
  }

  const encoder: Encoder = {
    base,
    solver,
    level,
    expr,
    and,
    or,
    clause,
    same(a, b) {
      clause(not(a), b)
      clause(a, not(b))
    },
    fact,
    longFact,
    firstMatches,
    change,
    needs,
    user,
  }
  const texts = createTextEncoder(encoder, options.texts)

  return {
    solver,
    level,
    expr,
    and,
    hasText: texts.hasText,
    expand,
    isExpanded: (symbol) => expanded.has(symbol),
    mentioned,
    changes,
    facts,
  }
}

function operands(expr: Expr, kind: 'and' | 'or'): readonly Expr[] {
  const found: Expr[] = []
  const stack: Expr[] = [expr]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (next.kind === kind) stack.push(next.right, next.left)
    else found.push(next)
  }
  return found
}
