/**
 * The functions of make that work on words, over text that depends on the configuration. GNU make manual, 8.2
 * "Functions for String Substitution and Analysis" and 8.3 "Functions for File Names".
 */
import type { Condition, Conditions } from './condition.ts'
import { type Place, stop } from './error.ts'
import { normalPath } from './path.ts'
import type { Text, Texts, Word } from './text.ts'

interface Environment {
  readonly conditions: Conditions
  readonly texts: Texts
  readonly tree: { list(folder: string): readonly string[] | undefined }
  /** for messages */
  readonly at: Place
}

type WordFunction = (environment: Environment, ...given: Text[]) => Text

/** The value of a function of this file for expanded arguments. */
export function wordFunction(environment: Environment, name: string, given: readonly Text[]): Text {
  const work = table[name]
  if (work === undefined) return stop('invalid', `there is no function ${name}`, environment.at)
  return work(environment, ...given)
}

/** A function that turns each word into one. */
const mapping =
  (work: (word: string) => string): WordFunction =>
  ({ texts }, list = []) =>
    texts.join(texts.words(list).map((word) => ({ ...word, text: work(word.text) })))

const table: Readonly<Record<string, WordFunction>> = {
  strip: ({ texts }, text = []) => texts.join(texts.words(text)),
  subst: (environment, from = [], to = [], text = []) => substitute(environment, from, to, text),
  patsubst: ({ conditions, texts }, pattern = [], replacement = [], text = []) => {
    const patterns = texts.alternatives(pattern)
    const replacements = texts.alternatives(replacement)
    return texts.join(
      texts.words(text).flatMap((word) =>
        patterns.flatMap((from) =>
          replacements.flatMap((to) => {
            const when = conditions.and(word.when, conditions.and(from.when, to.when))
            return when === conditions.FALSE
              ? []
              : [{ ...word, when, text: replacePattern(word.text, from.text.trim(), to.text) }]
          }),
        ),
      ),
    )
  },
  filter: (environment, patterns = [], text = []) => filter(environment, patterns, text, false),
  'filter-out': (environment, patterns = [], text = []) => filter(environment, patterns, text, true),
  findstring: ({ conditions, texts }, needle = [], text = []) => {
    const where = (wanted: string): Condition => {
      if (/\s/.test(wanted) || wanted === '') {
        const found = texts.alternatives(text).filter((each) => each.text.includes(wanted))
        return found.reduce((any, { when }) => conditions.or(any, when), conditions.FALSE)
      }
      const found = texts.words(text).filter((word) => word.text.includes(wanted))
      return found.reduce((any, { when }) => conditions.or(any, when), conditions.FALSE)
    }
    return texts
      .alternatives(needle)
      .flatMap((each) =>
        texts.restrict(texts.literal(each.text), conditions.and(each.when, where(each.text))),
      )
  },
  sort: ({ texts }, list = []) => {
    const words = texts.words(list)
    const places = new Map(words.map((word) => [word.text, word.at]))
    const sorted = [...texts.presence(words)].sort(([a], [b]) => (a < b ? -1 : 1))
    return texts.join(sorted.map(([text, when]) => ({ text, when, at: places.get(text) })))
  },
  firstword: (environment, list = []) => nth(environment, environment.texts.words(list), 1, 1),
  lastword: ({ conditions, texts }, list = []) => {
    let later: Condition = conditions.FALSE
    const found: Word[] = []
    for (const word of [...texts.words(list)].reverse()) {
      const when = conditions.and(word.when, conditions.not(later))
      if (when !== conditions.FALSE) found.push({ ...word, when })
      later = conditions.or(later, word.when)
    }
    return found
  },
  word: (environment, index = [], list = []) =>
    forNumber(environment, index, (n) => nth(environment, environment.texts.words(list), n, n)),
  wordlist: (environment, from = [], to = [], list = []) =>
    forNumber(environment, from, (first) =>
      forNumber(environment, to, (last) => nth(environment, environment.texts.words(list), first, last)),
    ),
  words: ({ conditions, texts }, list = []) =>
    counts(conditions, texts.words(list)).flatMap((when, count) =>
      texts.restrict(texts.literal(`${count}`), when),
    ),
  addprefix: (environment, prefix = [], list = []) =>
    affix(environment, prefix, list, (word, affixed) => affixed + word),
  addsuffix: (environment, suffix = [], list = []) =>
    affix(environment, suffix, list, (word, affixed) => word + affixed),
  join: ({ conditions, texts, at }, left = [], right = []) => {
    const [a, b] = [texts.words(left), texts.words(right)]
    if ([...a, ...b].some((word) => word.when !== conditions.TRUE))
      stop('invalid', '$(join …) of lists that depend on the configuration', at)
    const pairs = Array.from({ length: Math.max(a.length, b.length) }, (_, index) => ({
      when: conditions.TRUE,
      text: (a[index]?.text ?? '') + (b[index]?.text ?? ''),
      at: a[index]?.at ?? b[index]?.at,
    }))
    return texts.join(pairs)
  },
  dir: mapping((word) => (word.includes('/') ? word.slice(0, word.lastIndexOf('/') + 1) : './')),
  notdir: mapping((word) => word.slice(word.lastIndexOf('/') + 1)),
  basename: mapping((word) => word.replace(/\.[^./]*$/, '')),
  suffix: mapping((word) => /\.[^./]*$/.exec(word)?.[0] ?? ''),
  // the top of the tree is the current folder; a path that leaves it stays as it is
  abspath: mapping((word) => word),
  realpath: mapping((word) => word),
  wildcard: ({ texts, tree }, patterns = []) =>
    texts.join(
      texts.words(patterns).flatMap((word) => matches(tree, word.text).map((text) => ({ ...word, text }))),
    ),
}

