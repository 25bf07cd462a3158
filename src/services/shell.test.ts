import { execFileSync, spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { command, quote, quoteAll } from './shell.ts'

const shells = [['sh'], ['dash'], ['busybox', 'sh']].filter(
  ([program = '', ...args]) => spawnSync(program, [...args, '-c', 'true']).status === 0,
)

/** Any text an argument can be: no zero byte, and nothing that UTF-8 cannot hold. */
const anyText = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom("'", '"', '\\', '$', '`', '\n', ' ', '\t', '*', '?', '~', '!', '#', '-', 'a'),
    }),
  )
  .map((text) => Buffer.from(text.replaceAll('\0', '')).toString())

describe.each(shells.map((shell) => ({ shell })))('quote, read by $shell', ({ shell }) => {
  const [program = 'sh', ...args] = shell
  const words = (script: string): string[] =>
    execFileSync(program, [...args, '-c', script], { encoding: 'utf8' })
      .split('\0')
      .slice(0, -1)

  it('gives back any text', () => {
    fc.assert(
      fc.property(fc.array(anyText, { minLength: 1, maxLength: 50 }), (texts) => {
        expect(words(`printf '%s\\0' ${quoteAll(texts)}`)).toEqual(texts)
      }),
      { numRuns: 100 },
    )
  })

  it('gives back any text in an assignment, and in the text of an action', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(words(`x=${quote(text)}; printf '%s\\0' "$x"`)).toEqual([text])
        expect(words(command(`printf '%s\\0' ${quote(text)}`))).toEqual([text])
        expect(words(command(['printf', '%s\\0', text]))).toEqual([text])
      }),
      { numRuns: 50 },
    )
  })

  it('fails an action whose text is no shell, and not the script around it', () => {
    expect(words(`( ${command('if then (')} ) 2>/dev/null; printf '%s\\0' "$?" after`)[1]).toBe('after')
  })
})

it('leaves plain words plain', () => {
  expect(quoteAll(['/usr/sbin/dropbear', '-p', '22', '', 'a b'])).toBe("/usr/sbin/dropbear -p 22 '' 'a b'")
})
