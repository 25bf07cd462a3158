/**
 * What stands between a symbol and a value.
 *
 * A value can be had in several *ways*: a prompt shows and the user gives it, a default is in force, something selects
 * or implies the symbol. Each way is a list of conditions that together suffice. Of the best way those that do not hold
 * are what blocks the value; those that do have to go on holding.
 */
import type { Configuration } from './configuration.ts'
import { isLogical, placeOf, promptsOf } from './encoder.ts'
import { printExpr } from './expression-text.ts'
import { atLeast, type Bound, below, boundHolds, conjuncts } from './facts.ts'
import type { Expr, Kconfig, KconfigSymbol, Location, Property, Tristate } from './model.ts'
import { displayName, MOD, NO, YES } from './model.ts'

/** It holds when all bounds of one alternative do; without an alternative, nothing in the tree can make it hold. */
export interface Condition {
  readonly text: string
  readonly at: Location | undefined
  readonly anyOf: readonly (readonly Bound[])[]
}

export interface Obstacles {
  /** conditions that do not hold; when they do, and `keeping` still does, the value can be had */
  readonly blocking: readonly Condition[]
  readonly keeping: readonly Condition[]
}

type Way = readonly Condition[]

export const conditionHolds = (configuration: Configuration, { anyOf }: Condition): boolean =>
  anyOf.some((bounds) => bounds.every((bound) => boundHolds(configuration, bound)))

/** @param wanted undefined: that its prompt shows is enough, whatever its value (int, hex and string) */
export function obstaclesTo(
  configuration: Configuration,
  symbol: KconfigSymbol,
  wanted: Tristate | undefined,
): Obstacles {
  const there =
    wanted === undefined
      ? configuration.visibility(symbol) !== NO
      : configuration.tristate(symbol) === wanted || configuration.canBe(symbol, wanted)
  if (there) return { blocking: [], keeping: [] }
  const ways = waysTo(configuration, symbol, wanted)
  const falseIn = (way: Way): Way => way.filter((condition) => !conditionHolds(configuration, condition))
  const best = ways.reduce((known, way) => (isBetter(falseIn(way), falseIn(known)) ? way : known))
  return {
    blocking: falseIn(best),
    keeping: best.filter((condition) => conditionHolds(configuration, condition)),
  }
}

/** Every way to the value, with and without a prompt; see configuration.ts for what is written down here. */
export function waysTo(
  configuration: Configuration,
  symbol: KconfigSymbol,
  wanted: Tristate | undefined,
): readonly [Way, ...(readonly Way[])] {
  const shown: Property[] = [...promptsOf(symbol)]
  const limits = wanted === undefined ? [] : limitsOf(configuration, symbol, wanted)
  const asked = shown.map((prompt) =>
    distinct([...limits, ...reaching(configuration, symbol, wanted, prompt.condition, placeOf(prompt))]),
  )
  const silent =
    wanted === undefined || symbol.choice !== undefined
      ? []
      : waysWithoutUser(configuration, symbol, wanted).map((way) => distinct([...limits, ...way]))
  const [first, ...others] = [...asked, ...silent]
  if (first !== undefined) return [first, ...others]
  const text = isLogical(symbol) ? 'it has no prompt, and nothing selects it' : 'it has no prompt'
  return [[...limits, { text, at: undefined, anyOf: [] }]]
}

/** Prompts come first; another way is better where a prompt can never show, or takes all of that and more. */
function isBetter(way: Way, known: Way): boolean {
  const possible = way.every(canHold)
  if (possible !== known.every(canHold)) return possible
  const texts = new Set(known.map(({ text }) => text))
  return way.length < known.length && way.every(({ text }) => texts.has(text))
}

// --- conditions -----------------------------------------------------------------------------------------------------

/** A condition that is told in other words when it does not hold. */
function stated(
  configuration: Configuration,
  { holding, failing, at, anyOf }: Omit<Condition, 'text'> & { holding: string; failing: string },
): Condition {
  const text = conditionHolds(configuration, { text: '', at, anyOf }) ? holding : failing
  return { text, at, anyOf }
}

const distinct = (way: Way): Way => [
  ...new Map(way.map((condition) => [condition.text, condition] as const)).values(),
]

/** Each operand of the expression is worth enough for the symbol to be `wanted`: y of a tristate takes y. */
function reaching(
  configuration: Configuration,
  symbol: KconfigSymbol,
  wanted: Tristate | undefined,
  expr: Expr | undefined,
  at: Location | undefined,
): Way {
  const { y } = configuration.tree.constants
  return conjuncts(expr).flatMap((part) =>
    part.kind === 'symbol' && part.symbol === y
      ? []
      : [
          {
            text: printExpr(part, (of) => configuration.text(of)),
            at,
            anyOf: enough(configuration.tree, symbol, wanted, [part]),
          },
        ],
  )
}

