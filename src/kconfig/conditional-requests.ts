/**
 * Requests of many askers brought together: `when` clauses, which apply once something else has turned a symbol on, and
 * several requests for one symbol.
 *
 * Clauses are taken in until nothing changes any more, all that are due at once: the least fixed point. Symbols are only
 * ever turned on that way, so the result does not depend on the order of clauses; a clause that would turn something
 * off is an error, and so are clauses that turn on each other's conditions, of which it could not be said what else
 * turned them on.
 */
import type { Configuration } from './configuration.ts'
import { displayName, type KconfigSymbol, NO } from './model.ts'
import { type Request, type Resolved, type ResolveError, resolve } from './resolve.ts'

export interface AskedRequest extends Request {
  readonly origin: string
}

export interface WhenClause {
  /** the symbol that has to be on */
  readonly symbol: string
  readonly requests: readonly AskedRequest[]
  readonly origin: string
}

export type RequirementError =
  | ResolveError
  /** askers that want different things of one symbol */
  | { readonly type: 'conflict'; readonly message: string; readonly origins: readonly string[] }
  /** clauses that would turn something off */
  | { readonly type: 'unstable'; readonly message: string; readonly origins: readonly string[] }
  /** clauses of which each turns on the condition of the next, and the last that of the first */
  | { readonly type: 'cycle'; readonly message: string; readonly origins: readonly string[] }

export type RequirementResult =
  | { readonly ok: true; readonly value: Resolved & { readonly applied: readonly WhenClause[] } }
  | { readonly ok: false; readonly error: RequirementError }

/**
 * One request for each symbol, or the conflict between two. Of y and m it is y, if all who asked for m accept that.
 */
export function mergeRequests(
  requests: readonly AskedRequest[],
):
  | { readonly ok: true; readonly value: readonly AskedRequest[] }
  | { readonly ok: false; readonly error: RequirementError } {
  const merged = new Map<string, AskedRequest>()
  for (const request of requests) {
    const earlier = merged.get(request.name)
    const joined = earlier === undefined ? request : agreed(earlier, request)
    if (joined === undefined && earlier !== undefined) return { ok: false, error: conflict(earlier, request) }
    if (joined !== undefined) merged.set(request.name, joined)
  }
  return { ok: true, value: [...merged.values()] }
}

function agreed(a: AskedRequest, b: AskedRequest): AskedRequest | undefined {
  if (a.value === b.value) return a.acceptsBuiltIn === true ? b : a
  if (a.value === 'm' && a.acceptsBuiltIn === true && b.value === 'y') return b
  if (b.value === 'm' && b.acceptsBuiltIn === true && a.value === 'y') return a
  return undefined
}

function conflict(a: AskedRequest, b: AskedRequest): RequirementError {
  const message = `${a.name}=${a.value} is ${a.origin}, and ${b.name}=${b.value} is ${b.origin}`
  return { type: 'conflict', message, origins: [a.origin, b.origin] }
}

/** @param base the configuration that everything is asked on top of */
export function resolveRequirements(
  base: Configuration,
  requests: readonly AskedRequest[],
  clauses: readonly WhenClause[],
): RequirementResult {
  const cycle = cycleOf(clauses)
  if (cycle !== undefined) {
    const links = cycle.map(({ symbol, origin }) => `when(${symbol}), ${origin}`)
    const message = `"when" clauses turn on each other's conditions: ${links.join('; ')}`
    return { ok: false, error: { type: 'cycle', message, origins: cycle.map(({ origin }) => origin) } }
  }
  const applied: WhenClause[] = []
  let latest: readonly WhenClause[] = []
  /** what is asked to be on underneath, and is without any clause */
  let settled: readonly KconfigSymbol[] | undefined
  for (;;) {
    const all = [...requests, ...applied.flatMap((clause) => clause.requests)]
    const merged = mergeRequests(all)
    if (!merged.ok) return merged
    // One order, whatever order features come in: so the answer is one, too.
    const sorted = [...merged.value].sort((a, b) => (a.name < b.name ? -1 : 1))
    const resolution = resolve(base, sorted)
    if (!resolution.ok) return resolution
    const { configuration } = resolution.value
    const isOn = (name: string): boolean => {
      const symbol = configuration.tree.byName.get(name)
      return symbol !== undefined && configuration.tristate(symbol) !== NO
    }
    const gone = applied.filter((clause) => !isOn(clause.symbol))
    if (gone.length > 0) return unstable(gone, latest)
    settled ??= askedToBeOn(base).filter((symbol) => configuration.tristate(symbol) !== NO)
    const off = settled.filter((symbol) => configuration.tristate(symbol) === NO)
    if (off.length > 0) return turningOffBase(off, latest)
    const due = clauses.filter((clause) => !applied.includes(clause) && isOn(clause.symbol))
    if (due.length === 0)
      return {
        ok: true,
        value: {
          assignments: resolution.value.assignments,
          fewest: resolution.value.fewest,
          alternatives: resolution.value.alternatives,
          configuration,
          applied,
        },
      }
    for (const clause of due) {
      const refused = clause.requests.find((request) => request.value === 'n' && isOn(request.name))
      if (refused !== undefined) return turningOff(clause, refused, all)
    }
    applied.push(...due)
    latest = due
  }
}

