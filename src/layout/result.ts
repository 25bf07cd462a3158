/** Failures of this room are values with a `type` and a ready `message`. */
export type Result<T, E> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E }

/** Why there is no layout. `message` has the numbers, and what would help where that can be said. */
export type LayoutError =
  /** The request contradicts itself: a size of 0, a name twice, an unknown name, an order that goes in a circle. */
  | { readonly type: 'bad-request'; readonly message: string }
  /** Two regions with settled places overlap. */
  | {
      readonly type: 'overlap'
      readonly regions: readonly [string, string]
      readonly overlapBytes: number
      /** The lowest address above at which the second would be clear of everything, if there is one. */
      readonly suggestedAddress: number | undefined
      readonly message: string
    }
  /** A settled region reaches outside of the memory. */
  | { readonly type: 'outside-memory'; readonly region: string; readonly message: string }
  /** The regions do not fit; `regions` are only those that matter: without any one of them the rest would. */
  | {
      readonly type: 'no-room'
      readonly regions: readonly string[]
      /** By how much the memory would have to be longer; undefined where no length would do. */
      readonly missingBytes: number | undefined
      readonly message: string
    }

/** Bytes that are not a kernel of the format asked for. */
export interface KernelImageError {
  readonly type: 'truncated' | 'not-a-kernel' | 'unsupported'
  readonly message: string
}

/** The loader cannot make the copies it wants. */
export interface LoaderRoomError {
  readonly type: 'no-room-below-loader'
  readonly message: string
}
