/**
 * Does a string match an alias pattern? fnmatch(3) without flags in the C locale, which is what libkmod matches
 * with (libkmod-index.c, `index_searchwild`): `*` any text, `?` any one character, `[a-f!x]` one of a set, `\` takes
 * the next character as it is. Time is at most the product of both lengths, whatever the pattern.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let patternAt = 0
  let textAt = 0
  /** Where to go on when the text after the last `*` does not fit: that `*` then takes one character more. */
  let starAt = -1
  let starTextAt = 0
  while (textAt < text.length) {
    if (pattern.charCodeAt(patternAt) === star) {
      starAt = patternAt++
      starTextAt = textAt
      continue
    }
    const next = matchOne(pattern, patternAt, text.charCodeAt(textAt))
    if (next !== -1) {
      patternAt = next
      textAt++
    } else if (starAt !== -1) {
      patternAt = starAt + 1
      textAt = ++starTextAt
    } else return false
  }
  while (pattern.charCodeAt(patternAt) === star) patternAt++
  return patternAt === pattern.length
}

/** The pattern's text before its first special character: what every match begins with. */
export function literalPrefix(pattern: string): string {
  const special = pattern.search(/[*?[\\]/)
  return special === -1 ? pattern : pattern.slice(0, special)
}

const star = 0x2a
const question = 0x3f
const bracket = 0x5b
const backslash = 0x5c

/** Where the pattern goes on if its element at `at` takes this one character, else -1. */
function matchOne(pattern: string, at: number, character: number): number {
  if (at >= pattern.length) return -1
  const code = pattern.charCodeAt(at)
  if (code === question) return at + 1
  if (code === bracket) return matchSet(pattern, at, character)
  if (code === backslash) {
    // At the very end it stands for nothing, so nothing matches.
    return at + 1 < pattern.length && pattern.charCodeAt(at + 1) === character ? at + 2 : -1
  }
  return code === character ? at + 1 : -1
}

function matchSet(pattern: string, at: number, character: number): number {
  const end = pattern.indexOf(']', at + 2)
  // Without an end the bracket is a character like any other.
  if (end === -1) return character === bracket ? at + 1 : -1
  let from = at + 1
  const negated = pattern[from] === '!' || pattern[from] === '^'
  if (negated) from++
  let found = false
  while (from < end) {
    const low = pattern.charCodeAt(from)
    const isRange = pattern[from + 1] === '-' && from + 2 < end
    const high = isRange ? pattern.charCodeAt(from + 2) : low
    if (low <= character && character <= high) found = true
    from += isRange ? 3 : 1
  }
  return found === negated ? -1 : end + 1
}
