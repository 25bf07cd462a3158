/** What stands between a symbol and a value: the parts of its conditions that are not as they would have to be. */
import type { Configuration } from './configuration.ts'
import { placeOf, promptsOf } from './encoder.ts'
import { printExpr } from './expression-text.ts'
import { atLeast, type Bound, below, conjuncts } from './facts.ts'
import type { KconfigSymbol, Location, Tristate } from './model.ts'
import { displayName, MOD, NO, YES } from './model.ts'

/** Something that is not so, and would have to be. */
export interface Blocker {
  readonly text: string
  readonly at: Location | undefined
  /** it is so as soon as one of these is; empty where nothing in the tree can make it so */
  readonly anyOf: readonly Bound[]
}

/** @param wanted undefined: that its prompt shows is enough, whatever its value (int, hex and string) */
export function blockersOf(
  configuration: Configuration,
  symbol: KconfigSymbol,
  wanted: Tristate | undefined,
): readonly Blocker[] {
  const { tree } = configuration
  const value = (of: KconfigSymbol): string => configuration.text(of)
  const now = configuration.tristate(symbol)
  if (wanted === undefined ? configuration.visibility(symbol) !== NO : now === wanted) return []
  if (wanted !== undefined && configuration.canBe(symbol, wanted)) return []
  const blockers: Blocker[] = []
  if (wanted === MOD && configuration.tristate(tree.modules) === NO)
    blockers.push({
      text: `${displayName(tree.modules)} [=n]: without modules there is no m`,
      at: placeOf(tree.modules.nodes[0]),
      anyOf: [atLeast(tree.modules, 1)],
    })
  const level = wanted === YES && symbol.type === 'tristate' ? 2 : 1
  blockers.push(...hidden(configuration, symbol, wanted, level))
  if (wanted !== undefined && wanted < YES)
    for (const { term, property } of symbol.selectedBy)
      if (configuration.evaluate(term) > wanted)
        blockers.push({
          text: `${printExpr(term, value)} selects it`,
          at: placeOf(property),
          anyOf: [below(term, wanted === NO ? 1 : 2)],
        })
  if (symbol.choice !== undefined && configuration.visibility(symbol) !== NO) {
    const chosen = symbol.choice.members.find((other) => configuration.tristate(other) === YES)
    const prompt = symbol.choice.nodes[0]
    if (wanted === YES && chosen !== undefined && chosen !== symbol)
      blockers.push({
        text: `${displayName(chosen)} [=y] is the answer to "${prompt?.prompt?.text ?? ''}"`,
        at: placeOf(prompt),
        anyOf: [below(chosen, 2)],
      })
    if (wanted !== YES && chosen === symbol)
      blockers.push({
        text: `no other member of "${prompt?.prompt?.text ?? ''}" is y`,
        at: placeOf(prompt),
        anyOf: symbol.choice.members.filter((other) => other !== symbol).map((other) => atLeast(other, 2)),
      })
  }
  return blockers
}

/** What keeps a prompt from showing, or for a symbol without one, what else would have to give it the value. */
function hidden(
  configuration: Configuration,
  symbol: KconfigSymbol,
  wanted: Tristate | undefined,
  level: 1 | 2,
): readonly Blocker[] {
  const value = (of: KconfigSymbol): string => configuration.text(of)
  const ways = promptsOf(symbol).map((prompt) =>
    conjuncts(prompt.condition)
      .filter((part) => configuration.evaluate(part) < level)
      .map(
        (part): Blocker => ({
          text: printExpr(part, value),
          at: placeOf(prompt),
          anyOf: [atLeast(part, level)],
        }),
      ),
  )
  const [first, ...others] = ways
  if (first !== undefined) return others.reduce((best, way) => (way.length < best.length ? way : best), first)
  if (wanted === undefined) return [{ text: 'it has no prompt', at: undefined, anyOf: [] }]
  if (wanted < configuration.tristate(symbol)) {
    const given = configuration.activeProperty(symbol, 'default')
    if (given?.condition === undefined || configuration.selected(symbol) >= configuration.tristate(symbol))
      return []
    return [
      {
        text: `its default, ${printExpr(given.condition, value)}, is in force`,
        at: placeOf(given),
        anyOf: [below(given.condition, wanted === NO ? 1 : 2)],
      },
    ]
  }
  const lifting = [...symbol.selectedBy, ...symbol.impliedBy].map(({ term }) => term)
  const defaults = symbol.properties.filter(
    ({ kind, value: given }) => kind === 'default' && given !== undefined,
  )
  const names = [
    ...lifting.map((term) => printExpr(term, value)),
    ...defaults.map(({ condition }) =>
      condition === undefined ? 'its default' : printExpr(condition, value),
    ),
  ]
  return [
    {
      text: names.length === 0 ? 'it has no prompt, and nothing selects it' : `none of: ${shortList(names)}`,
      at: undefined,
      anyOf: lifting.map((term) => atLeast(term, level)),
    },
  ]
}

export function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 12).join(', ')
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown
}
