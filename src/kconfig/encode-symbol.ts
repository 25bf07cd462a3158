/** A bool or tristate symbol as propositional logic: the counterpart of `calculateTristate` in configuration.ts. */
import { type Encoder, type Level, levelsOf, promptsOf } from './encoder.ts'
import type { KconfigSymbol } from './model.ts'
import { FALSE, type Literal, not } from './sat.ts'
import {
  defaultFact,
  dependentSelectFact,
  impliedFact,
  modulesFact,
  selectFact,
  waysFact,
} from './symbol-facts.ts'

/** @param mayBeUnmet it is selected against its dependencies in the base, and may stay so */
export function defineSymbol(encoder: Encoder, symbol: KconfigSymbol, mayBeUnmet: boolean): void {
  const { expr, and, or, level } = encoder
  const { tree } = encoder.base
  const modules = level(tree.modules, 1)
  const { has, atLeast: userAtLeast } = encoder.user(symbol)
  const { selectedBy, impliedBy, directDependency } = symbol
  const visible = (at: Level): Literal => or(promptsOf(symbol).map(({ condition }) => expr(condition, at)))
  const answered = and([visible(1), has])
  const implied = (at: Level): Literal => or(impliedBy.map(({ term }) => expr(term, at)))
  const isImplied = implied(1)
  const defaults = symbol.properties.filter((property) => property.kind === 'default')
  const first = encoder.firstMatches(defaults.map(({ condition }) => expr(condition, 1)))
  // FIRST-WITHOUT-DEPENDENCY (finalize.ts): then the direct dependency is not all that the entries need.
  const strict = !mayBeUnmet && symbol.nodes.every((node) => node.dependency !== undefined)

  for (const at of levelsOf(symbol)) {
    const own = level(symbol, at)
    const offModules = at === 2 ? [not(modules)] : []
    const prompted = and([answered, userAtLeast(at), visible(at)])
    const given = defaults.map(({ condition, value }, index) =>
      and([first[index] ?? FALSE, expr(condition, at), expr(value, at)]),
    )
    const impliedNow = and([isImplied, expr(directDependency, at), or([...given, implied(at)])])
    const selected = selectedBy.map(({ term }) => expr(term, at))

    // Something has to lift it.
    const byDefault = or([and([not(isImplied), or(given)]), impliedNow])
    encoder.longFact(
      () => waysFact(tree, symbol, at),
      [not(own), prompted, and([not(answered), byDefault]), ...selected, ...offModules],
    )
    if (strict) encoder.needs(symbol, at, directDependency)

    // What lifts it cannot be refused.
    encoder.clause(not(prompted), own)
    defaults.forEach((property, index) => {
      const literal = given[index] ?? FALSE
      if (literal === FALSE) return
      encoder.fact(() => defaultFact(tree, symbol, property, at), [answered, isImplied, not(literal), own])
    })
    if (impliedNow !== FALSE)
      encoder.fact(() => impliedFact(tree, symbol, at), [answered, not(impliedNow), own])
    selectedBy.forEach((select, index) => {
      const literal = selected[index] ?? FALSE
      if (literal === FALSE) return
      encoder.fact(() => selectFact(symbol, select, at), [not(literal), own])
      if (strict || mayBeUnmet || directDependency === undefined) return
      encoder.fact(
        () => dependentSelectFact(tree, symbol, select, at, directDependency),
        [not(literal), expr(directDependency, at), ...offModules],
      )
    })
  }
  if (symbol.type === 'tristate')
    encoder.fact(() => modulesFact(tree, symbol), [not(level(symbol, 1)), modules, level(symbol, 2)])
}
