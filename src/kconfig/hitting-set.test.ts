import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { minimumHittingSet } from './hitting-set.ts'

const ELEMENTS = 10

describe('the cheapest hitting set', () => {
  it('hits every set, at the weight that trying out all subsets finds', () => {
    const element = fc.integer({ min: 0, max: ELEMENTS - 1 })
    const sets = fc.array(fc.uniqueArray(element, { minLength: 1, maxLength: 5 }), { maxLength: 14 })
    const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: ELEMENTS, maxLength: ELEMENTS })
    fc.assert(
      fc.property(sets, weights, (given, weight) => {
        const weightOf = (each: number): number => weight[each] ?? 0
        const found = minimumHittingSet(given, weightOf)
        for (const set of given) expect(set.some((each) => found.elements.includes(each))).toBe(true)
        let least = Number.POSITIVE_INFINITY
        for (let subset = 0; subset < 1 << ELEMENTS; subset++) {
          if (!given.every((set) => set.some((each) => (subset >> each) & 1))) continue
          let total = 0
          for (let each = 0; each < ELEMENTS; each++) if ((subset >> each) & 1) total += weightOf(each)
          least = Math.min(least, total)
        }
        expect(found).toMatchObject({ weight: least, exact: true })
        expect(new Set(found.elements).size).toBe(found.elements.length)
      }),
      { numRuns: 300 },
    )
  })
})
