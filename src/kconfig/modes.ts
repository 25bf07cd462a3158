/**
 * The ways to answer all questions at once: the values that `make allyesconfig` and its relatives give to every symbol
 * that has none yet.
 */
import type { Configuration } from './configuration.ts'
import type { KconfigSymbol, MenuNode, Tristate } from './model.ts'
import { MOD, NO, YES } from './model.ts'
import { nodeAfter } from './tree.ts'
import { answerInTurn } from './walk-questions.ts'

export type AllMode = 'default' | 'yes' | 'mod' | 'no'

/** Percentages for randconfig. */
export interface Probability {
  readonly boolYes: number
  readonly tristateYes: number
  readonly tristateMod: number
}

/** Numbers from 0 to 2^31 - 1. */
export type Random = () => number

/**
 * Reads KCONFIG_PROBABILITY: one, two or three percentages with colons between.
 * @returns undefined when they are no percentages or add up to more than 100
 */
export function parseProbability(text: string | undefined): Probability | undefined {
  const numbers: number[] = []
  if (text !== undefined && text !== '')
    for (const part of text.split(':').slice(0, 3)) {
      if (!/^\s*\d+$/.test(part) || Number(part) > 100) return undefined
      numbers.push(Number(part))
    }
  const [first, second, third] = numbers
  let probability: Probability = { boolYes: 50, tristateYes: 33, tristateMod: 33 }
  if (first !== undefined && second !== undefined && third !== undefined)
    probability = { boolYes: first, tristateYes: second, tristateMod: third }
  else if (first !== undefined && second !== undefined)
    probability = { boolYes: first + second, tristateYes: first, tristateMod: second }
  else if (first !== undefined) {
    const mod = Math.trunc(first / 2)
    probability = { boolYes: first, tristateYes: first - mod, tristateMod: mod }
  }
  return probability.tristateYes + probability.tristateMod > 100 ? undefined : probability
}

const level: Readonly<Record<Exclude<AllMode, 'default'>, Tristate>> = { yes: YES, mod: MOD, no: NO }

/** Gives every symbol without a value the same one, or for `default` none. */
export function answerAll(configuration: Configuration, mode: AllMode): void {
  if (configuration.tree.dialect.answers === 'in turn') {
    configuration.invalidate()
    answerInTurn(configuration, mode)
    return
  }
  if (configuration.tree.dialect.choices === 'bool') {
    for (const symbol of openQuestions(configuration))
      if (mode !== 'default' && !symbol.isChoice) configuration.raw.setTristate(symbol, level[mode])
    configuration.invalidate()
    return
  }
  const { raw, tree } = configuration
  if (mode !== 'default') for (const symbol of unanswered(configuration)) raw.setTristate(symbol, level[mode])
  configuration.invalidate()
  for (const symbol of tree.walkOrder)
    if ((symbol.isChoice && !hasValue(configuration, symbol)) || symbol.choice !== undefined)
      raw.fillBefore(symbol)
  for (const choice of tree.walkOrder) {
    if (!choice.isChoice || hasValue(configuration, choice)) continue
    configuration.tristate(choice)
    raw.fill(choice)
  }
}

/** Rolls the dice for every symbol without a value. */
export function answerRandomly(configuration: Configuration, random: Random, probability: Probability): void {
  if (configuration.tree.dialect.choices === 'bool') {
    for (const { symbol, node } of openNodes(configuration))
      if (symbol.isChoice) drawOrder(configuration, node, random)
      else configuration.raw.setTristate(symbol, roll(symbol, random, probability))
    configuration.invalidate()
    return
  }
  // One pass makes choices visible whose members have to be drawn in the next.
  while (randomPass(configuration, random, probability));
}

const hasValue = (configuration: Configuration, symbol: KconfigSymbol): boolean =>
  configuration.userValue(symbol) !== undefined

/** Up to 6.11: every bool and tristate, choices included, that has neither a value nor been calculated. */
function* unanswered(configuration: Configuration): Generator<KconfigSymbol> {
  for (const symbol of configuration.tree.walkOrder) {
    if (symbol.type !== 'bool' && symbol.type !== 'tristate') continue
    if (hasValue(configuration, symbol) || configuration.raw.isValid(symbol)) continue
    yield symbol
  }
}

/** 6.12: what has a prompt and no value, in menu order; members of choices are left to their choice. */
function* openNodes(configuration: Configuration): Generator<{ symbol: KconfigSymbol; node: MenuNode }> {
  const { root } = configuration.tree
  for (let node: MenuNode | undefined = root; node !== undefined; node = nodeAfter(node)) {
    const { symbol, prompt } = node
    if (symbol === undefined || prompt === undefined || symbol.choice !== undefined) continue
    if (symbol.type !== 'bool' && symbol.type !== 'tristate') continue
    if (!hasValue(configuration, symbol)) yield { symbol, node }
  }
}
function* openQuestions(configuration: Configuration): Generator<KconfigSymbol> {
  for (const { symbol } of openNodes(configuration)) yield symbol
}

function roll(symbol: KconfigSymbol, random: Random, probability: Probability): Tristate {
  const percent = random() % 100
  if (symbol.type === 'bool') return percent < probability.boolYes ? YES : NO
  if (percent < probability.tristateYes) return YES
  return percent < probability.tristateYes + probability.tristateMod ? MOD : NO
}

function randomPass(configuration: Configuration, random: Random, probability: Probability): boolean {
  const { raw, tree } = configuration
  let changed = false
  for (const symbol of unanswered(configuration)) {
    changed = true
    const value = roll(symbol, random, probability)
    if (symbol.isChoice) raw.storeTristate(symbol, value)
    else raw.setTristate(symbol, value)
  }
  configuration.invalidate()
  for (const choice of tree.walkOrder) {
    if (!choice.isChoice || hasValue(configuration, choice)) continue
    if (configuration.tristate(choice) !== YES) {
      if (tree.dialect.lastChoiceDecides) changed = false
      continue
    }
    changed = true
    const drawn = choice.members[random() % choice.members.length]
    for (const member of choice.members) {
      raw.setTristate(member, member === drawn ? YES : NO)
      raw.forgetValue(member)
    }
    if (drawn !== undefined) raw.pick(choice, drawn)
    raw.markAsUser(choice)
    raw.forgetValue(choice)
  }
  return changed
}

/**
 * 6.12: draws the members of a choice one after the other, all of them y; the first that can be is the chosen one. A
 * member that stands in the choice twice counts twice when the number of draws is set, and then is no longer there.
 */
function drawOrder(configuration: Configuration, choice: MenuNode, random: Random): void {
  const { raw } = configuration
  const members: KconfigSymbol[] = []
  for (let node = choice.firstChild; node !== undefined; node = node.next)
    if (node.symbol !== undefined) members.push(node.symbol)
  const open = (): KconfigSymbol[] => members.filter((member) => !hasValue(configuration, member))
  for (let draws = open().length; draws > 0; draws--) {
    const drawn = open()[random() % draws]
    if (drawn === undefined) continue
    raw.setTristate(drawn, YES)
    raw.preferLast(drawn)
  }
}
