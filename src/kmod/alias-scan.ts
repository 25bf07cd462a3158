import { matchesGlob } from './glob.ts'
import { type ModinfoPack, moduleAt } from './modinfo-pack.ts'
import { normalizeAlias } from './name.ts'

/**
 * Names of the modules some `alias=` of which matches, each once. It looks through all bytes and makes a string only of a
 * pattern that agrees as far as it is literal: for the two or three aliases of a plan that is a fraction of the work of an
 * index over the 26,000 patterns of a kernel (alias.ts), which finds the same.
 */
export function scanAliases(pack: ModinfoPack, alias: string): ReadonlySet<string> {
  const found = new Set<string>()
  const normal = normalizeAlias(alias)
  if (normal === undefined) return found
  const { bytes, names } = pack
  const wanted = Buffer.from(normal)
  const entries = new RegExp(`\\0alias=(?=[${beginnings(wanted)}])`, 'g')
  const text = bytes.toString('latin1')
  while (entries.test(text)) {
    const at = entries.lastIndex
    if (!beginsAlike(bytes, at, wanted)) continue
    const pattern = normalizeAlias(bytes.toString('utf8', at, bytes.indexOf(0, at)))
    if (pattern !== undefined && matchesGlob(pattern, normal)) found.add(names[moduleAt(pack, at)] ?? '')
  }
  return found
}

/** The bytes that patterns for an alias can begin with, as they are written in a class of a regular expression. */
function beginnings(wanted: Uint8Array): string {
  const [first = 0] = wanted
  return [first, ...(first === underscore ? [dash] : []), ...special]
    .map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`)
    .join('')
}

const underscore = 0x5f
const dash = 0x2d
/** `*`, `?`, `[`, `\`: from here on it takes matchesGlob. */
const special: ReadonlySet<number> = new Set([0x2a, 0x3f, 0x5b, 0x5c])

/** Whether a pattern could match, going by what it has before its first special character. */
function beginsAlike(bytes: Uint8Array, from: number, wanted: Uint8Array): boolean {
  for (let index = 0; ; index++) {
    const byte = bytes[from + index] ?? 0
    if (special.has(byte)) return true
    if (byte === 0) return index === wanted.length
    if ((byte === dash ? underscore : byte) !== wanted[index]) return false
  }
}
