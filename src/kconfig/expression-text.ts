/** Expressions as the kernel's tool prints them, with or without values: `A [=y] && !B [=n]`. */
import type { Comparison, Expr, KconfigSymbol, ReverseDependency, Tristate } from './model.ts'

const precedence = (expr: Expr): number => {
  switch (expr.kind) {
    case 'or':
      return 1
    case 'and':
      return 2
    case 'not':
      return 3
    case '=':
    case '!=':
      return 4
    case 'symbol':
      return 9
    default:
      return 5
  }
}

/** @param value adds ` [=value]` behind every symbol that some file defines */
export function printExpr(expr: Expr, value?: (symbol: KconfigSymbol) => string, outer = 0): string {
  const name = (symbol: KconfigSymbol): string => {
    if (symbol.name === undefined) return '<choice>'
    return value === undefined || symbol.type === 'unknown'
      ? symbol.name
      : `${symbol.name} [=${value(symbol)}]`
  }
  const own = precedence(expr)
  let text: string
  switch (expr.kind) {
    case 'symbol':
      return name(expr.symbol)
    case 'not':
      text = `!${printExpr(expr.operand, value, own)}`
      break
    case 'and':
      text = `${printExpr(expr.left, value, own)} && ${printExpr(expr.right, value, own)}`
      break
    case 'or':
      text = `${printExpr(expr.left, value, own)} || ${printExpr(expr.right, value, own)}`
      break
    default:
      text = `${name(expr.left)}${expr.kind satisfies Comparison}${name(expr.right)}`
  }
  return outer > own ? `(${text})` : text
}

/** The terms of reverse dependencies that have a certain value, one a line; empty when none has. */
export function printReverseDependencies(
  terms: readonly ReverseDependency[],
  wanted: Tristate,
  title: string,
  evaluate: (expr: Expr) => Tristate,
  value: (symbol: KconfigSymbol) => string,
): string {
  let out = ''
  for (const { term } of terms)
    for (const part of alternatives(term))
      if (evaluate(part) === wanted) out += `${out === '' ? title : ''}  - ${printExpr(part, value)}\n`
  return out
}

function alternatives(expr: Expr): Expr[] {
  return expr.kind === 'or' ? [...alternatives(expr.left), ...alternatives(expr.right)] : [expr]
}
