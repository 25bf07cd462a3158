import type { ElfError, Result } from '../elf/index.ts'

export type { Result } from '../elf/index.ts'

/** Why bytes are not a kernel module that can be read. */
export type KmodError =
  /** The ELF reader's own error, with its offset. */
  | { readonly type: 'elf'; readonly error: ElfError; readonly message: string }
  /** A sound ELF file that is no kernel module: not relocatable, or without `.modinfo`. */
  | { readonly type: 'not-a-module'; readonly message: string }
  /** A section that only kernel modules have, in a shape that the kernel would not take. */
  | {
      readonly type: 'malformed'
      readonly section: string
      readonly offsetBytes: number
      readonly message: string
    }
  /** Compressed in a way that cannot be undone, here or at all. */
  | { readonly type: 'compressed'; readonly message: string }
  /** The source of a module could not give its bytes. */
  | { readonly type: 'unreadable'; readonly message: string }

export type KmodResult<Value> = Result<Value, KmodError>

export function fromElf(error: ElfError): { ok: false; error: KmodError } {
  return { ok: false, error: { type: 'elf', error, message: error.message } }
}

export function withPath(error: KmodError, path: string): { ok: false; error: KmodError } {
  return { ok: false, error: { ...error, message: `${path}: ${error.message}` } }
}
