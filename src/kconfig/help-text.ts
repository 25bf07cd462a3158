/** The text behind `?` at a question: help, and everything that is known about the symbol, as the kernel prints it. */
import type { Configuration } from './configuration.ts'
import { printExpr, printReverseDependencies } from './expression-text.ts'
import { createExpressions } from './expressions.ts'
import { helpBlockText } from './help-block.ts'
import type { Expr, KconfigSymbol, MenuNode, ReverseDependency, Tristate } from './model.ts'
import { MOD, NO, YES } from './model.ts'
import { typeName } from './parser.ts'

/** How many menus up a location is told. */
const LOCATION_DEPTH = 8

export function helpText(configuration: Configuration, node: MenuNode): string {
  const { symbol } = node
  const prefix = configuration.tree.dialect.configPrefix
  let out = ''
  if (node.help === undefined) out += 'There is no help available for this option.\n'
  else
    out += `${symbol?.name === undefined ? '' : `${prefix}${symbol.name}:\n\n`}${helpBlockText(node.help)}\n`
  return symbol === undefined ? out : out + symbolText(configuration, symbol)
}

export function symbolText(configuration: Configuration, symbol: KconfigSymbol): string {
  const value = (of: KconfigSymbol): string => configuration.text(of)
  const expr = (of: Expr): string => printExpr(of, value)
  let out = ''
  if (symbol.name !== undefined) {
    out += `Symbol: ${symbol.name} [=${value(symbol)}]\nType  : ${typeName(symbol.type)}\n`
    const range =
      symbol.type === 'int' || symbol.type === 'hex'
        ? configuration.activeProperty(symbol, 'range')
        : undefined
    if (range?.low !== undefined && range.high !== undefined) {
      const bound = (of: KconfigSymbol): string =>
        of.type === 'unknown' ? (of.name ?? '') : `${of.name ?? ''} [=${value(of)}]`
      out += `Range : [${bound(range.low)} ${bound(range.high)}]\n`
    }
  }
  const dependency = (of: Expr | undefined, title: string): string =>
    of === undefined || of === alwaysOf(configuration, of) ? '' : `${title}${expr(of)}\n`

  for (const node of symbol.nodes) {
    const { prompt } = node
    if (prompt === undefined) continue
    out += `Defined at ${node.file}:${node.line}\n  Prompt: ${prompt.text ?? ''}\n`
    out += dependency(node.dependency, '  Depends on: ')
    if (!sameCondition(configuration, node.dependency, prompt.condition))
      out += dependency(prompt.condition, '  Visible if: ')
    out += location(configuration, node)
  }
  for (const node of symbol.nodes)
    if (node.prompt === undefined)
      out += `Defined at ${node.file}:${node.line}\n${dependency(node.dependency, '  Depends on: ')}`

  const targets = (kind: 'select' | 'imply', title: string): string => {
    const names = symbol.properties
      .filter((property) => property.kind === kind)
      .map(({ target }) =>
        target === undefined
          ? ''
          : target.type === 'unknown'
            ? (target.name ?? '')
            : `${target.name ?? ''} [=${value(target)}]`,
      )
    return names.length === 0 ? '' : `${title}${names.join(' && ')}\n`
  }
  const reverse = (terms: readonly ReverseDependency[], word: string): string =>
    ([YES, MOD, NO] as readonly Tristate[])
      .map((wanted) =>
        printReverseDependencies(
          terms,
          wanted,
          `${word} by [${wanted === YES ? 'y' : wanted === MOD ? 'm' : 'n'}]:\n`,
          configuration.evaluate,
          value,
        ),
      )
      .join('')
  out += targets('select', 'Selects: ') + reverse(symbol.selectedBy, 'Selected')
  out += targets('imply', 'Implies: ') + reverse(symbol.impliedBy, 'Implied')
  return `${out}\n\n`
}

function location(configuration: Configuration, from: MenuNode): string {
  const path: MenuNode[] = []
  const { root } = configuration.tree
  for (
    let node: MenuNode | undefined = from;
    node !== undefined && node !== root && path.length < LOCATION_DEPTH;
    node = node.parent
  ) {
    // Asking makes conf look whether the menu is visible, which can count a symbol as answered.
    configuration.isMenuVisible(node)
    path.push(node)
  }
  let out = '  Location:\n'
  for (const [depth, node] of path.reverse().entries()) {
    const { symbol } = node
    out += `${' '.repeat(4 + 2 * depth)}-> ${node.prompt?.text ?? symbol?.name ?? '(null)'}`
    if (symbol !== undefined) out += ` (${symbol.name ?? '<choice>'} [=${configuration.text(symbol)}])`
    out += '\n'
  }
  return out
}

const alwaysOf = (configuration: Configuration, expr: Expr): Expr | undefined =>
  expr.kind === 'symbol' && expr.symbol === configuration.tree.constants.y ? expr : undefined

/** Equal but for the order of operands. Expressions of one table, so the comparison may make new ones in its own. */
function sameCondition(configuration: Configuration, a: Expr | undefined, b: Expr | undefined): boolean {
  if (a === b) return true
  const expressions = createExpressions(configuration.tree.constants)
  const copy = (expr: Expr): Expr => {
    switch (expr.kind) {
      case 'symbol':
        return expressions.symbol(expr.symbol)
      case 'not':
        return expressions.not(copy(expr.operand))
      case 'and':
        return expressions.and(copy(expr.left), copy(expr.right))
      case 'or':
        return expressions.or(copy(expr.left), copy(expr.right))
      default:
        return expressions.compare(expr.kind, expr.left, expr.right)
    }
  }
  return expressions.equal(a && copy(a), b && copy(b))
}
