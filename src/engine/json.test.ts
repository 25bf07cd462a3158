import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson } from './json.ts'

function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, shuffled(member)]),
  )
}

test('canonical JSON is JSON and says the same', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('the order in which properties were written does not matter', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value)
      expect(canonicalJson(shuffled(JSON.parse(text)))).toBe(canonicalJson(JSON.parse(text)))
    }),
  )
})

test('two values have the same text only when they are equal', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 2 }), fc.jsonValue({ maxDepth: 2 }), (a, b) => {
      const equal = isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)))
      expect(canonicalJson(a) === canonicalJson(b)).toBe(equal)
    }),
  )
})

test('undefined properties are left out, and zero has no sign', () => {
  expect(canonicalJson({ b: undefined, a: -0 })).toBe('{"a":0}')
})

test.each([
  ['a map', { a: new Map() }, '$.a is a Map'],
  ['a class instance', { a: [new Date(0)] }, '$.a[0] is a Date'],
  ['a function', { a: () => 1 }, '$.a is a function'],
  ['not a number', { a: Number.NaN }, '$.a is NaN'],
  ['a big integer', [1n], '$[0] is a bigint'],
  ['undefined in a list', [undefined], '$[0] is a undefined'],
])('%s is refused by its place', (_what, value, message) => {
  expect(() => canonicalJson(value)).toThrow(message)
})

test('a value that contains itself is refused', () => {
  const value: Record<string, unknown> = {}
  value.self = value
  expect(() => canonicalJson(value)).toThrow('nested too deeply')
})
