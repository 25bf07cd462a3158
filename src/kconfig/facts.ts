/**
 * What a tree says, taken apart into single facts: "FOO depends on BAR", "BAZ selects FOO". A contradiction is a handful
 * of them. Each carries, beside its sentence and place, a *claim* that can be tried on any configuration.
 */
import type { Configuration } from './configuration.ts'
import type { Expr, KconfigSymbol, Location } from './model.ts'

/** The symbol or expression is worth at least `level`; or less, where `holds` is false. */
export interface Bound {
  readonly of: Expr | KconfigSymbol
  readonly level: 1 | 2
  readonly holds: boolean
}

/** When all premises hold, one of the alternatives does. */
export interface Claim {
  readonly premises: readonly Bound[]
  readonly alternatives: readonly Bound[]
}

export interface Fact {
  readonly text: string
  readonly at: Location | undefined
  readonly claim: Claim
}

export const isExpr = (of: Expr | KconfigSymbol): of is Expr => 'depth' in of

export const atLeast = (of: Expr | KconfigSymbol, level: 1 | 2): Bound => ({ of, level, holds: true })
export const below = (of: Expr | KconfigSymbol, level: 1 | 2): Bound => ({ of, level, holds: false })

export const boundHolds = (configuration: Configuration, { of, level, holds }: Bound): boolean =>
  (isExpr(of) ? configuration.evaluate(of) : configuration.tristate(of)) >= level === holds

/** Whether a configuration bears the claim out. */
export const claimHolds = (configuration: Configuration, { premises, alternatives }: Claim): boolean =>
  !premises.every((bound) => boundHolds(configuration, bound)) ||
  alternatives.some((bound) => boundHolds(configuration, bound))

/** Every symbol that occurs in the expression. */
export function* symbolsIn(expr: Expr): Generator<KconfigSymbol> {
  switch (expr.kind) {
    case 'symbol':
      yield expr.symbol
      break
    case 'not':
      yield* symbolsIn(expr.operand)
      break
    case 'and':
    case 'or':
      yield* symbolsIn(expr.left)
      yield* symbolsIn(expr.right)
      break
    default:
      yield expr.left
      yield expr.right
  }
}

/** The operands of an `&&`, all the way down; of a missing condition, none. */
export function conjuncts(expr: Expr | undefined): readonly Expr[] {
  if (expr === undefined) return []
  return expr.kind === 'and' ? [...conjuncts(expr.left), ...conjuncts(expr.right)] : [expr]
}
