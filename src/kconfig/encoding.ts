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
import { defineChoice } from './encode-choice.ts'
import { defineSymbol } from './encode-symbol.ts'
import { createTextEncoder } from './encode-text.ts'
import {
  type Change,
  type Encoder,
  isLogical,
  type Level,
  placeOf,
  promptsOf,
  type TextValue,
} from './encoder.ts'
import { printExpr } from './expression-text.ts'
import { atLeast, conjuncts, type Fact } from './facts.ts'
import type { ComparisonExpr, Expr, KconfigSymbol, Tristate } from './model.ts'
import { MOD, NO, YES } from './model.ts'
import { createSolver, FALSE, type Literal, not, type Solver, TRUE } from './sat.ts'
import { needsFact, undefinedFact } from './symbol-facts.ts'

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

  function needs(symbol: KconfigSymbol, at: Level, condition: Expr | undefined): void {
    // While modules are off a tristate is y as soon as it could be m.
    const unless = at === 2 ? [not(level(modules, 1))] : []
    for (const part of conjuncts(condition))
      fact(() => needsFact(tree, symbol, at, part), [not(level(symbol, at)), expr(part, at), ...unless])
  }

  function expand(symbol: KconfigSymbol): void {
    const group = symbol.choice ?? (symbol.isChoice ? symbol : undefined)
    if (expanded.has(symbol) || symbol.constant || !isLogical(symbol)) return
    if (group === undefined) {
      expanded.add(symbol)
      defineSymbol(encoder, symbol, options.unmet.has(symbol))
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
