export type Result<Value, Failure> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: Failure }

/** Why bytes could not be read as ELF. `offsetBytes` is where in the file the trouble stands. */
export type ElfError =
  /** The four magic bytes are not there. */
  | { readonly type: 'not-elf'; readonly offsetBytes: 0; readonly message: string }
  /** A class, byte order or version that the gABI does not define. */
  | { readonly type: 'unsupported'; readonly offsetBytes: number; readonly message: string }
  /** Something is said to lie (partly) after the end of the file. */
  | { readonly type: 'truncated'; readonly offsetBytes: number; readonly message: string }
  /** A value that contradicts the gABI or another value in the same file. */
  | { readonly type: 'malformed'; readonly offsetBytes: number; readonly message: string }

export type ElfResult<Value> = Result<Value, ElfError>

export function truncated(offsetBytes: number, message: string): { ok: false; error: ElfError } {
  return { ok: false, error: { type: 'truncated', offsetBytes, message } }
}

export function malformed(offsetBytes: number, message: string): { ok: false; error: ElfError } {
  return { ok: false, error: { type: 'malformed', offsetBytes, message } }
}
