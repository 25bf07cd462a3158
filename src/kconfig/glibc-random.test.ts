import { expect, it } from 'vitest'
import { createRandom } from './glibc-random.ts'

it('gives the numbers of the C library, as any program printing rand() shows', () => {
  const one = createRandom(1)
  expect([one(), one(), one()]).toEqual([1804289383, 846930886, 1681692777])
  const zero = createRandom(0)
  expect(zero()).toBe(1804289383)
})
