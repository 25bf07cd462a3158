import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { indexAliases } from './alias.ts'
import { scanAliases } from './alias-scan.ts'
import { createModinfoPacker } from './modinfo-pack.ts'

const text = (alphabet: string, maxLength: number) =>
  fc.array(fc.constantFrom(...alphabet), { maxLength }).map((characters) => characters.join(''))

function packed(...modinfos: readonly string[]) {
  const packer = createModinfoPacker()
  for (const [index, modinfo] of modinfos.entries()) packer.add(`m${index}`, Buffer.from(modinfo))
  return packer.finish()
}

describe('modules that answer to an alias', () => {
  it('are the same for who looks through all as for who has an index', () => {
    const patterns = fc.array(text('ab-_*?[]1é\\', 8), { maxLength: 6 })
    fc.assert(
      fc.property(patterns, text('ab-_1é', 6), (written, alias) => {
        const modinfo = (patterns: readonly string[]): string =>
          ['name=a', ...patterns.map((pattern) => `alias=${pattern}`), 'notalias=ab', 'x=alias=a'].join('\0')
        const halves = [written.slice(0, 3), written.slice(3)]
        const index = indexAliases(
          halves.flatMap((half, at) => half.map((pattern) => [pattern, `m${at}`] as const)),
        )
        const pack = packed(...halves.map(modinfo))
        expect([...scanAliases(pack, alias)].sort()).toEqual([...index.match(alias)].sort())
      }),
      { numRuns: 3000 },
    )
  })

  it('are found by an alias that ends where the section does', () => {
    expect([...scanAliases(packed('alias=fs_b\0alias=fs_a', 'alias=fs_a\0'), 'fs-a')]).toEqual(['m0', 'm1'])
    expect(scanAliases(packed('alias=fs_'), 'fs-a').size).toBe(0)
    expect(scanAliases(packed('alias=*\0'), 'a]').size).toBe(0)
  })
})
