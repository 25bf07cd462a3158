/** A share of `npm run verify kmod-fuzz`. */
import { describe, expect, it } from 'vitest'
import { fuzzCheck, fuzzReaders, seedModules } from '../verify/kmod/fuzz.ts'
import { seededRandom } from './seeded-random.ts'

describe('mutated modules', () => {
  it('are read or refused: nothing throws, hangs or reads past the end', () => {
    const { failures, accepted, refused } = fuzzReaders(seedModules(), 20_000, seededRandom(1))
    expect(failures).toEqual([])
    // Both happen often, or the mutations would be too harmless or too coarse to find anything.
    expect(Math.min(accepted, refused)).toBeGreaterThan(2_000)
  })

  it('are proved or found wanting, and no exception', async () => {
    expect(await fuzzCheck(seedModules(), 500, seededRandom(2))).toEqual([])
  })
})
