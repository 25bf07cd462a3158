import { describe, expect, it } from 'vitest'
import { seededFractions } from '../../test/seeded-random.ts'
import { choosePace, type Pace } from './pace.ts'

const WINDOW = 16

/** A client that loses what a burst has beyond `room` blocks, on a network that loses one block in `lossIn`. */
interface Weather {
  readonly room: number
  readonly lossIn: number
}

/** How many blocks arrive in two minutes: a window ends at the first that is lost, which costs a wait. */
function arriving(
  pace: Pace,
  { room, lossIn }: Weather,
): { readonly blocks: number; readonly whole: number } {
  const random = seededFractions(5)
  let [nowMs, blocks, windows, whole] = [0, 0, 0, 0]
  while (nowMs < 120_000) {
    const burst = pace.burst()
    let arrived = 0
    while (arrived < WINDOW && arrived % burst < room && random() >= 1 / lossIn) arrived++
    nowMs += 0.5 + Math.ceil(arrived / burst) - 1
    if (arrived < WINDOW) {
      nowMs += 25
      pace.lost()
    }
    pace.arrived(arrived, nowMs)
    blocks += arrived
    windows++
    if (burst === WINDOW) whole++
  }
  return { blocks, whole: whole / windows }
}

const always = (blocks: number): Pace => ({ burst: () => blocks, arrived: () => {}, lost: () => {} })

describe('the pace of a transfer', () => {
  it.each([1, 2, 4, 8])('finds that a client has room for %d blocks', (room) => {
    const weather = { room, lossIn: Number.POSITIVE_INFINITY }
    const best = arriving(always(room), weather).blocks
    expect(arriving(choosePace(WINDOW, 0), weather).blocks).toBeGreaterThan(0.8 * best)
  })

  it('costs next to nothing where a network loses now and then', () => {
    const weather = { room: WINDOW, lossIn: 20 }
    const best = arriving(always(WINDOW), weather).blocks
    expect(arriving(choosePace(WINDOW, 0), weather).blocks).toBeGreaterThan(0.9 * best)
  })

  it('is never tried out where nothing is lost', () => {
    expect(arriving(choosePace(WINDOW, 0), { room: WINDOW, lossIn: Number.POSITIVE_INFINITY }).whole).toBe(1)
  })

  it('is that of single blocks where a window has one', () => {
    expect(choosePace(1, 0).burst()).toBe(1)
  })
})
