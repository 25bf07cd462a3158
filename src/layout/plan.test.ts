import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkLayout } from './check.ts'
import { verifyBoards, verifyPuzzles } from './conformance.ts'
import { arm64Constraints, readArm64Image } from './kernel-arm64.ts'
import { handedRegions, TREE_GROWTH_BYTES } from './loader.ts'
import { planLayout } from './plan.ts'
import type { LayoutRequest } from './region.ts'

const PAGE = 4096

function addresses(request: LayoutRequest): Readonly<Record<string, number>> {
  const plan = planLayout(request)
  if (!plan.ok) throw new Error(plan.error.message)
  expect(checkLayout(request, plan.value)).toEqual([])
  return Object.fromEntries(plan.value.regions.map(({ name, address }) => [name, address]))
}

function refusal(request: LayoutRequest) {
  const plan = planLayout(request)
  if (plan.ok) throw new Error('there is a layout')
  return plan.error
}

const RAM = [{ start: 0x40000000, end: 0x48000000 }]

describe('planning', () => {
  it('puts root, tree and kernel in their order', () => {
    expect(
      addresses({
        memory: RAM,
        fixed: [{ name: 'boot loader', address: 0x47e00000, sizeBytes: 0x200000 }],
        movable: [
          { name: 'root', sizeBytes: 0x500001, alignBytes: PAGE, sizeUnitBytes: PAGE },
          { name: 'tree', sizeBytes: 0x4000, alignBytes: PAGE, after: ['root'] },
          { name: 'kernel', sizeBytes: 0x900000, alignBytes: 0x200000, after: ['tree'] },
        ],
      }),
    ).toEqual({ root: 0x40000000, tree: 0x40501000, kernel: 0x40600000, 'boot loader': 0x47e00000 })
  })

  it.each([
    [PAGE - 1, 0x40001000],
    [PAGE, 0x40001000],
    [PAGE + 1, 0x40002000],
    [16 * PAGE - 1, 0x40010000],
    [16 * PAGE, 0x40010000],
    [16 * PAGE + 1, 0x40011000],
  ])('rounds %i bytes up to whole pages, and an exact multiple not at all', (sizeBytes, next) => {
    const movable = [
      { name: 'root', sizeBytes, sizeUnitBytes: PAGE, alignBytes: PAGE },
      { name: 'tree', sizeBytes: 1, after: ['root'] },
    ]
    expect(addresses({ memory: RAM, fixed: [], movable }).tree).toBe(next)
  })

  it('keeps to bounds, distances, orders against fixed regions, and an offset from the alignment', () => {
    const placed = addresses({
      memory: RAM,
      fixed: [{ name: 'firmware', address: 0x40100000, sizeBytes: 0x100000, reserved: true }],
      movable: [
        { name: 'low', sizeBytes: 0x1000, before: ['firmware'] },
        {
          name: 'high',
          sizeBytes: 0x1000,
          after: ['firmware'],
          awayFrom: [{ name: 'firmware', distanceBytes: 0x800 }],
        },
        { name: 'bounded', sizeBytes: 0x1000, within: [{ start: 0x42000000, end: 0x42001000 }] },
        { name: 'kernel', sizeBytes: 0x100000, alignBytes: 0x200000, alignOffsetBytes: 0x80000 },
      ],
    })
    expect(placed).toMatchObject({
      low: 0x40000000,
      high: 0x40200800,
      bounded: 0x42000000,
      kernel: 0x40280000,
    })
  })

  it('counts banks that touch as one and does not cross a hole', () => {
    const movable = [{ name: 'big', sizeBytes: 0x3000 }]
    const touching = [
      { start: 0x2000, end: 0x4000 },
      { start: 0, end: 0x2000 },
    ]
    expect(addresses({ memory: touching, fixed: [], movable })).toEqual({ big: 0 })
    const apart = [
      { start: 0, end: 0x2000 },
      { start: 0x3000, end: 0x5000 },
    ]
    expect(refusal({ memory: apart, fixed: [], movable })).toMatchObject({
      type: 'no-room',
      missingBytes: 0x1000,
    })
  })

  it('finds the one arrangement that there is, whatever the order of the request', () => {
    const movable = [
      { name: 'b', sizeBytes: 2 },
      { name: 'a', sizeBytes: 3 },
      { name: 'c', sizeBytes: 4, alignBytes: 4 },
    ]
    const fixed = [{ name: 'f', address: 8, sizeBytes: 1, reserved: true }]
    const placed = addresses({ memory: [{ start: 1, end: 11 }], fixed, movable })
    expect(placed).toEqual({ a: 1, c: 4, f: 8, b: 9 })
  })

  it('agrees with the independent check on 4,000 boards and is right about what is missing', () => {
    const done = verifyBoards(1, 4_000)
    expect(done.failures).toEqual([])
    expect(done.refused).toBeGreaterThan(100)
  })

  it('agrees with an exhaustive search on 1,500 small cases', () => {
    const done = verifyPuzzles(1, 1_500)
    expect(done.failures).toEqual([])
    expect(done.refused).toBeGreaterThan(150)
  })

  it('is proved by the check for any sizes (property)', () => {
    const size = fc.integer({ min: 1, max: 64 * PAGE })
    const align = fc.constantFrom(1, 4, PAGE, 65536)
    const region = fc.record({ sizeBytes: size, alignBytes: align, sizeUnitBytes: align })
    fc.assert(
      fc.property(
        fc.array(region, { maxLength: 6 }),
        fc.nat(63),
        fc.nat(8 * PAGE),
        (wanted, page, sizeBytes) => {
          const movable = wanted.map((one, index) => ({ name: `r${index}`, ...one }))
          const fixed = [{ name: 'f', address: page * PAGE, sizeBytes, reserved: true }]
          const request = { memory: [{ start: 0, end: 200 * PAGE }], fixed, movable }
          const plan = planLayout(request)
          return !plan.ok || checkLayout(request, plan.value).length === 0
        },
      ),
    )
  })
})

