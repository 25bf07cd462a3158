import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { indexAliases } from './alias.ts'
import { aliasScanner } from './alias-scan.ts'

const text = (alphabet: string, maxLength: number) =>
  fc.array(fc.constantFrom(...alphabet), { maxLength }).map((characters) => characters.join(''))

describe('modules that answer to an alias', () => {
  it('are the same for who looks through all as for who has an index', () => {
    const patterns = fc.array(text('ab-_*?[]1é\\', 8), { maxLength: 6 })
    fc.assert(
      fc.property(patterns, text('ab-_1é', 6), (written, alias) => {
        const fields = ['name=a', ...written.map((pattern) => `alias=${pattern}`), 'notalias=ab', 'x=alias=a']
        const modinfo = Buffer.from(fields.map((field) => `${field}\0`).join(''))
        const index = indexAliases(written.map((pattern) => [pattern, 'it'] as const))
        expect(aliasScanner(alias)(modinfo)).toBe(index.match(alias).length > 0)
      }),
      { numRuns: 3000 },
    )
  })

  it('are found by an alias that ends where the section does', () => {
    expect(aliasScanner('fs-a')(Buffer.from('alias=fs_b\0alias=fs_a'))).toBe(true)
    expect(aliasScanner('fs-a')(Buffer.from('alias=fs_'))).toBe(false)
    expect(aliasScanner('a]')(Buffer.from('alias=*\0'))).toBe(false)
  })
})
