/** Failures of this room are values with a `type` and a ready `message`. */
export type Result<T, E> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E }

/** Why a board cannot be booted as it was asked for. `message` has what is wrong, with numbers. */
export type BootPlanError =
  /** The loader lacks something by name. */
  | { readonly type: 'loader-cannot'; readonly missing: readonly string[]; readonly message: string }
  /** The kernel's bytes are not what the format or the architecture calls for. */
  | { readonly type: 'wrong-kernel'; readonly message: string }
  /** The regions do not fit beside each other. */
  | { readonly type: 'no-layout'; readonly message: string }
  /** An address that the loader cannot be told, or a script that it cannot read. */
  | { readonly type: 'no-script'; readonly message: string }

export function success<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value }
}

export function failure<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error }
}