function substitute({ conditions, texts }: Environment, from: Text, to: Text, text: Text): Text {
  const pairs = texts
    .alternatives(from)
    .flatMap((a) =>
      texts.alternatives(to).map((b) => ({ from: a.text, to: b.text, when: conditions.and(a.when, b.when) })),
    )
    .filter(({ when }) => when !== conditions.FALSE)
  const replace = (value: string, pair: { from: string; to: string }): string =>
    pair.from === '' ? value + pair.to : value.replaceAll(pair.from, () => pair.to)
  return pairs.flatMap((pair) => {
    // What has no blank lies within a word, and one character within a piece.
    const parts =
      pair.from.length === 1
        ? text
        : text.length > 1 && !/\s/.test(pair.from)
          ? texts.join(texts.words(text))
          : texts.alternatives(text)
    return texts.restrict(
      parts.map((piece) => ({ ...piece, text: replace(piece.text, pair) })),
      pair.when,
    )
  })
}

/** `%` matches anything; without it a pattern is a word. */
function matchPattern(word: string, pattern: string): string | undefined {
  const percent = pattern.indexOf('%')
  if (percent === -1) return word === pattern ? '' : undefined
  const before = pattern.slice(0, percent)
  const after = pattern.slice(percent + 1)
  if (word.length < before.length + after.length) return undefined
  if (!word.startsWith(before) || !word.endsWith(after)) return undefined
  return word.slice(before.length, word.length - after.length)
}

function replacePattern(word: string, pattern: string, replacement: string): string {
  const stem = matchPattern(word, pattern)
  if (stem === undefined) return word
  return pattern.includes('%') ? replacement.replace('%', () => stem) : replacement
}

function filter({ conditions, texts }: Environment, patterns: Text, text: Text, out: boolean): Text {
  const exact = texts.presence(texts.words(patterns))
  const wild = [...exact].filter(([pattern]) => pattern.includes('%'))
  const kept: Word[] = []
  for (const word of texts.words(text)) {
    let matched = exact.get(word.text) ?? conditions.FALSE
    for (const [pattern, when] of wild)
      if (matchPattern(word.text, pattern) !== undefined) matched = conditions.or(matched, when)
    const when = conditions.and(word.when, out ? conditions.not(matched) : matched)
    if (when !== conditions.FALSE) kept.push({ ...word, when })
  }
  return texts.join(kept)
}

function affix(
  { conditions, texts }: Environment,
  affixes: Text,
  list: Text,
  work: (word: string, affix: string) => string,
): Text {
  const all = texts.alternatives(affixes)
  return texts.join(
    texts.words(list).flatMap((word) =>
      all.flatMap((each) => {
        const when = conditions.and(word.when, each.when)
        return when === conditions.FALSE ? [] : [{ ...word, when, text: work(word.text, each.text) }]
      }),
    ),
  )
}