describe('refusing', () => {
  it('says how much of what is covered, and where it would be clear', () => {
    const error = refusal({
      memory: [{ start: 0x80000000, end: 0x88000000 }],
      fixed: [
        { name: 'root', address: 0x809c2c00, sizeBytes: 0x400000, alignBytes: 0x10000 },
        { name: 'kernel, unpacked', address: 0x80000000, sizeBytes: 0x9c4000, reserved: true },
      ],
      movable: [],
    })
    expect(error).toEqual({
      type: 'overlap',
      regions: ['kernel, unpacked', 'root'],
      overlapBytes: 0x1400,
      suggestedAddress: 0x809d0000,
      message:
        'kernel, unpacked (0x80000000+0x9c4000) covers 0x1400 bytes of root (at 0x809c2c00); put root at 0x809d0000 or above',
    })
  })

  it('takes regions that touch, and refuses one byte more', () => {
    const touching = (sizeBytes: number): LayoutRequest => ({
      memory: RAM,
      fixed: [
        { name: 'a', address: 0x40000000, sizeBytes },
        { name: 'b', address: 0x40001000, sizeBytes: 0x1000 },
      ],
      movable: [],
    })
    addresses(touching(0xfff))
    addresses(touching(0x1000))
    expect(refusal(touching(0x1001))).toMatchObject({ type: 'overlap', overlapBytes: 1 })
  })

  it('lets reserved regions overlap one another and lie outside, but no others', () => {
    const fixed = [
      { name: 'memreserve', address: 0x40000000, sizeBytes: 0x1000, reserved: true },
      { name: '/reserved-memory/tz', address: 0x40000000, sizeBytes: 0x2000, reserved: true },
      { name: 'sram', address: 0x1000, sizeBytes: 0x1000, reserved: true },
    ]
    addresses({ memory: RAM, fixed, movable: [] })
    const outside = { name: 'root', address: 0x47fff000, sizeBytes: 0x1001 }
    expect(refusal({ memory: RAM, fixed: [...fixed, outside], movable: [] })).toMatchObject({
      type: 'outside-memory',
      region: 'root',
    })
  })

  it('names only what matters, and how much is missing', () => {
    const error = refusal({
      memory: [{ start: 0, end: 0x10000 }],
      fixed: [
        { name: 'loader', address: 0xf000, sizeBytes: 0x1000, reserved: true },
        { name: 'elsewhere', address: 0x900000, sizeBytes: 0x1000, reserved: true },
      ],
      movable: [
        { name: 'root', sizeBytes: 0x8000 },
        { name: 'tree', sizeBytes: 0x10 },
        { name: 'kernel', sizeBytes: 0x8000, after: ['root'] },
      ],
    })
    expect(error).toMatchObject({ type: 'no-room', regions: ['root', 'kernel', 'loader'] })
    expect(error.message).toContain('no room for root (0x8000 bytes), kernel (0x8000 bytes, after root)')
    expect(error.message).toContain('beside loader (0xf000+0x1000)')
  })

  it('says when no memory would help', () => {
    const error = refusal({
      memory: RAM,
      fixed: [{ name: 'f', address: 0x40000000, sizeBytes: 0x1000, reserved: true }],
      movable: [{ name: 'm', sizeBytes: 1, before: ['f'] }],
    })
    expect(error).toMatchObject({ type: 'no-room', missingBytes: undefined })
  })

  it('refuses requests that contradict themselves', () => {
    const bad = (movable: LayoutRequest['movable'], fixed: LayoutRequest['fixed'] = []) => {
      expect(refusal({ memory: RAM, fixed, movable })).toMatchObject({ type: 'bad-request' })
    }
    bad([{ name: 'a', sizeBytes: 0 }])
    bad([{ name: 'a', sizeBytes: 1.5 }])
    bad([{ name: 'a', sizeBytes: 2 ** 53 }])
    bad([{ name: 'a', sizeBytes: 1, alignBytes: 0 }])
    bad([{ name: 'a', sizeBytes: 1, after: ['none'] }])
    bad([
      { name: 'a', sizeBytes: 1 },
      { name: 'a', sizeBytes: 1 },
    ])
    bad([{ name: 'a', sizeBytes: 1 }], [{ name: 'a', address: 0, sizeBytes: 1, reserved: true }])
    bad([], [{ name: 'f', address: -1, sizeBytes: 1 }])
    bad([
      { name: 'a', sizeBytes: 1, after: ['b'] },
      { name: 'b', sizeBytes: 1, after: ['c'] },
      { name: 'c', sizeBytes: 1, before: ['a'], after: ['a'] },
    ])
  })
})

