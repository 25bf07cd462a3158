/**
 * Text as it is in every configuration at once: pieces, each there under a condition. `obj-$(CONFIG_TUN)` is "obj-"
 * always, then "y" where TUN=y, then "m" where TUN=m. With one configuration fixed every condition is TRUE or FALSE,
 * and this is ordinary text.
 *
 * Where lists are joined stands a *gap*: it parts words, and is a blank where there is text on both sides. make would
 * put a blank just between the words that are there; saying that in conditions would make them grow with the square of
 * a list's length. The difference shows only where something is glued to a list of several words of which the outer
 * one may be absent, which is no sensible Makefile, and never with one configuration fixed.
 */
import type { Condition, Conditions } from './condition.ts'
import { limits, type Place, stop } from './error.ts'

export interface Piece {
  readonly when: Condition
  /** '' for a gap only */
  readonly text: string
  /** the line of the Makefile that put it where it is; undefined while it is on its way */
  readonly at: Place | undefined
}

export type Text = readonly Piece[]

/** A piece without white space; neighbours in a list of words are apart. */
export type Word = Piece

export interface Texts {
  literal(text: string): Text
  readonly gap: Text
  /** The text where the condition holds; nothing elsewhere. */
  restrict(text: Text, when: Condition): Text
  /** Every whole text that it can be, each once, with the condition under which it is that. They exclude each other. */
  alternatives(text: Text): readonly Piece[]
  /** White space separates words, as everywhere in make. */
  words(text: Text): readonly Word[]
  join(words: readonly Word[]): Text
  /** There is at least one character. */
  isNonEmpty(text: Text): Condition
  /** Words by their text, each once, with where it is there at all. */
  presence(words: readonly Word[]): ReadonlyMap<string, Condition>
}

/** Lists longer than this are lists, not alternatives of one word. */
const mostAlternatives = 64

const blank = /[ \t\n\r\f\v]+/

/** Texts so far, by what they are: they exclude each other and leave nothing out. */
type Open = Map<string, Beginning>

interface Beginning {
  readonly text: string
  /** a gap has been seen since the last character */
  readonly gap: boolean
  readonly when: Condition
  readonly at: Place | undefined
}

export function createTexts(conditions: Conditions, tick: (steps: number) => void): Texts {
  const { TRUE, FALSE, and, or, not } = conditions

  const widen = (open: Open, beginning: Beginning): void => {
    if (beginning.when === FALSE) return
    const key = beginning.gap ? `${beginning.text}\0` : beginning.text
    const known = open.get(key)
    open.set(key, known === undefined ? beginning : { ...known, when: or(known.when, beginning.when) })
  }
  const start = (): Open => new Map([['', { text: '', gap: false, when: TRUE, at: undefined }]])
  /** `text` follows, or a gap if it is empty. */
  const extend = (open: Open, { text, when, at }: Piece): Open => {
    tick(open.size)
    const next: Open = new Map()
    const rest = not(when)
    for (const before of open.values()) {
      if (before.text.length + text.length > limits.valueLength) stop('limit', 'a value grows without end')
      const there = and(before.when, when)
      const longer = text === '' ? before.text : `${before.text}${before.gap ? ' ' : ''}${text}`
      const gap = text === '' && before.text !== ''
      widen(next, { text: longer, gap, when: there, at: before.at ?? (text === '' ? undefined : at) })
      widen(next, { ...before, when: and(before.when, rest) })
    }
    if (next.size > limits.alternatives) stop('limit', 'a reference stands for too many different texts')
    return next
  }
  const gap: Text = [{ when: TRUE, text: '', at: undefined }]

  return {
    gap,
    literal: (text) => (text === '' ? [] : [{ when: TRUE, text, at: undefined }]),
    restrict(text, when) {
      if (when === TRUE) return text
      if (when === FALSE) return []
      tick(text.length)
      return text.flatMap((piece) => {
        const both = and(piece.when, when)
        if (both === FALSE) return []
        return both === piece.when ? [piece] : [{ ...piece, when: both }]
      })
    },
    alternatives(text) {
      const [only] = text
      if (only?.when === TRUE && text.length === 1) return text
      let open = start()
      for (const piece of text) open = extend(open, piece)
      const whole: Open = new Map()
      for (const beginning of open.values()) widen(whole, { ...beginning, gap: false })
      return [...whole.values()]
    },
    words(text) {
      const words: Word[] = []
      let open = start()
      /** The words that are being written end here, where `when` holds. */
      const end = (when: Condition): void => {
        const next: Open = new Map()
        for (const word of open.values()) {
          const ended = and(word.when, when)
          if (word.text !== '' && ended !== FALSE) words.push({ text: word.text, when: ended, at: word.at })
          widen(next, { text: '', gap: false, when: ended, at: undefined })
          widen(next, { ...word, when: and(word.when, not(when)) })
        }
        open = next
      }
      for (const piece of text) {
        if (piece.text === '') {
          end(piece.when)
          continue
        }
        const [first = '', ...more] = piece.text.split(blank)
        tick(1 + more.length)
        if (first !== '') open = extend(open, { ...piece, text: first })
        const last = more.pop()
        if (last === undefined) continue
        end(piece.when)
        for (const word of more) words.push({ ...piece, text: word })
        if (last !== '') open = extend(open, { ...piece, text: last })
      }
      end(TRUE)
      return words
    },
    join(words) {
      const pieces: Piece[] = []
      let before: Condition = FALSE
      for (const [index, word] of words.entries()) {
        // Words that exclude all before them have no gap: they are alternatives of one, not a list.
        const counted = index < mostAlternatives
        if (index > 0 && (!counted || and(before, word.when) !== FALSE)) pieces.push(...gap)
        if (counted) before = or(before, word.when)
        pieces.push(word)
      }
      return pieces
    },
    isNonEmpty(text) {
      let any: Condition = FALSE
      for (const piece of text) {
        if (any === TRUE) break
        if (piece.text !== '') any = or(any, piece.when)
      }
      return any
    },
    presence(words) {
      const found = new Map<string, Condition>()
      for (const { text, when } of words) found.set(text, or(found.get(text) ?? FALSE, when))
      return found
    },
  }
}
