/**
 * The question that the kernel's tool does not answer: what else has to be set, so that these symbols get these values?
 *
 * An answer is a set of assignments with three properties, each checked against the evaluator and not only believed:
 * with them every request holds, no select goes against direct dependencies that did not before, and none of them can
 * be left out.
 */
import type { Configuration } from './configuration.ts'
import { type Because, type Bounds, type Decision, type Goal, type Step, searchGoals } from './goalSearch.ts'
import type { KconfigSymbol, Location, Tristate } from './model.ts'
import { displayName, MOD, NO, YES } from './model.ts'
import { nearbyNames } from './nearbyNames.ts'
import { isValidText } from './numbers.ts'

export interface Request {
  readonly name: string
  /** y, m, n, or the text of an int, hex or string */
  readonly value: string
  /** who asked, for explanations: "requested by feature wifi, system.ts:14" */
  readonly origin?: string
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

export interface Resolved {
  /** requests first; nothing can be left out */
  readonly assignments: readonly ResolvedAssignment[]
  /** the base with the assignments in it */
  readonly configuration: Configuration
}

export type ResolveError =
  | {
      readonly type: 'unknown-symbol'
      readonly message: string
      readonly name: string
      readonly near: readonly string[]
    }
  | { readonly type: 'invalid-value'; readonly message: string; readonly name: string }
  /** no assignments can make all requests true together */
  | { readonly type: 'impossible'; readonly message: string; readonly steps: readonly Step[] }
  /** the search was cut short; `steps` is the contradiction it met most directly */
  | { readonly type: 'undecided'; readonly message: string; readonly steps: readonly Step[] }

export interface ResolveOptions {
  /** how many goals the search may look at; default 60000 */
  readonly effort?: number
}

const letters: Readonly<Record<string, Tristate>> = { n: NO, m: MOD, y: YES }
const isLogical = (symbol: KconfigSymbol): boolean => symbol.type === 'bool' || symbol.type === 'tristate'

interface Wanted {
  readonly request: Request
  readonly symbol: KconfigSymbol
}

export function resolve(
  base: Configuration,
  requests: readonly Request[],
  options: ResolveOptions = {},
): Resolution {
  const { tree } = base
  const wanted: Wanted[] = []
  for (const request of requests) {
    const symbol = tree.byName.get(request.name)
    if (symbol === undefined || symbol.nodes.length === 0) {
      const near = nearbyNames(tree, request.name)
      const hint = near.length > 0 ? `; near names: ${near.join(', ')}` : ''
      const message = `no entry of this tree defines ${request.name}${hint}`
      return { ok: false, error: { type: 'unknown-symbol', message, name: request.name, near } }
    }
    const valid = isLogical(symbol)
      ? letters[request.value] !== undefined && !(request.value === 'm' && symbol.type === 'bool')
      : isValidText(symbol.type, request.value)
    if (!valid) {
      const message = `${request.name} is ${symbol.type === 'int' ? 'an' : 'a'} ${symbol.type} symbol and cannot be "${request.value}"`
      return { ok: false, error: { type: 'invalid-value', message, name: request.name } }
    }
    wanted.push({ request, symbol })
  }

  const goals: Goal[] = []
  for (const { request, symbol } of wanted) goals.push(...goalsOf(base, request, symbol))
  const texts = wanted.filter(({ symbol }) => !isLogical(symbol))
  const normalWarnings = unmetSymbols(base)
  const verify = (decisions: ReadonlyMap<KconfigSymbol, Decision>, bounds: Bounds) => {
    const trial = apply(base, [...decisions.values(), ...texts.map(textDecision)])
    return { trial, goals: objections(trial, bounds, normalWarnings) }
  }
  const result = searchGoals(base, goals, verify, { goals: options.effort ?? 60_000, proposals: 400 })
  if (result.type !== 'found') {
    const asked = requests.map(({ name, value }) => `${name}=${value}`).join(' ')
    const how = result.type === 'impossible' ? 'cannot be' : 'was not found to be possible'
    const message = [`${asked} ${how}`, ...result.steps.map(stepText)].join('\n  ')
    const type = result.type === 'impossible' ? 'impossible' : 'undecided'
    return { ok: false, error: { type, message, steps: result.steps } }
  }
  return { ok: true, value: minimal(base, wanted, result.decisions, normalWarnings) }
}

export const stepText = ({ text, at }: Step): string =>
  at === undefined ? text : `${text} (${at.file}:${at.line})`

function requestStep(request: Request): Because {
  const origin = request.origin === undefined ? 'was requested' : `was ${request.origin}`
  return { step: { text: `${request.name}=${request.value} ${origin}`, at: undefined }, parent: undefined }
}

function goalsOf(base: Configuration, request: Request, symbol: KconfigSymbol): Goal[] {
  const because = requestStep(request)
  const value = letters[request.value]
  if (!isLogical(symbol) || value === undefined) {
    const prompt = symbol.properties.find((property) => property.text !== undefined)
    const condition = prompt?.condition
    return condition === undefined ? [] : [{ kind: 'expr-least', expr: condition, value: MOD, because }]
  }
  const goals: Goal[] = []
  if (value > NO) goals.push({ kind: 'least', symbol, value, because, act: false })
  if (value < YES) goals.push({ kind: 'most', symbol, value, because, act: false })
  if (value === MOD) {
    const modules: Because = {
      step: { text: `${request.name}=m needs modules`, at: base.tree.modules.nodes[0] },
      parent: because,
    }
    goals.unshift({ kind: 'least', symbol: base.tree.modules, value: YES, because: modules, act: false })
  }
  return goals
}

/** The base with decisions written into it, calculated anew. */
function apply(base: Configuration, decisions: Iterable<Decision>): Configuration {
  const configuration = base.copy()
  const { raw, tree } = configuration
  for (const { symbol, value, text } of decisions) {
    if (text !== undefined) {
      raw.setText(symbol, text)
      continue
    }
    raw.setTristate(symbol, value)
    if (symbol.choice === undefined) continue
    if (tree.dialect.choices === 'bool') raw.prefer(symbol)
    else {
      raw.markAsUser(symbol.choice)
      if (value > raw.storedTristate(symbol.choice)) raw.storeTristate(symbol.choice, value)
      if (value === YES) {
        raw.pick(symbol.choice, symbol)
        for (const member of symbol.choice.members) if (member !== symbol) raw.setTristate(member, NO)
      }
    }
  }
  configuration.invalidate()
  return configuration
}

const holds = (configuration: Configuration, { request, symbol }: Wanted): boolean => {
  const text = configuration.text(symbol)
  if (symbol.type === 'hex')
    return text.toLowerCase().replace(/^0x/, '') === request.value.toLowerCase().replace(/^0x/, '')
  return text === request.value
}

/** Symbols that something selects against their direct dependencies. */
function unmetSymbols(configuration: Configuration): ReadonlySet<KconfigSymbol> {
  const unmet = new Set<KconfigSymbol>()
  for (const symbol of configuration.tree.symbols)
    if (
      symbol.selectedBy.length > 0 &&
      symbol.choice === undefined &&
      isLogical(symbol) &&
      configuration.directDependency(symbol) < configuration.selected(symbol)
    )
      unmet.add(symbol)
  return unmet
}

/** What is not as planned in a proposal, as goals to deal with. */
function objections(
  trial: Configuration,
  bounds: Bounds,
  normalWarnings: ReadonlySet<KconfigSymbol>,
): readonly Goal[] {
  const goals: Goal[] = []
  for (const [symbol, { value, because }] of bounds.least)
    if (trial.tristate(symbol) < value) goals.push({ kind: 'least', symbol, value, because, act: true })
  for (const [symbol, { value, because }] of bounds.most)
    if (trial.tristate(symbol) > value) goals.push({ kind: 'most', symbol, value, because, act: true })
  if (goals.length > 0) return goals
  for (const symbol of unmetSymbols(trial)) {
    if (normalWarnings.has(symbol) || symbol.directDependency === undefined) continue
    const level = trial.selected(symbol)
    const because: Because = {
      step: {
        text: `${displayName(symbol)} would be selected without its dependencies`,
        at: symbol.nodes[0],
      },
      parent: undefined,
    }
    const needed = symbol.type === 'bool' ? MOD : level
    goals.push({ kind: 'expr-least', expr: symbol.directDependency, value: needed, because })
  }
  return goals
}

const textDecision = ({ request, symbol }: Wanted): Decision => ({
  symbol,
  value: NO,
  text: symbol.type === 'hex' && !/^0x/i.test(request.value) ? `0x${request.value}` : request.value,
  because: requestStep(request),
})

/** Leaves out what can be left out, the least wanted first. */
function minimal(
  base: Configuration,
  wanted: readonly Wanted[],
  found: ReadonlyMap<KconfigSymbol, Decision>,
  normalWarnings: ReadonlySet<KconfigSymbol>,
): Resolved {
  let kept: Decision[] = [
    ...found.values(),
    ...wanted.filter(({ symbol }) => !isLogical(symbol)).map(textDecision),
  ]
  const works = (decisions: readonly Decision[]): boolean => {
    const trial = apply(base, decisions)
    if (!wanted.every((each) => holds(trial, each))) return false
    for (const symbol of unmetSymbols(trial)) if (!normalWarnings.has(symbol)) return false
    return true
  }
  const requested = new Set(wanted.map(({ symbol }) => symbol))
  for (let changed = true; changed; ) {
    changed = false
    for (const decision of [...kept].sort(
      (a, b) => Number(requested.has(a.symbol)) - Number(requested.has(b.symbol)),
    )) {
      const without = kept.filter((other) => other !== decision)
      if (!works(without)) continue
      kept = without
      changed = true
    }
  }
  const assignments = kept
    .map((decision): ResolvedAssignment => {
      const { symbol, because, value, text } = decision
      return {
        name: displayName(symbol),
        value: text ?? (value === YES ? 'y' : value === MOD ? 'm' : 'n'),
        requested: requested.has(symbol),
        reason: reasonOf(because),
        at: symbol.nodes[0] && { file: symbol.nodes[0].file, line: symbol.nodes[0].line },
      }
    })
    .sort((a, b) => Number(b.requested) - Number(a.requested))
  return { assignments, configuration: apply(base, kept) }
}

function reasonOf(because: Because): Step[] {
  const steps: Step[] = []
  for (let at: Because | undefined = because; at !== undefined; at = at.parent) steps.unshift(at.step)
  return steps
}