describe('what went wrong in the field and must not again', () => {
  const ram = { start: 0x40000000, end: 0x48000000 }
  const loader = { name: 'boot loader', address: 0x47000000, sizeBytes: 0x1000000 }

  it('a tree that crosses a page because of its last edit moves the kernel up by a page', () => {
    const plan = (treeBytes: number) =>
      addresses({
        memory: [ram],
        fixed: [loader],
        movable: [
          { name: 'tree', sizeBytes: treeBytes, alignBytes: PAGE },
          { name: 'kernel', sizeBytes: 0x500000, alignBytes: PAGE, after: ['tree'] },
        ],
      })
    expect(plan(PAGE).kernel).toBe(0x40001000)
    expect(plan(PAGE + 160).kernel).toBe(0x40002000)
  })

  it("a tree used in place, flush below the kernel, is refused for the loader's 12 KiB", () => {
    const kernel = 0x42000000
    const regionsWith = (treeAddress: number) => {
      const handed = handedRegions({
        loader,
        ram,
        tree: { address: treeAddress, sizeBytes: 0x2000, placement: { type: 'in-place' } },
        taken: [{ name: 'kernel', address: kernel, sizeBytes: 0x600000 }],
      })
      if (!handed.ok) throw new Error(handed.error.message)
      return [...handed.value, { name: 'kernel', address: kernel, sizeBytes: 0x600000 }, loader]
    }
    const flush = refusal({ memory: [ram], fixed: regionsWith(kernel - 0x2000), movable: [] })
    expect(flush).toMatchObject({ type: 'overlap', overlapBytes: TREE_GROWTH_BYTES })
    addresses({ memory: [ram], fixed: regionsWith(kernel - 0x2000 - TREE_GROWTH_BYTES), movable: [] })
  })

  it('a tree in a FIT, used in place, is refused where it would run over the ramdisk stored after it', () => {
    // What a FIT without "load" does: the tree is used where it lies in the file, the ramdisk a few bytes on.
    const fit = 0x44000000
    const tree = { address: fit + 0x100, sizeBytes: 0x1f00, placement: { type: 'in-place' } } as const
    const initramfs = { address: fit + 0x2000, sizeBytes: 0x100000, placement: { type: 'in-place' } } as const
    const handed = handedRegions({ loader, ram, tree, initramfs, taken: [] })
    if (!handed.ok) throw new Error(handed.error.message)
    expect(refusal({ memory: [ram], fixed: handed.value, movable: [] })).toMatchObject({
      type: 'overlap',
      regions: ['initramfs', 'device tree'],
      overlapBytes: TREE_GROWTH_BYTES,
    })
  })

  it('an Image that is not on a 2 MiB boundary is put on one', () => {
    const header = Buffer.alloc(64)
    header.writeBigUInt64LE(0x900000n, 16)
    header.writeBigUInt64LE(0xan, 24)
    header.writeUInt32LE(0x644d5241, 56)
    const image = readArm64Image(header)
    if (!image.ok) throw new Error(image.error.message)
    const movable = [
      { name: 'root', sizeBytes: 0x123456, alignBytes: PAGE },
      { name: 'kernel', after: ['root'], ...arm64Constraints(image.value, 0x800000) },
    ]
    const placed = planLayout({ memory: [ram], fixed: [loader], movable })
    expect(placed.ok && placed.value.regions.find(({ name }) => name === 'kernel')).toMatchObject({
      address: 0x40200000,
      sizeBytes: 0x900000,
    })
  })
})
