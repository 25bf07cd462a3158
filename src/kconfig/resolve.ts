/**
 * The question that the kernel's tool does not answer: what else has to be set, so that these symbols get these values?
 *
 * An answer is a set of assignments with three properties, each checked against the evaluator and not only believed:
 * with them every request holds, no select goes against direct dependencies that did not before, and none of them can
 * be left out. Of several, the one with the fewest symbols is taken, then the one that builds less in, then the one
 * that leaves alone for whom and by what the kernel is built. A refusal is a proof: facts of the tree, each with its
 * place, that no configuration can bear out together with the requests.
 */
import type { Configuration } from './configuration.ts'
import { contradiction, type Step, type WishStep } from './contradiction.ts'
import { isLogical } from './encoder.ts'
import { type Plan, searchPlans } from './fewest-changes.ts'
import type { KconfigSymbol, Location, Tristate } from './model.ts'
import { displayName, MOD, NO, YES } from './model.ts'
import { nearbyNames } from './nearby-names.ts'
import { isValidText } from './numbers.ts'
import { reasonsFor } from './reasons.ts'
import { applied, createTrials, type Decision, unmetSymbols } from './trial.ts'

export interface Request {
  readonly name: string
  /** y, m, n, or the text of an int, hex or string */
  readonly value: string
  /** who asked, for explanations: "requested by feature wifi, system.ts:14" */
  readonly origin?: string
  /** for a request of m: y would do as well, where m cannot be */
  readonly acceptsBuiltIn?: boolean
}

export interface ResolvedAssignment {
  readonly name: string
  readonly value: string
  /** true for what was asked for, false for what had to be added */
  readonly requested: boolean
  /** why it is needed, from the request to this symbol */
  readonly reason: readonly Step[]
  readonly at: Location | undefined
}

export type Resolution =
  | { readonly ok: true; readonly value: Resolved }
  | { readonly ok: false; readonly error: ResolveError }

/** Assignments that make the requests true; nothing can be left out. */
export interface ResolvedSet {
  /** requests first */
  readonly assignments: readonly ResolvedAssignment[]
  /** proved: no set adds fewer symbols to those requested (and has m as often, where y would do too) */
  readonly fewest: boolean
}

export interface Resolved extends ResolvedSet {
  /** the base with the assignments in it */
  readonly configuration: Configuration
  /** other sets, as many as were asked for, the best first; none contains another */
  readonly alternatives: readonly ResolvedSet[]
}

export type ResolveError =
  | {
      readonly type: 'unknown-symbol'
      readonly message: string
      readonly name: string
      readonly near: readonly string[]
    }
  | { readonly type: 'invalid-value'; readonly message: string; readonly name: string }
  /** no assignments can make all requests true together; `shortest`: no fewer facts would show it */
  | {
      readonly type: 'impossible'
      readonly message: string
      readonly steps: readonly Step[]
      readonly shortest: boolean
    }
  /** the search was cut short */
  | { readonly type: 'undecided'; readonly message: string }

export interface ResolveOptions {
  /** how often the solver may be asked; default 20000 */
  readonly effort?: number
  /** how many other sets to look for; default none */
  readonly alternatives?: number
}

const EFFORT = 20_000

const letters: Readonly<Record<string, Tristate>> = { n: NO, m: MOD, y: YES }

/** `resolve` for one base: what can be used again from one question to the next is kept. */
export type Resolver = (requests: readonly Request[], options?: ResolveOptions) => Resolution

export const resolve = (
  base: Configuration,
  requests: readonly Request[],
  options: ResolveOptions = {},
): Resolution => createResolver(base)(requests, options)

