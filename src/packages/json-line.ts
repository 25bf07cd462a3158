/**
 * The 1-based line on which the value at `path` begins, in text that is known to be JSON; of a path that leads
 * nowhere, the line of the last value on the way.
 */
export function lineOfJsonPath(text: string, path: readonly PropertyKey[]): number {
  let offset = skipSpace(text, 0)
  for (const key of path) {
    const found = text[offset] === '[' ? element(text, offset, key) : member(text, offset, key)
    if (found === undefined) break
    offset = found
  }
  return text.slice(0, offset).split('\n').length
}

function skipSpace(text: string, offset: number): number {
  let at = offset
  while (' \t\r\n'.includes(text[at] ?? 'x')) at++
  return at
}

/** The offset just behind the value that begins at `offset`. */
function skipValue(text: string, offset: number): number {
  let depth = 0
  let at = offset
  do {
    const character = text[at] ?? ''
    if (character === '"') at = skipString(text, at)
    else {
      if ('[{'.includes(character)) depth++
      if (']}'.includes(character)) depth--
      at++
    }
    // A number or a word ends before what separates values.
  } while (at < text.length && (depth > 0 || !' \t\r\n,:]}'.includes(text[at] ?? '')))
  return at
}

function skipString(text: string, offset: number): number {
  let at = offset + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

function element(text: string, offset: number, key: PropertyKey): number | undefined {
  let at = skipSpace(text, offset + 1)
  for (let index = 0; text[at] !== ']' && at < text.length; index++) {
    if (index === key) return at
    at = skipSpace(text, skipValue(text, at))
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
  return undefined
}

function member(text: string, offset: number, key: PropertyKey): number | undefined {
  if (text[offset] !== '{') return undefined
  let at = skipSpace(text, offset + 1)
  while (text[at] === '"') {
    const end = skipString(text, at)
    const name: unknown = JSON.parse(text.slice(at, end))
    at = skipSpace(text, skipSpace(text, end) + 1)
    if (name === key) return at
    at = skipSpace(text, skipValue(text, at))
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
  return undefined
}

/** RFC 8259, without the structure: that is checked with a stack. */
const token =
  /[ \t\r\n]*(?:([[\]{},:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)\b))/y

/** The 1-based line on which text stops being JSON; of text that is JSON, its last. */
export function lineOfJsonError(text: string): number {
  const lineAt = (offset: number) => text.slice(0, offset).split('\n').length
  const open: string[] = []
  let expected: 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'separator' = 'value'
  let offset = 0
  for (;;) {
    token.lastIndex = offset
    const match = token.exec(text)
    const [whole = '', mark, string] = match ?? []
    const start = offset + whole.search(/[^ \t\r\n]/)
    if (match === null) return lineAt(offset + (/^\s*/.exec(text.slice(offset))?.[0].length ?? 0))
    const innermost = open.at(-1)
    if (mark === ':') {
      if (expected !== 'colon') return lineAt(start)
      expected = 'value'
    } else if (mark === ',') {
      if (expected !== 'separator' || innermost === undefined) return lineAt(start)
      expected = innermost === '{' ? 'key' : 'value'
    } else if (mark === ']' || mark === '}') {
      const wanted = mark === ']' ? '[' : '{'
      const empty = mark === ']' ? 'value-or-end' : 'key-or-end'
      if (innermost !== wanted || (expected !== 'separator' && expected !== empty)) return lineAt(start)
      open.pop()
      expected = 'separator'
    } else if (expected === 'key' || expected === 'key-or-end') {
      if (string === undefined) return lineAt(start)
      expected = 'colon'
    } else {
      if (expected !== 'value' && expected !== 'value-or-end') return lineAt(start)
      if (mark !== undefined) open.push(mark)
      expected = mark === undefined ? 'separator' : mark === '{' ? 'key-or-end' : 'value-or-end'
    }
    offset += whole.length
  }
}
