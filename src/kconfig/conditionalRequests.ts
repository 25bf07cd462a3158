/**
 * Requests of many askers brought together: `when` clauses, which apply once something else has turned a symbol on, and
 * several requests for one symbol.
 *
 * Clauses are taken in until nothing changes any more. Symbols are only ever turned on that way, so the result does not
 * depend on the order; a clause that would turn something off is an error.
 */
import type { Configuration } from './configuration.ts'
import { NO } from './model.ts'
import { type Request, type Resolved, type ResolveError, resolve } from './resolve.ts'

export interface AskedRequest extends Request {
  readonly origin: string
  /** for a request of m: y would do as well */
  readonly acceptsBuiltIn?: boolean
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

export type RequirementResult =
  | { readonly ok: true; readonly value: Resolved & { readonly applied: readonly WhenClause[] } }
  | { readonly ok: false; readonly error: RequirementError }

/** One request for each symbol, or the conflict between two. */
export function mergeRequests(
  requests: readonly AskedRequest[],
):
  | { readonly ok: true; readonly value: readonly AskedRequest[] }
  | { readonly ok: false; readonly error: RequirementError } {
  const merged = new Map<string, AskedRequest>()
  const askersOfM = new Map<string, AskedRequest[]>()
  for (const request of requests) {
    if (request.value === 'm') askersOfM.set(request.name, [...(askersOfM.get(request.name) ?? []), request])
    const earlier = merged.get(request.name)
    if (earlier === undefined || earlier.value === request.value) {
      merged.set(request.name, earlier ?? request)
      continue
    }
    const pair = new Set([earlier.value, request.value])
    if (pair.has('y') && pair.has('m')) {
      merged.set(request.name, earlier.value === 'y' ? earlier : request)
      continue
    }
    return { ok: false, error: conflict(earlier, request) }
  }
  for (const [name, askers] of askersOfM) {
    const winner = merged.get(name)
    const unhappy = askers.find((asker) => asker.acceptsBuiltIn !== true)
    if (winner?.value === 'y' && unhappy !== undefined) return { ok: false, error: conflict(winner, unhappy) }
  }
  return { ok: true, value: [...merged.values()] }
}

function conflict(a: AskedRequest, b: AskedRequest): RequirementError {
  const message = `${a.name}=${a.value} is ${a.origin}, and ${b.name}=${b.value} is ${b.origin}`
  return { type: 'conflict', message, origins: [a.origin, b.origin] }
}

export function resolveRequirements(
  base: Configuration,
  requests: readonly AskedRequest[],
  clauses: readonly WhenClause[],
): RequirementResult {
  const applied: WhenClause[] = []
  for (;;) {
    const all = [...requests, ...applied.flatMap((clause) => clause.requests)]
    const merged = mergeRequests(all)
    if (!merged.ok) return merged
    const resolution = resolve(base, merged.value)
    if (!resolution.ok) return resolution
    const { configuration } = resolution.value
    const isOn = (name: string): boolean => {
      const symbol = configuration.tree.byName.get(name)
      return symbol !== undefined && configuration.tristate(symbol) !== NO
    }
    const gone = applied.filter((clause) => !isOn(clause.symbol))
    if (gone.length > 0) {
      const origins = applied.map((clause) => clause.origin)
      const names = gone.map((clause) => clause.symbol).join(', ')
      const message = `"when" clauses turn off what they depend on (${names}): ${origins.join('; ')}`
      return { ok: false, error: { type: 'unstable', message, origins } }
    }
    const due = clauses.filter((clause) => !applied.includes(clause) && isOn(clause.symbol))
    if (due.length === 0) return { ok: true, value: { ...resolution.value, applied } }
    for (const clause of due) {
      const off = clause.requests.find((request) => request.value === 'n' && isOn(request.name))
      if (off !== undefined) {
        const message = `${off.name}=n, ${clause.origin}, would turn off what is on already`
        return { ok: false, error: { type: 'unstable', message, origins: [clause.origin] } }
      }
    }
    applied.push(...due)
  }
}
