/**
 * The independent check of a layout. It shares no code with the planner and does not trust it: every claim is worked
 * out anew from the request, the slow and plain way, in whole numbers without rounding (`bigint`).
 */
import type { Layout, LayoutRequest } from './region.ts'

export interface Violation {
  readonly type: 'not-placed' | 'moved' | 'size' | 'overlap' | 'outside' | 'alignment' | 'order' | 'distance'
  readonly regions: readonly string[]
  readonly message: string
}

interface Extent {
  readonly name: string
  readonly first: bigint
  /** The first address that is no longer part of it. */
  readonly end: bigint
  readonly reserved: boolean
}

/** Everything that is wrong; empty for a layout that is as the request wants it. */
export function checkLayout(request: LayoutRequest, layout: Layout): readonly Violation[] {
  const violations: Violation[] = []
  const report = (type: Violation['type'], regions: readonly string[], message: string): void => {
    violations.push({ type, regions, message })
  }
  const extents: readonly Extent[] = layout.regions.map((region) => ({
    name: region.name,
    first: BigInt(region.address),
    end: BigInt(region.address) + BigInt(region.sizeBytes),
    reserved: region.reserved,
  }))
  const named = (name: string): Extent | undefined => extents.find((extent) => extent.name === name)

  for (const wanted of request.fixed) {
    const end = BigInt(wanted.address) + BigInt(wanted.sizeBytes)
    const there = extents.some((extent) => {
      return extent.name === wanted.name && extent.first === BigInt(wanted.address) && extent.end === end
    })
    if (!there) report('moved', [wanted.name], `${wanted.name} is not where the request has it`)
  }
  if (layout.regions.length !== request.fixed.length + request.movable.length) {
    report('not-placed', [], `${layout.regions.length} regions in the layout, but not so many in the request`)
  }

  for (const wanted of request.movable) {
    const placed = named(wanted.name)
    if (placed === undefined) {
      report('not-placed', [wanted.name], `${wanted.name} has no place`)
      continue
    }
    const size = placed.end - placed.first
    const unit = BigInt(wanted.sizeUnitBytes ?? 1)
    const excess = size - BigInt(wanted.sizeBytes)
    if (excess < 0n || excess >= unit || size % unit !== 0n) {
      report('size', [wanted.name], `${wanted.name} has ${size} bytes instead of ${wanted.sizeBytes}`)
    }
    const distanceFromGrid = placed.first - BigInt(wanted.alignOffsetBytes ?? 0)
    if (distanceFromGrid < 0n || distanceFromGrid % BigInt(wanted.alignBytes ?? 1) !== 0n) {
      report('alignment', [wanted.name], `${wanted.name} at ${placed.first} is not aligned`)
    }
    if (wanted.within !== undefined && !isCovered(placed, wanted.within)) {
      report('outside', [wanted.name], `${wanted.name} is outside its bounds`)
    }
    for (const name of wanted.after ?? []) {
      const other = named(name)
      if (other === undefined || other.end > placed.first) report('order', [wanted.name, name], 'wrong order')
    }
    for (const name of wanted.before ?? []) {
      const other = named(name)
      if (other === undefined || placed.end > other.first) report('order', [wanted.name, name], 'wrong order')
    }
    for (const { name, distanceBytes } of wanted.awayFrom ?? []) {
      for (const other of extents.filter((extent) => extent.name === name && extent.end > extent.first)) {
        const free = other.first >= placed.end ? other.first - placed.end : placed.first - other.end
        if (free < BigInt(distanceBytes)) {
          report('distance', [wanted.name, name], `${wanted.name} is ${free} bytes from ${name}`)
        }
      }
    }
  }

  for (const extent of extents) {
    if (!extent.reserved && extent.end > extent.first && !isCovered(extent, request.memory)) {
      report('outside', [extent.name], `${extent.name} is outside the memory`)
    }
  }
  for (const [a, b] of overlaps(layout)) {
    report('overlap', [a, b], `${a} and ${b} overlap`)
  }
  return violations
}

/** Every pair of regions that share a byte, reserved regions among themselves left aside. */
export function overlaps(layout: Layout): readonly (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = []
  for (let i = 0; i < layout.regions.length; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [layout.regions[j], layout.regions[i]]
      if (a === undefined || b === undefined || (a.reserved && b.reserved)) continue
      if (a.sizeBytes === 0 || b.sizeBytes === 0) continue
      const aEnd = BigInt(a.address) + BigInt(a.sizeBytes)
      const bEnd = BigInt(b.address) + BigInt(b.sizeBytes)
      if (!(aEnd <= BigInt(b.address) || bEnd <= BigInt(a.address))) pairs.push([a.name, b.name])
    }
  }
  return pairs
}

/** Whether every byte is in one of the spans: walks from the first byte on as far as some span carries it. */
function isCovered(
  extent: Extent,
  spans: readonly { readonly start: number; readonly end: number }[],
): boolean {
  let reached = extent.first
  for (;;) {
    if (reached >= extent.end) return true
    const carrying = spans.filter((span) => BigInt(span.start) <= reached && reached < BigInt(span.end))
    if (carrying.length === 0) return false
    for (const span of carrying) if (BigInt(span.end) > reached) reached = BigInt(span.end)
  }
}