export function createResolver(base: Configuration): Resolver {
  const unmet = unmetSymbols(base)
  const tryOut = createTrials(base)
  return (requests, options = {}) => {
    const wished = wishesOf(base, requests)
    if (!Array.isArray(wished)) return { ok: false, error: wished }
    const wishes = wished.map(({ wish }) => wish)
    const search = searchPlans(base, wishes, tryOut, { unmet, effort: options.effort ?? EFFORT })
    const result = search.next()
    const asked = requests.map(({ name, value }) => `${name}=${value}`).join(' ')
    if (result.type === 'undecided')
      return { ok: false, error: { type: 'undecided', message: `${asked} was neither found nor ruled out` } }
    if (result.type === 'impossible') {
      const { steps, shortest } = contradiction(base, wished, result.looked, unmet)
      const message = [`${asked} cannot be`, ...steps.map(stepText)].join('\n  ')
      return { ok: false, error: { type: 'impossible', message, steps, shortest } }
    }
    const alternatives: ResolvedSet[] = []
    while (alternatives.length < (options.alternatives ?? 0)) {
      const other = search.next()
      if (other.type !== 'found') break
      alternatives.push(setOf(base, wished, other.plan))
    }
    const { plan } = result
    let configuration: Configuration | undefined
    return {
      ok: true,
      value: {
        ...setOf(base, wished, plan),
        alternatives,
        get configuration() {
          configuration ??= applied(base, plan.decisions)
          return configuration
        },
      },
    }
  }
}

export const stepText = ({ text, at }: Step): string =>
  at === undefined ? text : `${text} (${at.file}:${at.line})`

/** Requests as wishes, or what is wrong with one. */
function wishesOf(base: Configuration, requests: readonly Request[]): WishStep[] | ResolveError {
  const { tree } = base
  const wished: WishStep[] = []
  for (const { name, value, origin, acceptsBuiltIn } of requests) {
    const symbol = tree.byName.get(name)
    if (symbol === undefined || symbol.nodes.length === 0) {
      const near = nearbyNames(tree, name)
      const hint = near.length > 0 ? `; near names: ${near.join(', ')}` : ''
      return { type: 'unknown-symbol', message: `no entry of this tree defines ${name}${hint}`, name, near }
    }
    const logical = isLogical(symbol)
    const valid = logical
      ? Object.hasOwn(letters, value) && !(value === 'm' && symbol.type === 'bool' && acceptsBuiltIn !== true)
      : isValidText(symbol.type, value)
    if (!valid) {
      const article = symbol.type === 'int' ? 'an' : 'a'
      const message = `${name} is ${article} ${symbol.type} symbol and cannot be "${value}"`
      return { type: 'invalid-value', message, name }
    }
    const text = symbol.type === 'hex' && !/^0x/i.test(value) ? `0x${value}` : value
    wished.push({
      wish: {
        symbol,
        value: letters[value] ?? NO,
        text: logical ? undefined : text,
        orBuiltIn: value === 'm' && acceptsBuiltIn === true,
      },
      step: {
        text: `${name}=${value} ${origin === undefined ? 'was requested' : `was ${origin}`}`,
        at: undefined,
      },
    })
  }
  return wished
}

function setOf(base: Configuration, wished: readonly WishStep[], plan: Plan): ResolvedSet {
  const requested = new Map(wished.map(({ wish, step }) => [wish.symbol, step]))
  const added = new Set(plan.decisions.flatMap(({ symbol }) => (requested.has(symbol) ? [] : [symbol])))
  const starts = wished.map(({ wish, step }) => ({ symbol: wish.symbol, step }))
  const reasons = reasonsFor(plan.trial.configuration, starts, added)
  const assignments = plan.decisions.map((decision): ResolvedAssignment => {
    const { symbol } = decision
    const own = requested.get(symbol)
    const place = symbol.nodes[0]
    return {
      name: displayName(symbol),
      value: valueText(decision),
      requested: own !== undefined,
      reason: own !== undefined ? [own] : (reasons.get(symbol) ?? [without(base, symbol)]),
      at: place && { file: place.file, line: place.line },
    }
  })
  return {
    assignments: assignments.sort((a, b) => Number(b.requested) - Number(a.requested)),
    fewest: plan.fewest,
  }
}

const valueText = ({ value, text }: Decision): string =>
  text ?? (value === YES ? 'y' : value === MOD ? 'm' : 'n')

/** For what no single dependency leads to: nothing can be left out, so this much is true. */
const without = (base: Configuration, symbol: KconfigSymbol): Step => ({
  text: `as long as ${displayName(symbol)} is ${base.text(symbol)}, not everything that was requested holds`,
  at: undefined,
})