/** While modules are off, what is at least m makes a tristate y. */
function enough(
  { modules }: Kconfig,
  symbol: KconfigSymbol,
  wanted: Tristate | undefined,
  parts: readonly (Expr | undefined)[],
): readonly (readonly Bound[])[] {
  const all = (level: 1 | 2): Bound[] =>
    parts.flatMap((part) => (part === undefined ? [] : [atLeast(part, level)]))
  if (wanted !== YES || symbol.type !== 'tristate') return [all(1)]
  return [all(2), [...all(1), below(modules, 1)]]
}

/** What limits the value from above, whichever way it comes: only y has no limit. */
function limitsOf(configuration: Configuration, symbol: KconfigSymbol, wanted: Tristate): Way {
  const { tree } = configuration
  const limits: Condition[] = choiceLimits(configuration, symbol, wanted)
  if (wanted === YES) return limits
  const level = wanted === NO ? 1 : 2
  if (wanted === MOD)
    limits.push({
      text: `${displayName(tree.modules)} [=${configuration.text(tree.modules)}]: without modules there is no m`,
      at: placeOf(tree.modules.nodes[0]),
      anyOf: [[atLeast(tree.modules, 1)]],
    })
  const quiet: Bound[] = []
  const lifting =
    tree.dialect.dependencies === 'direct, imply to y' && wanted === MOD
      ? [...symbol.selectedBy, ...symbol.impliedBy]
      : symbol.selectedBy
  for (const { term, property } of lifting)
    if (configuration.evaluate(term) < level) quiet.push(below(term, level))
    else
      limits.push({
        text: `${printExpr(term, (of) => configuration.text(of))} selects it`,
        at: placeOf(property),
        anyOf: [[below(term, level)]],
      })
  if (quiet.length > 0)
    limits.push({
      text: `nothing${quiet.length < lifting.length ? ' else' : ''} selects it${wanted === MOD ? ' at y' : ''}`,
      at: undefined,
      anyOf: [quiet],
    })
  return limits
}

/** The members of a choice that is answered exclude each other. */
function choiceLimits(configuration: Configuration, symbol: KconfigSymbol, wanted: Tristate): Condition[] {
  const { choice } = symbol
  if (choice === undefined || configuration.visibility(symbol) === NO) return []
  const chosen = choice.members.find((other) => configuration.tristate(other) === YES)
  const node = choice.nodes[0]
  const prompt = node?.prompt?.text ?? ''
  const at = placeOf(node)
  if (wanted === YES && chosen !== undefined && chosen !== symbol)
    return [
      { text: `${displayName(chosen)} [=y] is the answer to "${prompt}"`, at, anyOf: [[below(chosen, 2)]] },
    ]
  if (wanted === YES || chosen !== symbol) return []
  const others = choice.members.filter((other) => other !== symbol)
  return [
    { text: `no other member of "${prompt}" is y`, at, anyOf: others.map((other) => [atLeast(other, 2)]) },
  ]
}

// --- without a prompt -----------------------------------------------------------------------------------------------

/** A default, a select, an imply: what has to be worth how much for the symbol to get the value from it. */
interface Source {
  readonly name: string
  readonly at: Location | undefined
  readonly parts: readonly (Expr | undefined)[]
  readonly others: readonly Bound[]
}

function waysWithoutUser(configuration: Configuration, symbol: KconfigSymbol, wanted: Tristate): Way[] {
  const hidden = promptsOf(symbol).map((prompt) =>
    stated(configuration, {
      holding: `"${prompt.text}" is not asked`,
      failing: `"${prompt.text}" is asked`,
      at: placeOf(prompt),
      anyOf: refused(prompt.condition, 1),
    }),
  )
  const ceiling = wanted === YES ? [] : ceilings(configuration, symbol, wanted === NO ? 1 : 2)
  if (wanted === NO) return [[...hidden, ...ceiling]]
  const sources = sourcesOf(configuration, symbol)
  const [only, ...more] = sources
  if (only === undefined) return []
  // A select lifts the symbol whether its prompt shows or not; but then there is a prompt to be told of.
  if (more.length === 0 || hidden.length > 0)
    return sources.map((source) => {
      const parts = source.parts.flatMap((part) => reaching(configuration, symbol, wanted, part, source.at))
      const order =
        source.others.length === 0
          ? []
          : [
              stated(configuration, {
                holding: 'no earlier default is in force',
                failing: 'an earlier default is in force',
                at: source.at,
                anyOf: [source.others],
              }),
            ]
      return [...hidden, ...ceiling, ...parts, ...order]
    })
  const anyOf = sources.flatMap(({ parts, others }) =>
    enough(configuration.tree, symbol, wanted, parts).map((bounds) => [...bounds, ...others]),
  )
  const text = `none of: ${shortList(sources.map(({ name }) => name))}`
  return [[...ceiling, { text, at: undefined, anyOf }]]
}

