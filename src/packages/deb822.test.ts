import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseDeb822, words } from './deb822.ts'

it('reads paragraphs, with continuation lines, field names in any case', () => {
  const text = 'Package: a\nDEPENDS: b,\n c\n\n\n\nPackage: d\r\nX: y\r\n'
  expect(parseDeb822(text).map((paragraph) => Object.fromEntries(paragraph))).toEqual([
    { package: 'a', depends: 'b,\nc' },
    { package: 'd', x: 'y' },
  ])
})

it('takes # for a comment only where comments are', () => {
  expect(parseDeb822('A: b\n# C: d\n e\n', { comments: true })[0]?.get('a')).toBe('b\ne')
  expect(parseDeb822('A: b\n#C: d\n')[0]?.get('#c')).toBe('d')
})

it('skips a line that is no field, and what continues it', () => {
  expect(parseDeb822('-----BEGIN\n x\nA: b\n').map((one) => [...one])).toEqual([[['a', 'b']]])
})

it('reads back what is printed', () => {
  const field = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,8}$/)
  const value = fc.stringMatching(/^([!-~]([ -~]{0,10}[!-~])?)?$/)
  const paragraph = fc.uniqueArray(fc.tuple(field, value), {
    minLength: 1,
    selector: ([name]) => name.toLowerCase(),
  })
  fc.assert(
    fc.property(fc.array(paragraph), (paragraphs) => {
      const text = paragraphs.map((fields) => fields.map(([k, v]) => `${k}: ${v}\n`).join('')).join('\n')
      const expected = paragraphs.map((fields) => fields.map(([k, v]) => [k.toLowerCase(), v]))
      expect(parseDeb822(text).map((one) => [...one])).toEqual(expected)
    }),
  )
})

it('takes any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('A', ':', ' ', '\n', '#', '\t', '\r', '-') }), (text) => {
      for (const paragraph of parseDeb822(text, { comments: true })) expect(paragraph.size).toBeGreaterThan(0)
    }),
  )
  expect(words(undefined)).toEqual([])
})
