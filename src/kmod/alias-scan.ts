import { matchesGlob } from './glob.ts'
import { bufferOf } from './modinfo.ts'
import { normalizeAlias } from './name.ts'

/**
 * Whether some `alias=` of a `.modinfo` matches. It looks at bytes and makes a string only of a pattern that agrees as far
 * as it is literal: for the two or three aliases of a plan that is a fraction of the work of an index over the 26,000
 * patterns of a kernel (alias.ts), which finds the same.
 */
export function aliasScanner(alias: string): (modinfo: Uint8Array) => boolean {
  const normal = normalizeAlias(alias)
  if (normal === undefined) return () => false
  const wanted = Buffer.from(normal)
  return (modinfo) => {
    const length = modinfo.length
    for (let at = 0; at < length; at++) {
      if (isAliasAt(modinfo, at)) {
        at += keyBytes.length
        if (beginsAlike(modinfo, at, wanted)) {
          const pattern = normalizeAlias(entryAt(modinfo, at))
          if (pattern !== undefined && matchesGlob(pattern, normal)) return true
        }
      }
      while (at < length && modinfo[at] !== 0) at++
    }
    return false
  }
}

const keyBytes = Buffer.from('alias=')

function isAliasAt(bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < keyBytes.length; index++) {
    if (bytes[at + index] !== keyBytes[index]) return false
  }
  return true
}

const underscore = 0x5f
/** `*`, `?`, `[`, `\`: from here on it takes matchesGlob. */
const special: ReadonlySet<number> = new Set([0x2a, 0x3f, 0x5b, 0x5c])
const dash = 0x2d

/** Whether a pattern could match, going by what it has before its first special character. */
function beginsAlike(bytes: Uint8Array, from: number, wanted: Uint8Array): boolean {
  for (let index = 0; ; index++) {
    const byte = bytes[from + index] ?? 0
    if (special.has(byte)) return true
    if (byte === 0) return index === wanted.length
    if ((byte === dash ? underscore : byte) !== wanted[index]) return false
  }
}

function entryAt(bytes: Uint8Array, from: number): string {
  const buffer = bufferOf(bytes)
  const end = buffer.indexOf(0, from)
  return buffer.toString('utf8', from, end === -1 ? buffer.length : end)
}
