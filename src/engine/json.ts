export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/**
 * The one way to write a value as JSON: keys sorted by UTF-16 code unit, no white space, properties that are
 * `undefined` left out, numbers as ECMAScript writes them (the rules of RFC 8785). Equal values give equal
 * text, so the text may be hashed.
 *
 * Throws a `TypeError` that names the place for anything JSON cannot hold: a Map or another class instance,
 * a function, `NaN`, a bigint, `undefined` in a list. To drop it silently would make two different inputs
 * share a key.
 */
export function canonicalJson(value: unknown): string {
  return write(value, '$', 0)
}

/** Deeper than this is a cycle. */
const depthLimit = 500

function write(value: unknown, place: string, depth: number): string {
  if (depth > depthLimit) throw new TypeError(`${place.slice(0, 200)}… is nested too deeply to be JSON`)
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value)
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${place} is ${value}, which is not JSON`)
      return JSON.stringify(value)
    case 'object':
      break
    default:
      throw new TypeError(`${place} is a ${typeof value}, which is not JSON`)
  }
  if (value === null) return 'null'
  if (Array.isArray(value)) {
    return `[${value.map((item, index) => write(item, `${place}[${index}]`, depth + 1)).join(',')}]`
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype) {
    throw new TypeError(`${place} is a ${value.constructor.name}, which is not JSON`)
  }
  const members: string[] = []
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key]
    if (member === undefined) continue
    members.push(`${JSON.stringify(key)}:${write(member, `${place}.${key}`, depth + 1)}`)
  }
  return `{${members.join(',')}}`
}

/** The same value, which nobody can change any more. For what came out of JSON: plain data without cycles. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) frozen(member)
  return Object.freeze(value)
}
