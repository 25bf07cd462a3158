/**
 * A named range of addresses. Addresses are physical, and numbers: no machine that we know of has memory beyond 2^53.
 * A region takes `address` up to, and not including, `address + sizeBytes`.
 */
export interface Region {
  /** What a reader of the map calls it: `root`, `kernel, unpacked`, `boot loader`. */
  readonly name: string
  readonly address: number
  readonly sizeBytes: number
}

/** A region whose place is settled before planning. */
export interface FixedRegion extends Region {
  /**
   * Kept by somebody else (firmware, a reservation of the device tree). Such regions may overlap one another, since
   * the same memory is often reserved twice, and may lie outside of the memory. All others may not.
   */
  readonly reserved?: boolean
  /** What `address` is a multiple of; used to suggest another address. Default 1. */
  readonly alignBytes?: number
}

/** From `start` up to, and not including, `end`. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A region that the planner finds a place for. */
export interface MovableRegion {
  readonly name: string
  /** At least 1. */
  readonly sizeBytes: number
  /** The size is brought up to a multiple of this: a region of whole pages, or erase blocks. Default 1. */
  readonly sizeUnitBytes?: number
  /** `address - alignOffsetBytes` is a multiple of this. Default 1. */
  readonly alignBytes?: number
  /** 0 by default; text_offset for an arm64 Image, for example. */
  readonly alignOffsetBytes?: number
  /** The region lies in one of these. Default: anywhere in the memory. */
  readonly within?: readonly Span[]
  /** Regions, fixed or movable, that lie wholly below this one. */
  readonly after?: readonly string[]
  /** Regions, fixed or movable, that lie wholly above this one. */
  readonly before?: readonly string[]
  /** Regions that are at least so many bytes away, on either side. */
  readonly awayFrom?: readonly Distance[]
}

export interface Distance {
  readonly name: string
  readonly distanceBytes: number
}

export interface LayoutRequest {
  /** RAM banks, or the partitions of a flash. Banks that touch count as one. */
  readonly memory: readonly Span[]
  readonly fixed: readonly FixedRegion[]
  /** At most {@link MAX_MOVABLE}. Earlier ones get the lower place where there is a choice. */
  readonly movable: readonly MovableRegion[]
}

/** The search tries every order that the constraints leave; this bounds it. */
export const MAX_MOVABLE = 16

/** Everything with its place, in the order of addresses; of the request's own fixed regions, all. */
export interface Layout {
  readonly regions: readonly PlacedRegion[]
}

export interface PlacedRegion extends Region {
  readonly reserved: boolean
}

export function hex(number: number): string {
  return `0x${number.toString(16)}`
}

/** `0x40000000+0x1000`. */
export function showRegion(region: { readonly address: number; readonly sizeBytes: number }): string {
  return `${hex(region.address)}+${hex(region.sizeBytes)}`
}