function sourcesOf(configuration: Configuration, symbol: KconfigSymbol): readonly Source[] {
  const print = (expr: Expr): string => printExpr(expr, (of) => configuration.text(of))
  const sources: Source[] = []
  for (const { term, property } of symbol.selectedBy)
    sources.push({ name: print(term), at: placeOf(property), parts: [term], others: [] })
  for (const { term, property } of symbol.impliedBy)
    sources.push({
      name: print(term),
      at: placeOf(property),
      parts: [term, symbol.directDependency],
      others: [],
    })
  const earlier: Bound[] = []
  for (const property of defaultsOf(symbol)) {
    const { condition, value } = property
    const name = condition === undefined ? 'its default' : print(condition)
    sources.push({ name, at: placeOf(property), parts: [condition, value], others: [...earlier] })
    if (condition === undefined) break
    earlier.push(below(condition, 1))
  }
  return sources
}

/** That no default and no imply lifts the symbol to the level. */
function ceilings(configuration: Configuration, symbol: KconfigSymbol, level: 1 | 2): Way {
  const print = (expr: Expr): string => printExpr(expr, (of) => configuration.text(of))
  const limits: Condition[] = []
  const earlier: (readonly Bound[])[] = []
  for (const property of defaultsOf(symbol)) {
    const { condition, value } = property
    const what = condition === undefined ? '' : `, ${print(condition)},`
    limits.push(
      stated(configuration, {
        holding: `its default${what} is not in force`,
        failing: `its default${what} is in force`,
        at: placeOf(property),
        anyOf: [...refused(condition, level), ...refused(value, level), ...earlier],
      }),
    )
    if (condition === undefined) break
    earlier.push([atLeast(condition, 1)])
  }
  for (const { term, property } of symbol.impliedBy)
    limits.push(
      stated(configuration, {
        holding: `${print(term)} does not imply it`,
        failing: `${print(term)} implies it`,
        at: placeOf(property),
        anyOf: [...refused(term, level), ...refused(symbol.directDependency, level)],
      }),
    )
  return limits
}

const refused = (expr: Expr | undefined, level: 1 | 2): readonly (readonly Bound[])[] =>
  expr === undefined ? [] : [[below(expr, level)]]

const defaultsOf = (symbol: KconfigSymbol): readonly Property[] =>
  symbol.properties.filter(({ kind, value }) => kind === 'default' && value !== undefined)

// --- what can never be ----------------------------------------------------------------------------------------------

const canHold = ({ anyOf }: Condition): boolean => anyOf.some((bounds) => bounds.every(canBoundHold))

function canBoundHold({ of, level, holds }: Bound): boolean {
  const [least, most] = 'depth' in of ? rangeOf(of) : rangeOfSymbol(of)
  return holds ? most >= level : least < level
}

/** Between what values an expression lies whatever is configured: symbols that no file defines are n. */
function rangeOf(expr: Expr): readonly [Tristate, Tristate] {
  switch (expr.kind) {
    case 'symbol':
      return rangeOfSymbol(expr.symbol)
    case 'not': {
      const [least, most] = rangeOf(expr.operand)
      return [(2 - most) as Tristate, (2 - least) as Tristate]
    }
    case 'and':
    case 'or': {
      const pick = expr.kind === 'and' ? Math.min : Math.max
      const [left, right] = [rangeOf(expr.left), rangeOf(expr.right)]
      return [pick(left[0], right[0]) as Tristate, pick(left[1], right[1]) as Tristate]
    }
    default:
      return [NO, YES]
  }
}

function rangeOfSymbol(symbol: KconfigSymbol): readonly [Tristate, Tristate] {
  if (symbol.constant && symbol.name === 'y') return [YES, YES]
  if (symbol.constant && symbol.name === 'm') return [MOD, MOD]
  return symbol.nodes.length === 0 && !symbol.isChoice ? [NO, NO] : [NO, YES]
}

export function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 12).join(', ')
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown
}
