/**
 * Failures of this room are values. Every error has a `type` to decide by and a ready `message`; a
 * {@link ReadError} also says at which byte of the file the trouble is.
 */
export type Result<T, E = DevicetreeError> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E }

/** What is wrong with the bytes of a flattened device tree. */
export interface ReadError {
  readonly type:
    | 'not-a-devicetree' // the magic number is another
    | 'unsupported-version' // older than 16, or only readable by something newer than 17
    | 'truncated' // something goes on past the end of its block or of the file
    | 'bad-block' // a block lies outside the file or is not aligned
    | 'bad-token' // the structure block has a token that does not exist or is out of place
    | 'bad-name' // an empty, overlong or unprintable name of a node or property
    | 'duplicate-name' // two children or two properties of one node have the same name
    | 'too-deep' // nested deeper than MAX_DEPTH
  /** Offset from the start of the file. */
  readonly offsetBytes: number
  readonly message: string
}

/** A question that the tree has no answer to. */
export type QueryError =
  | { readonly type: 'node-not-found'; readonly reference: string; readonly message: string }
  | { readonly type: 'unknown-alias'; readonly alias: string; readonly message: string }
  | { readonly type: 'unknown-label'; readonly label: string; readonly message: string }
  | {
      readonly type: 'property-not-found'
      readonly path: string
      readonly property: string
      readonly message: string
    }
  /** The property is there, but its bytes are not what its meaning asks for. */
  | { readonly type: 'bad-value'; readonly path: string; readonly property: string; readonly message: string }
  /** An address of a node that no chain of `ranges` connects to the root. */
  | { readonly type: 'not-translatable'; readonly path: string; readonly message: string }

/** An edit whose precondition does not hold. The tree that was handed in is as it was: trees do not change. */
export type EditError =
  | QueryError
  | { readonly type: 'node-exists'; readonly path: string; readonly message: string }
  | {
      readonly type: 'property-exists'
      readonly path: string
      readonly property: string
      readonly message: string
    }
  | { readonly type: 'bad-name'; readonly name: string; readonly message: string }
  | { readonly type: 'root-node'; readonly message: string }
  | { readonly type: 'too-deep'; readonly path: string; readonly message: string }
  /** A number needs more cells than the parent's `#address-cells` or `#size-cells` gives it. */
  | { readonly type: 'does-not-fit'; readonly path: string; readonly message: string }
  | { readonly type: 'no-phandle-left'; readonly message: string }
  | { readonly type: 'reservation-not-found'; readonly message: string }

/** An overlay that cannot be merged. */
export type OverlayError =
  | EditError
  | { readonly type: 'bad-overlay'; readonly path: string; readonly message: string }

export type DevicetreeError = ReadError | OverlayError

export function success<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value }
}

export function failure<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error }
}
