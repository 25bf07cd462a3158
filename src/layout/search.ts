/**
 * The search for addresses. It is exact: it gives up only where no arrangement exists.
 *
 * Why trying "lowest first" in every order is enough: take any right arrangement and its regions in the order of
 * their addresses; moving each in turn down to the lowest place that is right next to those before it keeps the
 * order, and every distance to what lies above only grows. So there is an arrangement in which each region has the
 * lowest place that those below it leave, and only the order has to be searched. Of a set of regions placed, what
 * matters for the rest is the lowest address that each of them may have: a set that failed once with lower bounds
 * need not be tried again with higher ones.
 */
import type { LayoutRequest, MovableRegion, Span } from './region.ts'

/** A movable region with everything that does not depend on the other movable ones worked out. */
export interface Piece {
  readonly name: string
  readonly sizeBytes: number
  readonly alignBytes: number
  readonly alignOffsetBytes: number
  /** Where it may lie, in the order of addresses, without what lies in the way. */
  readonly spans: readonly Span[]
  /** Indexes of pieces that must be below it. */
  readonly after: readonly number[]
  /** By piece: bytes that must be free between the two, whichever is lower. */
  readonly gaps: readonly number[]
}

/** The size in whole units. What is a multiple already stays as it is. */
export function roundedSize(region: MovableRegion): number {
  const unit = region.sizeUnitBytes ?? 1
  return Math.ceil(region.sizeBytes / unit) * unit
}

/** Sorted, with those that touch or overlap made one, and empty ones left out. */
export function joinSpans(spans: readonly Span[]): readonly Span[] {
  const joined: Span[] = []
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    const last = joined.at(-1)
    if (span.end <= span.start) continue
    if (last !== undefined && span.start <= last.end) {
      joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, span.end) }
    } else joined.push(span)
  }
  return joined
}

function intersect(a: readonly Span[], b: readonly Span[]): readonly Span[] {
  const common = a.flatMap((x) =>
    b.map((y) => ({ start: Math.max(x.start, y.start), end: Math.min(x.end, y.end) })),
  )
  return common.filter(({ start, end }) => start < end).sort((x, y) => x.start - y.start)
}

function without(spans: readonly Span[], hole: Span): readonly Span[] {
  if (hole.end <= hole.start) return spans
  return spans.flatMap((span) => {
    if (hole.end <= span.start || hole.start >= span.end) return [span]
    const parts = [
      { start: span.start, end: hole.start },
      { start: hole.end, end: span.end },
    ]
    return parts.filter(({ start, end }) => start < end)
  })
}

export function piecesOf(request: LayoutRequest): readonly Piece[] {
  const banks = joinSpans(request.memory)
  const indexes = new Map(request.movable.map((region, index) => [region.name, index]))
  return request.movable.map((region, index) => {
    // Several `within` are alternatives: a region may not lie across two of them, unless they touch.
    let spans = region.within === undefined ? banks : intersect(banks, joinSpans(region.within))
    const after = new Set<number>()
    const gaps = request.movable.map(() => 0)
    for (const fixed of request.fixed) {
      const end = fixed.address + fixed.sizeBytes
      const distance = largest(region.awayFrom, fixed.name)
      if (fixed.sizeBytes > 0)
        spans = without(spans, { start: fixed.address - distance, end: end + distance })
      if (region.after?.includes(fixed.name)) spans = without(spans, { start: 0, end })
      if (region.before?.includes(fixed.name)) {
        spans = without(spans, { start: fixed.address, end: Number.MAX_SAFE_INTEGER })
      }
    }
    for (const name of region.after ?? []) addIndex(after, indexes.get(name))
    for (const [other, otherRegion] of request.movable.entries()) {
      if (otherRegion.before?.includes(region.name)) after.add(other)
      if (other !== index) {
        gaps[other] = Math.max(
          largest(region.awayFrom, otherRegion.name),
          largest(otherRegion.awayFrom, region.name),
        )
      }
    }
    return {
      name: region.name,
      sizeBytes: roundedSize(region),
      alignBytes: region.alignBytes ?? 1,
      alignOffsetBytes: region.alignOffsetBytes ?? 0,
      spans,
      after: [...after],
      gaps,
    }
  })
}

function addIndex(indexes: Set<number>, index: number | undefined): void {
  if (index !== undefined) indexes.add(index)
}

function largest(distances: MovableRegion['awayFrom'], name: string): number {
  return (distances ?? []).reduce((most, d) => (d.name === name ? Math.max(most, d.distanceBytes) : most), 0)
}

/** The lowest address from `floor` up at which the piece is right by itself. */
function lowestAddress(piece: Piece, floor: number): number | undefined {
  for (const { start, end } of piece.spans) {
    const from = Math.max(start, floor)
    const steps = Math.max(0, Math.ceil((from - piece.alignOffsetBytes) / piece.alignBytes))
    const address = steps * piece.alignBytes + piece.alignOffsetBytes
    if (address + piece.sizeBytes <= end) return address
  }
  return undefined
}

/** An address for each piece, or undefined where there is no arrangement. */
export function arrange(pieces: readonly Piece[]): readonly number[] | undefined {
  const addresses = new Array<number>(pieces.length).fill(0)
  /** By set of placed pieces: lowest addresses for all pieces, with which the rest could not be placed. */
  const failed = new Map<number, (readonly number[])[]>()
  const all = 2 ** pieces.length - 1
  const place = (placed: number, floors: readonly number[]): boolean => {
    if (placed === all) return true
    const known = failed.get(placed) ?? []
    const left = pieces.map((_, index) => index).filter((index) => (placed & (1 << index)) === 0)
    if (known.some((lower) => left.every((index) => (lower[index] ?? 0) <= (floors[index] ?? 0))))
      return false
    for (const index of left) {
      const piece = pieces[index]
      if (piece === undefined || !piece.after.every((other) => (placed & (1 << other)) !== 0)) continue
      const address = lowestAddress(piece, floors[index] ?? 0)
      if (address === undefined) continue
      addresses[index] = address
      const end = address + piece.sizeBytes
      const next = floors.map((floor, other) => Math.max(floor, end + (piece.gaps[other] ?? 0)))
      if (place(placed | (1 << index), next)) return true
    }
    failed.set(placed, [...known, floors])
    return false
  }
  return place(
    0,
    pieces.map(() => 0),
  )
    ? addresses
    : undefined
}

/**
 * Moves each piece in turn down to the lowest place that is right among the others where they are. The search packs
 * in the order of addresses, so that a piece bound to a high place would leave the room below it unused.
 */
export function settle(pieces: readonly Piece[], addresses: readonly number[]): readonly number[] {
  const settled = [...addresses]
  for (const [index, piece] of pieces.entries()) {
    let spans = piece.spans
    for (const [other, { sizeBytes, after }] of pieces.entries()) {
      if (other === index) continue
      const start = settled[other] ?? 0
      const distance = piece.gaps[other] ?? 0
      spans = without(spans, { start: start - distance, end: start + sizeBytes + distance })
      if (piece.after.includes(other)) spans = without(spans, { start: 0, end: start })
      if (after.includes(index)) spans = without(spans, { start, end: Number.MAX_SAFE_INTEGER })
    }
    settled[index] = lowestAddress({ ...piece, spans }, 0) ?? settled[index] ?? 0
  }
  return settled
}
