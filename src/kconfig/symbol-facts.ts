/** The facts that define a bool or tristate symbol, in words and as claims (facts.ts). */
import type { Level } from './encoder.ts'
import { placeOf, promptsOf } from './encoder.ts'
import { printExpr } from './expression-text.ts'
import { atLeast, type Bound, below, type Fact } from './facts.ts'
import type { Expr, Kconfig, KconfigSymbol, Property, ReverseDependency } from './model.ts'
import { displayName } from './model.ts'

/** How many ways to a value are listed one by one. */
const LISTED = 7

const letter = (symbol: KconfigSymbol, level: Level): string =>
  level === 2 || symbol.type === 'bool' ? 'y' : 'm'
const always = (tree: Kconfig, of: Expr | undefined, level: Level): Bound =>
  atLeast(of ?? tree.constants.y, level)
const notAtAll = (tree: Kconfig, condition: Expr | undefined): Bound =>
  below(condition ?? tree.constants.y, 1)

/** That it is so at y, as far as it goes beyond m: while modules are off a tristate is y as soon as it could be m. */
const whileModules = (tree: Kconfig, level: Level): readonly Bound[] =>
  level === 2 ? [atLeast(tree.modules, 1)] : []

/** For a claim about defaults: no prompt shows. */
const silent = (tree: Kconfig, symbol: KconfigSymbol): readonly Bound[] =>
  promptsOf(symbol).map(({ condition }) => notAtAll(tree, condition))

export const needsFact = (tree: Kconfig, symbol: KconfigSymbol, level: Level, part: Expr): Fact => ({
  text: `${displayName(symbol)}=${letter(symbol, level)} needs ${printExpr(part)}`,
  at: placeOf(symbol.nodes[0]),
  claim: {
    premises: [atLeast(symbol, level), ...whileModules(tree, level)],
    alternatives: [atLeast(part, level)],
  },
})

/** Everything that can lift the symbol: something of it has to. */
export function waysFact(tree: Kconfig, symbol: KconfigSymbol, level: Level): Fact {
  const parts: string[] = []
  const ways: Bound[] = []
  for (const { condition, text, kind, value, file, line } of symbol.properties) {
    const where = condition === undefined ? '' : ` if ${printExpr(condition)}`
    if (text !== undefined) {
      parts.push(`its prompt${where}`)
      ways.push(always(tree, condition, level))
    } else if (kind === 'default') {
      parts.push(`the default ${value ? printExpr(value) : 'y'}${where} (${file}:${line})`)
      ways.push(always(tree, value, level))
    }
  }
  const lift = (verb: string, { selector, term, property }: ReverseDependency): void => {
    ways.push(atLeast(term, level))
    if (selector === undefined) return
    const place = property === undefined ? '' : ` (${property.file}:${property.line})`
    parts.push(`${verb} of ${displayName(selector)}${place}`)
  }
  for (const term of symbol.selectedBy) lift('select', term)
  for (const term of symbol.impliedBy) lift('imply', term)
  const more = parts.length - LISTED
  const shown = more > 1 ? [...parts.slice(0, LISTED), `${more} more`] : parts
  const text =
    parts.length === 0
      ? `${displayName(symbol)} has no prompt, and nothing selects it or gives it a default`
      : `${displayName(symbol)}=${letter(symbol, level)} comes from ${shown.join('; or ')}, and nothing else`
  const premises = [atLeast(symbol, level), ...whileModules(tree, level)]
  return { text, at: placeOf(symbol.nodes[0]), claim: { premises, alternatives: ways } }
}

export function defaultFact(tree: Kconfig, symbol: KconfigSymbol, property: Property, level: Level): Fact {
  const earlier = symbol.properties.filter(
    (other) => other.kind === 'default' && other.index < property.index,
  )
  const condition = property.condition === undefined ? '' : ` if ${printExpr(property.condition)}`
  const value = property.value === undefined ? 'y' : printExpr(property.value)
  const hidden = promptsOf(symbol).length > 0 ? ', where its prompt does not show' : ''
  return {
    text: `${displayName(symbol)} is ${value} by default${condition}${hidden}`,
    at: placeOf(property),
    claim: {
      premises: [
        ...silent(tree, symbol),
        ...earlier.map((other) => notAtAll(tree, other.condition)),
        always(tree, property.condition, level),
        always(tree, property.value, level),
        ...symbol.impliedBy.map(({ term }) => below(term, 1)),
      ],
      alternatives: [atLeast(symbol, level)],
    },
  }
}

export const impliedFact = (tree: Kconfig, symbol: KconfigSymbol, level: Level): Fact => ({
  text: `${symbol.impliedBy.map(({ term }) => printExpr(term)).join(' or ')} implies ${displayName(symbol)}`,
  at: placeOf(symbol.nodes[0]),
  claim: {
    premises: [
      ...silent(tree, symbol),
      always(tree, symbol.directDependency, level),
      ...symbol.impliedBy.map(({ term }) => atLeast(term, level)),
    ],
    alternatives: [atLeast(symbol, level)],
  },
})

export const selectFact = (
  symbol: KconfigSymbol,
  { term, selector, property }: ReverseDependency,
  level: Level,
): Fact => ({
  text:
    selector === undefined
      ? `${displayName(symbol)} cannot be switched off`
      : `${printExpr(term)} selects ${displayName(symbol)}`,
  at: placeOf(property ?? symbol.nodes[0]),
  claim: { premises: [atLeast(term, level)], alternatives: [atLeast(symbol, level)] },
})

/** No select may go against the direct dependency. */
export const dependentSelectFact = (
  tree: Kconfig,
  symbol: KconfigSymbol,
  { term, property }: ReverseDependency,
  level: Level,
  dependency: Expr,
): Fact => ({
  text: `${printExpr(term)} selects ${displayName(symbol)}, which depends on ${printExpr(dependency)}`,
  at: placeOf(property ?? symbol.nodes[0]),
  claim: {
    premises: [atLeast(term, level), ...whileModules(tree, level)],
    alternatives: [atLeast(dependency, level)],
  },
})

export const modulesFact = ({ modules }: Kconfig, symbol: KconfigSymbol): Fact => ({
  text: `${displayName(symbol)}=m needs ${displayName(modules)}: without modules it is y`,
  at: placeOf(modules.nodes[0]),
  claim: { premises: [atLeast(symbol, 1), below(symbol, 2)], alternatives: [atLeast(modules, 1)] },
})

export const undefinedFact = (symbol: KconfigSymbol): Fact => ({
  text:
    symbol.nodes.length === 0
      ? `${displayName(symbol)} is not defined here, so it is always n`
      : `${displayName(symbol)} is of type ${symbol.type}, which counts as n`,
  at: placeOf(symbol.nodes[0]),
  claim: { premises: [atLeast(symbol, 1)], alternatives: [] },
})
