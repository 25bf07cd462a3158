/**
 * The shortest reason why a request has no layout: everything that can be left out without making it possible is left
 * out, so that each region named matters. Then the memory is lengthened until it would fit, to say by how much.
 */
import {
  type FixedRegion,
  hex,
  type LayoutRequest,
  type MovableRegion,
  type Span,
  showRegion,
} from './region.ts'
import type { LayoutError } from './result.ts'
import { arrange, piecesOf, roundedSize } from './search.ts'

export function explain(request: LayoutRequest): LayoutError {
  const core = smallestImpossible(request)
  const regions = [...core.movable.map(({ name }) => name), ...core.fixed.map(({ name }) => name)]
  const missingBytes = missing(core)
  const message = [describe(core), advice(core, missingBytes)].filter((part) => part !== '').join('; ')
  return { type: 'no-room', regions, missingBytes, message }
}

function isPossible(request: LayoutRequest): boolean {
  return arrange(piecesOf(request)) !== undefined
}

/** Leaves out one region after the other, as long as the rest is still impossible. */
function smallestImpossible(request: LayoutRequest): LayoutRequest {
  let core = { ...request, movable: withWholeOrder(request.movable) }
  for (const { name } of request.movable) {
    const fewer = { ...core, movable: core.movable.filter((region) => region.name !== name) }
    if (!isPossible(fewer)) core = fewer
  }
  for (const region of request.fixed) {
    const fewer = { ...core, fixed: core.fixed.filter((other) => other !== region) }
    if (!isPossible(fewer)) core = fewer
  }
  return core
}

/** With `after` saying all that follows from it, so that leaving out what is between two keeps their order. */
function withWholeOrder(movable: readonly MovableRegion[]): readonly MovableRegion[] {
  const below = new Map(movable.map((region) => [region.name, new Set(region.after)]))
  for (const region of movable) for (const name of region.before ?? []) below.get(name)?.add(region.name)
  for (const middle of movable) {
    for (const set of below.values()) {
      if (set.has(middle.name)) for (const name of below.get(middle.name) ?? []) set.add(name)
    }
  }
  return movable.map((region) => ({ ...region, after: [...(below.get(region.name) ?? [])] }))
}

/** How much longer each range of the memory, and of the bounds, would have to be at its end. */
function missing(core: LayoutRequest): number | undefined {
  const lengthen = (spans: readonly Span[], by: number) =>
    spans.map(({ start, end }) => ({ start, end: end + by }))
  const lengthened = (by: number): LayoutRequest => ({
    ...core,
    memory: lengthen(core.memory, by),
    movable: core.movable.map((region) => {
      return region.within === undefined ? region : { ...region, within: lengthen(region.within, by) }
    }),
  })
  let enough = 1
  while (enough < 2 ** 48 && !isPossible(lengthened(enough))) enough *= 2
  if (!isPossible(lengthened(enough))) return undefined
  let tooLittle = 0
  while (enough - tooLittle > 1) {
    const middle = Math.floor((enough + tooLittle) / 2)
    if (isPossible(lengthened(middle))) enough = middle
    else tooLittle = middle
  }
  return enough
}

function describe(core: LayoutRequest): string {
  const wishes = core.movable.map(describeWish).join(', ')
  const memory = core.memory.map(({ start, end }) => `${hex(start)} to ${hex(end)}`).join(', ')
  const obstacles = core.fixed
    .map((region: FixedRegion) => `${region.name} (${showRegion(region)})`)
    .join(', ')
  const beside = obstacles === '' ? '' : `, beside ${obstacles}`
  return `no room for ${wishes} in the memory (${memory || 'none'})${beside}`
}

function describeWish(region: MovableRegion): string {
  const { alignBytes, within, awayFrom } = region
  const details = [
    `${hex(roundedSize(region))} bytes`,
    alignBytes !== undefined && alignBytes > 1 ? `aligned to ${hex(alignBytes)}` : '',
    within === undefined
      ? ''
      : `within ${within.map(({ start, end }) => `${hex(start)} to ${hex(end)}`).join(' or ')}`,
    ...(region.after ?? []).map((name) => `after ${name}`),
    ...(region.before ?? []).map((name) => `before ${name}`),
    ...(awayFrom ?? []).map((d) => `${hex(d.distanceBytes)} bytes away from ${d.name}`),
  ]
  return `${region.name} (${details.filter((detail) => detail !== '').join(', ')})`
}

function advice(core: LayoutRequest, missingBytes: number | undefined): string {
  if (missingBytes === undefined) return 'more memory would not help: the bounds contradict each other'
  const largest = [...core.movable].sort((a, b) => b.sizeBytes - a.sizeBytes)[0]
  const smaller =
    largest !== undefined && largest.sizeBytes > missingBytes ? `: make ${largest.name} smaller` : ''
  return `${hex(missingBytes)} bytes are missing${smaller}`
}
