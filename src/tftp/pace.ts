/**
 * How many blocks of a window are sent without a pause. A boot loader has room for a few packets (U-Boot for four,
 * CONFIG_SYS_RX_ETH_BUFFER, where a board says nothing), and of a window that comes all at once it loses the rest. Pauses
 * help there, and only there: not where a network loses a packet now and then. So once something was lost, shorter and
 * longer bursts are tried out, again and again, and the one is kept with which most blocks arrive.
 */
export interface Pace {
  /** Blocks. */
  readonly burst: () => number
  /** So many blocks more are acknowledged. */
  arrived(blocks: number, nowMs: number): void
  /** Something that was sent did not arrive. */
  lost(): void
}

/** A trial is over when so many windows have arrived, or after a while, or when it is clear that it is no better. */
const TRIAL_WINDOWS = 16
const TRIAL_MS = 200
/** What counts as more: a burst that a client has no room for costs many times that. */
const WORTH_IT = 1.5
/** Trials that the best burst is kept for: twice as many each time that no other is better, up to a limit. */
const MOST_KEPT = 64

export function choosePace(windowBlocks: number, startMs: number): Pace {
  /** From a whole window down to single blocks, each half of the one before. */
  const bursts: number[] = []
  for (let blocks = windowBlocks; blocks >= 1; blocks = Math.floor(blocks / 2)) bursts.push(blocks)
  let best = 0
  let bestRate = 0
  let current = 0
  /** Tried out last. */
  let other = 0
  let keptFor = 1
  let trialsLeft = 1
  let trial = { startMs, blocks: 0, lost: false }

  const keep = (trials: number): void => {
    current = best
    keptFor = Math.min(trials, MOST_KEPT)
    trialsLeft = keptFor
  }

  /** Where nothing is lost, only the next longer one may be better; otherwise each has its turn. */
  const nextOther = (lost: boolean): number => {
    if (!lost) return best - 1
    const next = (other + 1) % bursts.length
    return next === best ? (next + 1) % bursts.length : next
  }

  const endTrial = (rate: number, lost: boolean): void => {
    if (current === best) {
      bestRate = rate
      if (--trialsLeft > 0) return
      other = nextOther(lost)
      if (other < 0 || other === best) keep(1)
      else current = other
    } else if (rate > WORTH_IT * bestRate) {
      best = current
      bestRate = rate
      keep(1)
    } else keep(2 * keptFor)
  }

  return {
    burst: () => bursts[current] ?? windowBlocks,
    arrived: (blocks, nowMs) => {
      trial.blocks += blocks
      const elapsedMs = nowMs - trial.startMs
      const isWorse = current !== best && elapsedMs * bestRate > 2 * TRIAL_WINDOWS * windowBlocks
      if (trial.blocks < TRIAL_WINDOWS * windowBlocks && elapsedMs < TRIAL_MS && !isWorse) return
      endTrial(trial.blocks / Math.max(elapsedMs, 0.001), trial.lost)
      trial = { startMs: nowMs, blocks: 0, lost: false }
    },
    lost: () => {
      trial.lost = true
    },
  }
}