function unstable(gone: readonly WhenClause[], latest: readonly WhenClause[]): RequirementResult {
  const clauses = [...new Set([...latest, ...gone])]
  const links = clauses.map(({ symbol, origin }) => `when(${symbol}), ${origin}`)
  const names = gone.map((clause) => clause.symbol).join(', ')
  const message = `"when" clauses turn off what they depend on (${names}): ${links.join('; ')}`
  return { ok: false, error: { type: 'unstable', message, origins: clauses.map(({ origin }) => origin) } }
}

/** Of a choice some member always goes off when another comes on: its members do not count. */
const askedToBeOn = (base: Configuration): readonly KconfigSymbol[] =>
  base.tree.symbols.filter(
    (symbol) =>
      symbol.choice === undefined &&
      (base.userValue(symbol)?.tristate ?? NO) !== NO &&
      base.visibility(symbol) !== NO,
  )

function turningOffBase(off: readonly KconfigSymbol[], latest: readonly WhenClause[]): RequirementResult {
  const links = latest.map(({ symbol, origin }) => `when(${symbol}), ${origin}`)
  const names = off.map(displayName).join(', ')
  const message = `"when" clauses turn off what the configuration underneath has on (${names}): ${links.join('; ')}`
  return { ok: false, error: { type: 'unstable', message, origins: latest.map(({ origin }) => origin) } }
}

function turningOff(
  clause: WhenClause,
  off: AskedRequest,
  requests: readonly AskedRequest[],
): RequirementResult {
  const askers = requests.filter(({ name, value }) => name === off.name && value !== 'n')
  const [asker] = askers
  const because =
    asker === undefined ? 'what else is set turns it on' : `${off.name}=${asker.value} is ${asker.origin}`
  const message = `when(${clause.symbol}), ${clause.origin}, would turn off ${off.name}, which is on: ${because}`
  const origins = [clause.origin, ...askers.map(({ origin }) => origin)]
  return { ok: false, error: { type: 'unstable', message, origins } }
}

/** Clauses that turn on each other's conditions; one that only says more of its own condition is none. */
function cycleOf(clauses: readonly WhenClause[]): readonly WhenClause[] | undefined {
  const next = (clause: WhenClause): readonly WhenClause[] => {
    const turnedOn = new Set(clause.requests.filter(({ value }) => value !== 'n').map(({ name }) => name))
    turnedOn.delete(clause.symbol)
    return clauses.filter(({ symbol }) => turnedOn.has(symbol))
  }
  const done = new Set<WhenClause>()
  const path: WhenClause[] = []
  const walk = (clause: WhenClause): readonly WhenClause[] | undefined => {
    const start = path.indexOf(clause)
    if (start >= 0) return path.slice(start)
    if (done.has(clause)) return undefined
    path.push(clause)
    for (const other of next(clause)) {
      const found = walk(other)
      if (found !== undefined) return found
    }
    path.pop()
    done.add(clause)
    return undefined
  }
  for (const clause of clauses) {
    const found = walk(clause)
    if (found !== undefined) return found
  }
  return undefined
}
