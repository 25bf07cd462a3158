import { describe, expect, it } from 'vitest'
import { checkLayout, overlaps } from './check.ts'
import { drawSvg, drawTable, showSize } from './draw.ts'
import type { LayoutRequest, PlacedRegion } from './region.ts'

const request: LayoutRequest = {
  memory: [{ start: 0x1000, end: 0x9000 }],
  fixed: [{ name: 'fixed', address: 0x1000, sizeBytes: 0x1000 }],
  movable: [
    {
      name: 'moved',
      sizeBytes: 0xfff,
      sizeUnitBytes: 0x1000,
      alignBytes: 0x1000,
      after: ['fixed'],
      awayFrom: [{ name: 'fixed', distanceBytes: 0x1000 }],
      within: [{ start: 0x2000, end: 0x8000 }],
    },
  ],
}
const fixed: PlacedRegion = { name: 'fixed', address: 0x1000, sizeBytes: 0x1000, reserved: false }

function violations(...regions: readonly PlacedRegion[]): readonly string[] {
  return checkLayout(request, { regions }).map(({ type }) => type)
}

function moved(address: number, sizeBytes = 0x1000): PlacedRegion {
  return { name: 'moved', address, sizeBytes, reserved: false }
}

describe('the independent check', () => {
  it('accepts what is right', () => {
    expect(violations(fixed, moved(0x3000))).toEqual([])
  })

  it.each([
    ['a region that is not there', [fixed], ['not-placed', 'not-placed']],
    ['a fixed region elsewhere', [{ ...fixed, address: 0x1001 }, moved(0x4000)], ['moved']],
    ['too small', [fixed, moved(0x3000, 0xffe)], ['size']],
    ['a unit too large', [fixed, moved(0x3000, 0x2000)], ['size']],
    ['not aligned', [fixed, moved(0x3800)], ['alignment']],
    ['out of bounds', [fixed, moved(0x8000)], ['outside']],
    ['out of memory', [fixed, moved(0x9000)], ['outside', 'outside']],
    ['below what it must be above', [{ ...fixed }, moved(0x0)], ['outside', 'order', 'distance', 'outside']],
    ['too near', [fixed, moved(0x2000)], ['distance']],
    ['overlapping', [fixed, moved(0x1000)], ['outside', 'order', 'distance', 'overlap']],
  ])('finds %s', (_name, regions, types) => {
    expect(violations(...regions)).toEqual(types)
  })

  it('finds overlaps of a single byte, and none where regions touch', () => {
    const at = (address: number) => ({ name: `at ${address}`, address, sizeBytes: 10, reserved: false })
    expect(overlaps({ regions: [at(0), at(9), at(19)] })).toEqual([['at 0', 'at 9']])
  })
})

describe('drawing', () => {
  const layout = {
    regions: [
      { name: 'root <1>', address: 0x40000000, sizeBytes: 0x600000, reserved: false },
      { name: 'loader', address: 0x47f80000, sizeBytes: 0x80000, reserved: true },
    ],
  }

  it('a table has start, last byte, size and name', () => {
    expect(drawTable(layout)).toBe(
      [
        '     start   last byte      size             region',
        '0x40000000  0x405fffff  0x600000    6 MiB  root <1>',
        '0x47f80000  0x47ffffff   0x80000  512 KiB  loader (reserved)',
        '',
      ]
        .join('\n')
        .replace('           region', '         region'),
    )
  })

  it('an SVG escapes names, shows free space, and is the same each time', () => {
    const svg = drawSvg(layout, 'Memory & map')
    expect(svg).toContain('root &lt;1&gt;')
    expect(svg).toContain('Memory &amp; map')
    expect(svg).toContain('>free<')
    expect(svg).toContain('>0x40000000<')
    expect(drawSvg(layout, 'Memory & map')).toBe(svg)
    expect(svg.match(/<text/g)?.length).toBe(svg.match(/<\/text>/g)?.length)
  })

  it('sizes are short', () => {
    expect([0, 1023, 1024, 1536, 3 << 20].map(showSize)).toEqual([
      '0 bytes',
      '1023 bytes',
      '1 KiB',
      '1.5 KiB',
      '3 MiB',
    ])
  })
})
