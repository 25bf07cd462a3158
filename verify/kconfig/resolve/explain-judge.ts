/**
 * Judges the blocking sets of `explain`: each part is false; with all of them true the value can be had, and with all
 * but one it cannot, both as the tree's own code sees it. What holds already and is needed too (`keeping`) stays so.
 */
import { type Condition, conditionHolds, waysTo } from '../../../src/kconfig/blockers.ts'
import type { Bound } from '../../../src/kconfig/facts.ts'
import { type BoundWish, searchPlans } from '../../../src/kconfig/fewest-changes.ts'
import {
  type Configuration,
  createConfiguration,
  explain,
  type KconfigSymbol,
  type Random,
  readConfig,
  writeConfig,
} from '../../../src/kconfig/index.ts'
import { applied, createTrials, type Decision, unmetSymbols } from '../../../src/kconfig/trial.ts'
import type { Subject } from './subject.ts'

export interface ExplainTally {
  asked: number
  parts: number
  /** sets of which all parts can be true together, and then the value was there */
  attained: number
  /** sets whose parts cannot all be true together: proved, not tried */
  contradictory: number
  /** parts that were false alone, and then the value was not there */
  needed: number
  /** parts that cannot be false while the others are true: proved */
  implied: number
  readonly failures: string[]
}

const newExplainTally = (): ExplainTally => ({
  asked: 0,
  parts: 0,
  attained: 0,
  contradictory: 0,
  needed: 0,
  implied: 0,
  failures: [],
})

/** The base with one more line. @returns undefined when the value is not lost that way */
function dropped(
  base: string,
  subject: Subject,
  symbol: KconfigSymbol,
  value: 'n' | 'm' | 'y',
): Configuration | undefined {
  const configuration = createConfiguration(subject.tree)
  readConfig(configuration, base, { name: '.config' })
  const decision: Decision = { symbol, value: value === 'y' ? 2 : value === 'm' ? 1 : 0, text: undefined }
  const lost = applied(configuration, [decision])
  return lost.text(symbol) === value ? undefined : lost
}

/** @param lost a configuration in which the user gave the symbol the value, and it has another */
async function judgeExplanation(
  subject: Subject,
  lost: Configuration,
  symbol: KconfigSymbol,
  value: 'n' | 'm' | 'y',
  tally: ExplainTally,
): Promise<void> {
  const name = symbol.name ?? ''
  const fail = (text: string): void => {
    tally.failures.push(`${name}=${value}: ${text}`)
  }
  const result = explain(lost, name)
  if (!result.ok) return fail(result.error.message)
  const { blocking, keeping, wanted } = result.value
  tally.asked++
  tally.parts += blocking.length
  if (wanted !== value) fail(`it explains ${wanted}`)
  if (blocking.length === 0) return fail('nothing is said to block it')
  for (const part of blocking) if (conditionHolds(lost, part)) fail(`"${part.text}" does not block`)
  for (const part of keeping) if (!conditionHolds(lost, part)) fail(`"${part.text}" does not hold`)

  const tryOut = createTrials(lost)
  const plan = (wishes: readonly BoundWish[]): readonly Decision[] | undefined | 'undecided' => {
    const search = searchPlans(lost, wishes, tryOut, { unmet: unmetSymbols(lost), effort: 20_000 })
    const found = search.next()
    if (found.type === 'undecided') return 'undecided'
    return found.type === 'found' ? found.plan.decisions : undefined
  }
  /** What the tree's own code makes of the symbol, when it is set on top of a plan. */
  const outcome = async (decisions: readonly Decision[]): Promise<string> => {
    const asked: Decision = { symbol, value: value === 'y' ? 2 : value === 'm' ? 1 : 0, text: undefined }
    const lines = [...decisions.filter((each) => each.symbol !== symbol), asked].map((decision) =>
      lineFor(decision),
    )
    return (await subject.driver.ask(lines, [name])).values[0] ?? ''
  }

  const all = plan([...blocking, ...keeping])
  if (all === 'undecided') fail('undecided')
  else if (all === undefined) tally.contradictory++
  else if ((await outcome(all)) === value) tally.attained++
  else fail('all is as it was said to have to be, and the value is still not there')

  const level = value === 'y' ? 2 : value === 'm' ? 1 : 0
  const otherWays = waysTo(lost, symbol, level).filter(
    (way) => !blocking.every((part) => includes(way, part)),
  )
  const closed = otherWays.map((way): BoundWish => ({ anyOf: way.flatMap(negated) }))
  for (const part of blocking) {
    const others = [...blocking.filter((other) => other !== part), ...keeping]
    const opposite = part.anyOf.map((bounds): BoundWish => ({ anyOf: bounds.map((bound) => [not(bound)]) }))
    // Another way may open by chance; only where it always does is the part needless.
    const apart = plan([...others, ...opposite, ...closed])
    const without = apart ?? plan([...others, ...opposite])
    if (without === 'undecided') fail('undecided')
    else if (without === undefined) tally.implied++
    else if ((await outcome(without)) === value) fail(`"${part.text}" could be left out`)
    else tally.needed++
  }
}

const not = (bound: Bound): Bound => ({ ...bound, holds: !bound.holds })
const includes = (way: readonly Condition[], part: Condition): boolean =>
  way.some(({ text }) => text === part.text)

/** The alternatives under which a condition does not hold: one bound of each of its own. */
const negated = ({ anyOf }: Condition): readonly (readonly Bound[])[] =>
  anyOf.reduce<readonly (readonly Bound[])[]>(
    (sofar, bounds) => sofar.flatMap((chosen) => bounds.map((bound) => [...chosen, not(bound)])),
    [[]],
  )

const lineFor = ({ symbol, value, text }: Decision): string => {
  const name = symbol.name ?? ''
  if (text !== undefined) return `CONFIG_${name}=${symbol.type === 'string' ? JSON.stringify(text) : text}`
  return value === 0 ? `# CONFIG_${name} is not set` : `CONFIG_${name}=${value === 2 ? 'y' : 'm'}`
}

/** Explains so many values that were dropped, from the subject's base, drawn at random. */
export async function explainDropped(subject: Subject, count: number, random: Random): Promise<ExplainTally> {
  const tally = newExplainTally()
  const text = writeConfig(subject.base)
  const symbols = subject.tree.symbols.filter(
    ({ type, name, isChoice, nodes }) =>
      (type === 'bool' || type === 'tristate') && name !== undefined && !isChoice && nodes.length > 0,
  )
  while (tally.asked < count) {
    const symbol = symbols[random() % symbols.length]
    if (symbol === undefined) break
    const value = symbol.type === 'bool' || random() % 2 === 0 ? 'y' : 'm'
    const lost = dropped(text, subject, symbol, value)
    if (lost !== undefined) await judgeExplanation(subject, lost, symbol, value, tally)
  }
  return tally
}