/** By number of words: the condition under which there are so many. */
function counts(conditions: Conditions, words: readonly Word[]): readonly Condition[] {
  let now: Condition[] = [conditions.TRUE]
  for (const { when } of words) {
    const next = now.map((condition) => conditions.and(condition, conditions.not(when)))
    for (const [count, condition] of now.entries())
      next[count + 1] = conditions.or(next[count + 1] ?? conditions.FALSE, conditions.and(condition, when))
    now = next
  }
  return now
}

/** The words from the `first` to the `last`, counted from 1. */
function nth({ conditions, texts }: Environment, words: readonly Word[], first: number, last: number): Text {
  const kept: Word[] = []
  for (const [index, word] of words.entries()) {
    const before = counts(conditions, words.slice(0, index)).slice(first - 1, last)
    const inside = before.reduce((any, each) => conditions.or(any, each), conditions.FALSE)
    const when = conditions.and(word.when, inside)
    if (when !== conditions.FALSE) kept.push({ ...word, when })
  }
  return texts.join(kept)
}

function forNumber(
  { conditions, texts, at }: Environment,
  number: Text,
  work: (value: number) => Text,
): Text {
  return texts.alternatives(number).flatMap(({ text, when }) => {
    if (when === conditions.FALSE) return []
    if (!/^\s*\d+\s*$/.test(text)) stop('invalid', `not a number: ${text}`, at)
    return texts.restrict(work(Number(text)), when)
  })
}

/** Files and folders of the tree that a shell pattern means, sorted. */
function matches(tree: Environment['tree'], pattern: string): readonly string[] {
  const folderOnly = pattern.endsWith('/')
  let found: readonly string[] = ['']
  const parts = pattern.split('/').filter((part) => part !== '')
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1
    found = found.flatMap((folder) => {
      if (part === '.' || part === '..') return [`${folder}${part}/`]
      const test = globTest(part)
      return (tree.list(normalPath(folder)) ?? []).flatMap((name) => {
        const isFolder = name.endsWith('/')
        const bare = isFolder ? name.slice(0, -1) : name
        if (!test(bare) || (!last && !isFolder) || (last && folderOnly && !isFolder)) return []
        return [`${folder}${bare}${last && !folderOnly ? '' : '/'}`]
      })
    })
  }
  return parts.length === 0 ? [] : [...found].sort()
}

function globTest(pattern: string): (name: string) => boolean {
  if (!/[*?[]/.test(pattern)) return (name) => name === pattern
  // a star at a time from the left, so that no pattern takes more than its length times the name's
  const pieces = pattern.split('*')
  const matchesPiece = (name: string, at: number, piece: string): number => {
    let position = at
    for (let index = 0; index < piece.length; index++, position++) {
      const character = name[position]
      if (character === undefined) return -1
      if (piece[index] === '?') continue
      if (piece[index] === '[') {
        const end = piece.indexOf(']', index + 2)
        if (end === -1) return -1
        if (!inSet(character, piece.slice(index + 1, end))) return -1
        index = end
      } else if (piece[index] !== character) return -1
    }
    return position
  }
  return (name) => {
    if (name.startsWith('.') && !pattern.startsWith('.')) return false
    let at = 0
    for (const [index, piece] of pieces.entries()) {
      const last = index === pieces.length - 1
      let end = -1
      for (let start = at; start <= name.length; start++) {
        const reached = matchesPiece(name, start, piece)
        const fits = reached !== -1 && (!last || reached === name.length)
        if (fits) end = reached
        if (fits || index === 0) break
      }
      if (end === -1) return false
      at = end
    }
    return true
  }
}

function inSet(character: string, set: string): boolean {
  const negated = set.startsWith('!') || set.startsWith('^')
  const body = negated ? set.slice(1) : set
  let inside = false
  for (let index = 0; index < body.length; index++) {
    const from = body[index] ?? ''
    const to = body[index + 1] === '-' && body[index + 2] !== undefined ? (body[index + 2] ?? from) : from
    if (character >= from && character <= to) inside = true
    if (to !== from) index += 2
  }
  return inside !== negated
}
