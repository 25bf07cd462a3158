/** Why each assignment of a plan is there: the way from a wish to it, along what the values now hang on. */
import type { Configuration } from './configuration.ts'
import { tristateText } from './configuration.ts'
import type { Step } from './contradiction.ts'
import { isLogical, placeOf, promptsOf } from './encoder.ts'
import { printExpr } from './expression-text.ts'
import { conjuncts } from './facts.ts'
import type { Expr, KconfigSymbol } from './model.ts'
import { displayName, MOD, NO } from './model.ts'

/** Something that holds now and that something else hangs on. */
interface Support {
  readonly symbol: KconfigSymbol
  readonly step: Step
}

/**
 * @param starts the symbols wished for, each with the words for that
 * @param wanted the symbols to find ways to
 * @returns for each the steps from a wish to it; without an entry where no way was found
 */
export function reasonsFor(
  configuration: Configuration,
  starts: readonly Support[],
  wanted: ReadonlySet<KconfigSymbol>,
): ReadonlyMap<KconfigSymbol, readonly Step[]> {
  const from = new Map<KconfigSymbol, { readonly step: Step; readonly parent: KconfigSymbol | undefined }>()
  const queue: KconfigSymbol[] = []
  let missing = wanted.size
  const reach = ({ symbol, step }: Support, parent: KconfigSymbol | undefined): void => {
    if (symbol.constant || from.has(symbol)) return
    from.set(symbol, { step, parent })
    queue.push(symbol)
    if (wanted.has(symbol)) missing--
  }
  for (const start of starts) reach(start, undefined)
  for (let at = 0; at < queue.length && missing > 0; at++) {
    const symbol = queue[at]
    if (symbol !== undefined) for (const support of supportsOf(configuration, symbol)) reach(support, symbol)
  }
  const reasons = new Map<KconfigSymbol, readonly Step[]>()
  for (const symbol of wanted) {
    const steps: Step[] = []
    for (let at = from.has(symbol) ? symbol : undefined; at !== undefined; ) {
      const link = from.get(at)
      if (link === undefined) break
      steps.unshift(link.step)
      at = link.parent
    }
    if (steps.length > 0) reasons.set(symbol, steps)
  }
  return reasons
}

function* supportsOf(configuration: Configuration, symbol: KconfigSymbol): Generator<Support> {
  const { tree } = configuration
  const name = displayName(symbol)
  const value = configuration.tristate(symbol)
  const logical = isLogical(symbol)
  const here = placeOf(symbol.nodes[0])
  const on = !logical || value !== NO
  if (on) {
    for (const prompt of promptsOf(symbol))
      if (configuration.evaluate(prompt.condition) !== NO)
        for (const part of conjuncts(prompt.condition))
          yield* holding(configuration, part, {
            text: `${name} depends on ${printExpr(part)}`,
            at: placeOf(prompt.node),
          })
    if (value === MOD)
      yield {
        symbol: tree.modules,
        step: {
          text: `${name}=m needs ${displayName(tree.modules)}`,
          at: placeOf(tree.modules.nodes[0]),
        },
      }
    for (const { selector, term, property } of symbol.selectedBy)
      if (selector !== undefined && configuration.evaluate(term) !== NO)
        yield* holding(configuration, term, {
          text: `${name} is selected by ${displayName(selector)}`,
          at: placeOf(property ?? selector.nodes[0]),
        })
    for (const part of conjuncts(symbol.directDependency))
      yield* holding(configuration, part, { text: `${name} depends on ${printExpr(part)}`, at: here })
    const given = configuration.activeProperty(symbol, 'default')
    if (given !== undefined)
      for (const part of [given.value, given.condition])
        if (part !== undefined)
          yield* holding(configuration, part, { text: `${name} takes its default`, at: placeOf(given) })
    for (const { selector, term, property } of symbol.impliedBy)
      if (selector !== undefined && configuration.evaluate(term) !== NO)
        yield* holding(configuration, term, {
          text: `${name} is implied by ${displayName(selector)}`,
          at: placeOf(property),
        })
    for (const property of symbol.properties)
      if (property.kind === 'select' && property.target !== undefined)
        yield {
          symbol: property.target,
          step: { text: `${name} selects ${displayName(property.target)}`, at: placeOf(property) },
        }
  } else {
    for (const { selector, term, property } of symbol.selectedBy)
      if (selector !== undefined)
        yield* holding(configuration, term, {
          text: `${displayName(selector)} would select ${name}`,
          at: placeOf(property ?? selector.nodes[0]),
        })
    for (const { condition, node } of promptsOf(symbol))
      if (condition !== undefined && configuration.evaluate(condition) === NO)
        yield* holding(configuration, condition, {
          text: `${name} goes away without ${printExpr(condition)}`,
          at: placeOf(node),
        })
  }
  if (logical && value < 2)
    for (const property of symbol.properties)
      if (property.kind === 'default' && property.condition !== undefined)
        yield* holding(configuration, property.condition, {
          text: `${name} has the default ${property.value ? printExpr(property.value) : tristateText(value)}`,
          at: placeOf(property),
        })
  if (symbol.choice !== undefined)
    for (const other of symbol.choice.members)
      yield {
        symbol: other,
        step: {
          text: `${name} and ${displayName(other)} are in the same choice`,
          at: placeOf(symbol.choice.nodes[0]),
        },
      }
}

/** The symbols that make the expression worth what it is worth, each with the step that leads to it. */
function* holding(configuration: Configuration, expr: Expr, step: Step): Generator<Support> {
  switch (expr.kind) {
    case 'symbol':
      yield { symbol: expr.symbol, step }
      break
    case 'not':
      yield* holding(configuration, expr.operand, step)
      break
    case 'and':
    case 'or': {
      const value = configuration.evaluate(expr)
      // An "and" that is on takes all its operands, those that are worth more than it is too.
      const takesAll = expr.kind === 'and' && value !== NO
      for (const side of [expr.left, expr.right])
        if (takesAll || configuration.evaluate(side) === value) yield* holding(configuration, side, step)
      break
    }
    default:
      yield { symbol: expr.left, step }
      yield { symbol: expr.right, step }
  }
}
