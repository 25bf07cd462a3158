import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { callSite, formatDiagnostic, nearNames, placeInStack } from './index.ts'

describe('near names', () => {
  it('finds what a person may have meant', () => {
    const known = ['nft_masq', 'nft_nat', 'nf_tables', 'virtio_net']
    expect(nearNames('nft_mask', known)).toEqual(['nft_masq'])
    expect(nearNames('virtio-net', known)[0]).toBe('virtio_net')
    expect(nearNames('zzzzzz', known)).toEqual([])
    expect(nearNames('nftabels', ['abe', 'nftables'])).toEqual(['nftables', 'abe'])
  })

  it('always finds the name itself, and never more than asked for', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1 }),
        fc.nat(),
        (names, index) => {
          const wanted = names[index % names.length] ?? ''
          const near = nearNames(wanted, names, 2)
          expect(near.length).toBeLessThanOrEqual(2)
          expect(near[0]?.toLowerCase()).toBe(wanted.toLowerCase())
        },
      ),
    )
  })
})

describe('places in the user’s source', () => {
  it('are the nearest frame that is not our own', () => {
    const stack = `Error
    at Object.require (file:///project/node_modules/firmwright/dist/system/builder.js:10:5)
    at setup (/project/system.ts:14:9)
    at node:internal/main/run_main_module:28:49`
    expect(placeInStack(stack)).toEqual({ file: '/project/system.ts', line: 14 })
  })

  it('are found for this very call', () => {
    expect(callSite('test')).toMatchObject({ feature: 'test', file: import.meta.filename })
  })
})

describe('a diagnostic as text', () => {
  it('says what, where, why and what would fix it', () => {
    const text = formatDiagnostic(
      {
        what: 'it broke',
        where: [{ feature: 'firewall', file: '/project/system.ts', line: 3 }],
        why: 'two\nlines',
        fix: 'mend it',
      },
      '/project',
    )
    expect(text).toBe('it broke\n  from: firewall (system.ts:3)\n  why:  two\n        lines\n  fix:  mend it')
  })
})
