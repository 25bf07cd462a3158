/** Counting where what a tree's own `conf` wrote and said is not what we write and say. */
import type { Outcome } from '../../test/judge.ts'

/** What was compared under one heading. */
export interface Tally {
  readonly what: string
  compared: number
  /** texts that are not the same */
  differing: number
  /** messages that are not the same */
  otherMessages: number
}

export const createTally = (what: string): Tally => ({
  what,
  compared: 0,
  differing: 0,
  otherMessages: 0,
})

export function compare(
  tally: Tally,
  label: string,
  theirs: Outcome,
  ours: Outcome,
  progress: (text: string) => void,
): void {
  tally.compared++
  if (theirs.text !== ours.text) {
    tally.differing++
    if (tally.differing <= 5) progress(`${label}: ${firstDifference(theirs.text, ours.text)}`)
  }
  if (theirs.messages !== ours.messages) {
    tally.otherMessages++
    if (tally.otherMessages <= 5)
      progress(`${label}: says ${firstDifference(theirs.messages, ours.messages)}`)
  }
}

function firstDifference(theirs: string, ours: string): string {
  const a = theirs.split('\n')
  const b = ours.split('\n')
  const length = Math.max(a.length, b.length)
  const line = Array.from({ length }, (_, index) => index).find((index) => a[index] !== b[index]) ?? 0
  return `line ${line + 1}: conf ${JSON.stringify(a[line])}, we ${JSON.stringify(b[line])}`
}

export const tallyColumns = ['what', 'compared', '.config differs', 'messages differ'] as const

export const tallyRow = (tally: Tally): readonly (string | number)[] => [
  tally.what,
  tally.compared,
  tally.differing,
  tally.otherMessages,
]
