import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileSource } from './conformance.ts'
import { propertyValue } from './model.ts'
import { printValue } from './print.ts'
import { readDevicetree } from './read.ts'
import { parseSourceValue } from './source-value.ts'

/** What dtc makes of the value. */
function compiled(text: string): Buffer {
  const tree = readDevicetree(compileSource(`/dts-v1/; / { p = ${text}; };`))
  if (!tree.ok) throw new Error(tree.error.message)
  return Buffer.from(propertyValue(tree.value.root, 'p') ?? [])
}

describe('a value as people write it', () => {
  it.each([
    '<1 0x20 017 0>',
    '<>',
    '"text"',
    '"two", "strings"',
    '"tab\\tquote\\"back\\\\slash\\x41\\101\\r\\n"',
    '[00ff 12 34]',
    '[]',
    '"name", <1>, [ab]',
    '  <1>  ,"x"  ',
  ])('gives the bytes that dtc gives: %s', (text) => {
    const parsed = parseSourceValue(text)
    expect(parsed).toMatchObject({ ok: true })
    if (parsed.ok) expect(parsed.value).toEqual(compiled(text))
  })

  it('is empty where the text is', () => {
    expect(parseSourceValue(' ')).toEqual({ ok: true, value: Buffer.alloc(0) })
  })

  it('gives back the bytes of what was printed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        const parsed = parseSourceValue(printValue(bytes))
        return parsed.ok && parsed.value.equals(Buffer.from(bytes))
      }),
    )
  })

  it.each([
    ['<1', 0],
    ['<x>', 1],
    ['<089>', 1],
    ['<0x100000000>', 1],
    ['"open', 0],
    ['[0]', 1],
    ['<1> <2>', 4],
    ['<1>,', 4],
    ['1', 0],
  ])('is refused with the place of the mistake: %s', (text, offset) => {
    expect(parseSourceValue(text)).toMatchObject({ ok: false, error: { type: 'bad-source-value', offset } })
  })

  it('of any text never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => typeof parseSourceValue(text).ok === 'boolean'))
  })
})
