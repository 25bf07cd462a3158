import { describe, expect, it } from 'vitest'
import { plainProgress, timeLeft } from './plain.ts'

describe('the plain log', () => {
  it('says at every tenth how far a long step is, where it works and how long it takes yet', () => {
    const lines: string[] = []
    const { event } = plainProgress((line) => lines.push(line))
    const about = { step: 1, name: 'build linux' }
    event({ type: 'step-started', kind: 'command', time: 0, ...about })
    for (const done of [1, 50, 99, 100, 101, 250])
      event({
        type: 'step-progress',
        done,
        total: 500,
        unit: 'objects',
        detail: 'net',
        time: done * 1000,
        ...about,
      })
    expect(lines).toEqual([
      'build linux: 50 of 500 objects, net, about 7 min 30 s left',
      'build linux: 100 of 500 objects, net, about 6 min 40 s left',
      'build linux: 250 of 500 objects, net, about 4 min 10 s left',
    ])
  })
  it('says nothing of the time left before much is known', () => {
    expect(timeLeft({ done: 1, total: 500 }, 60_000)).toBeUndefined()
    expect(timeLeft({ done: 400, total: 500 }, 1000)).toBeUndefined()
    expect(timeLeft({ done: 500, total: 500 }, 60_000)).toBeUndefined()
  })
})
