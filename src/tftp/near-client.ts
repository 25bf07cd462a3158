/**
 * Waiting for the answers of a client that is near: on this machine, or a switch away. They come as fast as a sleeping
 * program is woken. Staying awake, by turning the event loop, is faster where a processor would fall asleep otherwise,
 * and slower where it is one that the client could use. That depends on the machine, and on what else it does: so both
 * ways are tried out, again and again.
 */

type Way = 'asleep' | 'awake'

/** An answer that takes longer is not worth staying awake for. */
const NEAR_MS = 0.2
/** A client that is far answers the same either way, and may then be slept for. */
const WORTH_IT = 0.95
/** Answers that a way is tried out with. */
const TRIAL_ANSWERS = 64
/** Answers that the better way is kept for: twice as many each time that it proves to be so again, up to a limit. */
const FEWEST_KEPT = 256
const MOST_KEPT = 8192

export interface WayChosen {
  readonly way: () => Way
  /** An answer has come, after so long. */
  answered(afterMs: number): void
}

/** Which way is the better one, by how long answers take. */
export function chooseWay(): WayChosen {
  /** How long answers take on average, those that take too long being counted as {@link NEAR_MS}. */
  const meanMs: Partial<Record<Way, number>> = {}
  let way: Way = 'asleep'
  let better: Way | undefined
  let keptFor = FEWEST_KEPT
  /** Since the last choice, and until the next. */
  let answers = 0
  let wantedAnswers = TRIAL_ANSWERS
  let sumMs = 0

  const tryOut = (next: Way): void => {
    way = next
    wantedAnswers = TRIAL_ANSWERS
  }

  const keep = (next: Way): void => {
    keptFor = next === better ? Math.min(2 * keptFor, MOST_KEPT) : FEWEST_KEPT
    better = next
    way = next
    wantedAnswers = keptFor
  }

  return {
    way: () => way,
    answered: (afterMs) => {
      sumMs += Math.min(afterMs, NEAR_MS)
      answers++
      if (answers < wantedAnswers) return
      meanMs[way] = sumMs / answers
      sumMs = 0
      answers = 0
      // After a trial the better way is kept; after that, the other one is tried out.
      const { asleep = NEAR_MS, awake } = meanMs
      if (awake === undefined || way === better) tryOut(way === 'asleep' ? 'awake' : 'asleep')
      else keep(awake < WORTH_IT * asleep ? 'awake' : 'asleep')
    },
  }
}

export interface NearClient {
  /** Something was sent that is answered at once. */
  sent(): void
  /** The answer has come, after so long. */
  answered(afterMs: number): void
}

/** `isOver` tells when nothing is waited for any more. */
export function nearClient(isOver: () => boolean): NearClient {
  const { way, answered } = chooseWay()
  let sentAt = 0
  let turning = false
  const turn = (): void => {
    turning = way() === 'awake' && !isOver() && performance.now() - sentAt < NEAR_MS
    if (turning) setImmediate(turn)
  }
  return {
    answered,
    sent: () => {
      sentAt = performance.now()
      if (turning || way() === 'asleep') return
      turning = true
      setImmediate(turn)
    },
  }
}
