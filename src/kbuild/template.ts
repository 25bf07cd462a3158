/**
 * Text with references, `$(obj)/$(patsubst %.o,%.c,$(objs))`, taken apart once and expanded as often as needed. The
 * syntax is GNU make's: `$(name)`, `${name}`, `$x`, `$$`, `$(name:from=to)`, `$(function argument,…)`.
 * GNU make manual, 6.1 "Basics of Variable References", 6.3.1 "Substitution References", 8.1 "Function Call Syntax".
 */
import { limits, type Place, stop } from './error.ts'

export type Template = readonly Part[]

export type Part =
  | { readonly type: 'literal'; readonly text: string }
  | { readonly type: 'variable'; readonly name: Template }
  | { readonly type: 'substitution'; readonly name: Template; readonly from: Template; readonly to: Template }
  | { readonly type: 'function'; readonly name: string; readonly arguments: readonly Template[] }

/** Functions and how many arguments they take at most; a comma beyond that is part of the last. */
const functions: Readonly<Record<string, number>> = {
  abspath: 1,
  addprefix: 2,
  addsuffix: 2,
  and: Number.POSITIVE_INFINITY,
  basename: 1,
  call: Number.POSITIVE_INFINITY,
  dir: 1,
  error: 1,
  eval: 1,
  file: 2,
  filter: 2,
  'filter-out': 2,
  findstring: 2,
  firstword: 1,
  flavor: 1,
  foreach: 3,
  if: 3,
  info: 1,
  intcmp: 5,
  join: 2,
  lastword: 1,
  let: 3,
  notdir: 1,
  or: Number.POSITIVE_INFINITY,
  origin: 1,
  patsubst: 3,
  realpath: 1,
  shell: 1,
  sort: 1,
  strip: 1,
  subst: 3,
  suffix: 1,
  value: 1,
  warning: 1,
  wildcard: 1,
  word: 2,
  wordlist: 3,
  words: 1,
}

export function parseTemplate(text: string, at: Place, depth = 0): Template {
  if (depth > limits.depth) stop('limit', 'references nest too deep', at)
  const parts: Part[] = []
  let literal = ''
  const push = (part: Part): void => {
    if (literal !== '') parts.push({ type: 'literal', text: literal })
    literal = ''
    parts.push(part)
  }
  for (let index = 0; index < text.length; ) {
    const dollar = text.indexOf('$', index)
    if (dollar === -1) {
      literal += text.slice(index)
      break
    }
    literal += text.slice(index, dollar)
    const next = text[dollar + 1]
    if (next === undefined || next === '$') {
      literal += next ?? ''
      index = dollar + 2
    } else if (next === '(' || next === '{') {
      const end = closing(text, dollar + 1)
      if (end === -1)
        stop('invalid', `unterminated variable reference: ${text.slice(dollar, dollar + 60)}`, at)
      push(parseReference(text.slice(dollar + 2, end), next, at, depth + 1))
      index = end + 1
    } else {
      push({ type: 'variable', name: [{ type: 'literal', text: next }] })
      index = dollar + 2
    }
  }
  if (literal !== '') parts.push({ type: 'literal', text: literal })
  return parts
}

/** Where the bracket at `open` closes; only brackets of its own kind count. -1 where it does not. */
export function closing(text: string, open: number): number {
  const opener = text[open]
  const closer = opener === '(' ? ')' : '}'
  let depth = 0
  for (let index = open; index < text.length; index++) {
    if (text[index] === opener) depth++
    else if (text[index] === closer && --depth === 0) return index
  }
  return -1
}

function parseReference(body: string, opener: string, at: Place, depth: number): Part {
  const name = /^([a-z-]+)[ \t]/.exec(body)?.[1]
  const most = name === undefined || !Object.hasOwn(functions, name) ? undefined : functions[name]
  if (name !== undefined && most !== undefined) {
    const given = splitAtTop(body.slice(name.length).trimStart(), ',', opener, most)
    return { type: 'function', name, arguments: given.map((each) => parseTemplate(each, at, depth)) }
  }
  const [before, after] = splitAtTop(body, ':', opener, 2)
  const [from, to] = after === undefined ? [] : splitAtTop(after, '=', opener, 2)
  if (before !== undefined && from !== undefined && to !== undefined)
    return {
      type: 'substitution',
      name: parseTemplate(before, at, depth),
      from: parseTemplate(from, at, depth),
      to: parseTemplate(to, at, depth),
    }
  return { type: 'variable', name: parseTemplate(body, at, depth) }
}

/** Splits at a character that is in no brackets of the kind `opener`, into `most` parts at most. */
export function splitAtTop(text: string, at: string, opener: string, most: number): readonly string[] {
  const closer = opener === '(' ? ')' : '}'
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let index = 0; index < text.length && parts.length < most - 1; index++) {
    const character = text[index]
    if (character === opener) depth++
    else if (character === closer) depth--
    else if (character === at && depth === 0) {
      parts.push(text.slice(start, index))
      start = index + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}
