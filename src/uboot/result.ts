/** Failures of this room are values with a `type` and a ready `message`. */
export type Result<T, E> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E }

/** What is wrong with the bytes of an image. */
export interface ImageReadError {
  readonly type: 'truncated' | 'not-an-image' | 'bad-checksum' | 'unsupported'
  /** Offset from the start of the file. */
  readonly offsetBytes: number
  readonly message: string
}

/** An image that cannot be written as it was asked for. */
export type ImageWriteError =
  /** Longer than the 32 bytes of a legacy header, or not printable ASCII. */
  | { readonly type: 'bad-name'; readonly name: string; readonly message: string }
  /** An address, size or time that its field cannot hold. */
  | { readonly type: 'does-not-fit'; readonly message: string }
  /** A configuration names an image that is not there, or a name is given twice. */
  | { readonly type: 'bad-reference'; readonly name: string; readonly message: string }

export type ScriptError =
  /** The loader would cut the line, without a word. */
  | {
      readonly type: 'line-too-long'
      /** 1-based. */
      readonly line: number
      readonly lengthBytes: number
      readonly limitBytes: number
      readonly message: string
    }
  /** A text that no quoting can bring through the loader's parser. */
  | { readonly type: 'unquotable'; readonly text: string; readonly message: string }

/** A loader data file that is not one. */
export interface LoaderDataError {
  readonly type: 'bad-loader'
  /** `autoboot.text`, for example. */
  readonly field: string
  readonly message: string
}

export function success<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value }
}

export function failure<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error }
}
