/**
 * `.modinfo`: what a module says about itself, as NUL-terminated `key=value` strings (include/linux/moduleparam.h,
 * `__MODULE_INFO`; more NULs between strings are padding). Most come from `MODULE_*` macros in the source,
 * `depends`, `vermagic`, `intree` and `name` from modpost (scripts/mod/modpost.c, `add_header`, `add_depends`).
 */
export interface ModinfoField {
  readonly key: string
  readonly value: string
}

/** The strings in their order. One without `=` says nothing and is left out. */
export function parseModinfo(bytes: Uint8Array): readonly ModinfoField[] {
  const fields: ModinfoField[] = []
  for (const entry of bufferOf(bytes).toString('utf8').split('\0')) {
    const equals = entry.indexOf('=')
    if (equals > 0) fields.push({ key: entry.slice(0, equals), value: entry.slice(equals + 1) })
  }
  return fields
}

/** Values of one key, in order, without a look at the other fields. */
export function modinfoValues(bytes: Uint8Array, key: string): readonly string[] {
  const buffer = bufferOf(bytes)
  const values: string[] = []
  const start = `${key}=`
  for (let at = buffer.indexOf(start, 0, 'latin1'); at !== -1; at = buffer.indexOf(start, at, 'latin1')) {
    const from = at + start.length
    const found = buffer.indexOf(0, from)
    const end = found === -1 ? buffer.length : found
    if (at === 0 || buffer[at - 1] === 0) {
      values.push(buffer.toString('utf8', from, end))
      at = end
    } else at = from
  }
  return values
}

/** The same bytes. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Names in the values of one key. */
export function modinfoNames(bytes: Uint8Array, key: string): readonly string[] {
  return modinfoValues(bytes, key).flatMap(parseNames)
}

/** One `MODULE_SOFTDEP` line: what should, but need not, be loaded before and after the module. */
export interface Softdep {
  /** As written. */
  readonly line: string
  readonly pre: readonly string[]
  readonly post: readonly string[]
  /** Names before any `pre:` or `post:`, which modprobe ignores; their authors meant `pre`. */
  readonly bare: readonly string[]
}

/** modprobe.d(5), `softdep`: names after `pre:` until `post:` and the other way round, any number of times. */
export function parseSoftdep(line: string): Softdep {
  const parts = { pre: [] as string[], post: [] as string[], bare: [] as string[] }
  let into = parts.bare
  for (const word of line.split(/\s+/)) {
    if (word === 'pre:') into = parts.pre
    else if (word === 'post:') into = parts.post
    else if (word !== '') into.push(word)
  }
  return { line, ...parts }
}

/** A parameter that a module takes, as `name=value` after its path when it is loaded. */
export interface KmodParameter {
  readonly name: string
  /** `int`, `bool`, `charp`, `array of int`…; absent when only a description was given. */
  readonly type?: string
  readonly description?: string
}

/** `parm=name:description` and `parmtype=name:type`, joined by name, in the order of first appearance. */
export function parseParameters(fields: readonly ModinfoField[]): readonly KmodParameter[] {
  const found = new Map<string, { type?: string; description?: string }>()
  for (const { key, value } of fields) {
    if (key !== 'parm' && key !== 'parmtype') continue
    const colon = value.indexOf(':')
    const name = colon === -1 ? value : value.slice(0, colon)
    const known = found.get(name) ?? {}
    if (colon !== -1) known[key === 'parm' ? 'description' : 'type'] = value.slice(colon + 1)
    found.set(name, known)
  }
  return [...found].map(([name, rest]) => ({ name, ...rest }))
}

const listSeparator = /[\s,]+/

/** `depends=a,b,c`, empty when there are none. */
export function parseNames(value: string): readonly string[] {
  return value.split(listSeparator).filter((name) => name !== '')
}
