import { describe, expect, it } from 'vitest'
import { chooseWay, type WayChosen } from './near-client.ts'

/** Of so many answers, those that were waited for awake. */
function awake(
  chosen: WayChosen,
  answers: number,
  takesMs: Readonly<Record<'asleep' | 'awake', number>>,
): number {
  let count = 0
  for (let answer = 0; answer < answers; answer++) {
    if (chosen.way() === 'awake') count++
    chosen.answered(takesMs[chosen.way()])
  }
  return count
}

const idle = { asleep: 0.05, awake: 0.03 }
const busy = { asleep: 0.03, awake: 0.05 }
const far = { asleep: 3, awake: 3 }

describe('waiting for answers', () => {
  it('is done awake where they come faster so, and asleep where they do not or come from far', () => {
    expect(awake(chooseWay(), 10_000, idle)).toBeGreaterThan(9000)
    expect(awake(chooseWay(), 10_000, busy)).toBeLessThan(1000)
    expect(awake(chooseWay(), 10_000, far)).toBeLessThan(1000)
  })

  it('changes its way when the machine does', () => {
    const chosen = chooseWay()
    awake(chosen, 20_000, idle)
    awake(chosen, 10_000, busy)
    expect(awake(chosen, 10_000, busy)).toBeLessThan(1000)
    awake(chosen, 10_000, idle)
    expect(awake(chosen, 10_000, idle)).toBeGreaterThan(9000)
  })
})
