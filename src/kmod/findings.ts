import type { KmodError } from './error.ts'

/**
 * What `checkKmods` finds. An `error` is what the kernel refuses when the module is loaded, or what makes its driver
 * useless; a `warning` may be meant; `not-proved` is what could not be looked at. The message says it for people.
 */
export type KmodFinding = { readonly severity: FindingSeverity; readonly message: string } & (
  | { readonly type: 'unreadable'; readonly module: string; readonly error: KmodError }
  | {
      readonly type: 'foreign-architecture'
      readonly module: string
      readonly architecture: string
      readonly expected: string
    }
  | {
      readonly type: 'vermagic'
      readonly module: string
      readonly vermagic: string
      readonly expected: string
    }
  /** Neither vmlinux nor any module of this kernel exports it. */
  | { readonly type: 'unknown-symbol'; readonly module: string; readonly symbol: string }
  /** A module exports it that is not loaded before this one. */
  | {
      readonly type: 'late-symbol'
      readonly module: string
      readonly symbol: string
      readonly exporter: string
    }
  | {
      readonly type: 'crc-mismatch'
      readonly module: string
      readonly symbol: string
      readonly exporter: string
      readonly crc: number
      readonly exported: number
    }
  /** The kernel has checksums and the module none. */
  | { readonly type: 'no-checksums'; readonly module: string }
  | {
      readonly type: 'namespace'
      readonly module: string
      readonly symbol: string
      readonly namespace: string
    }
  | {
      readonly type: 'gpl-only'
      readonly module: string
      readonly license: string
      readonly symbol: string
      readonly exporter: string
    }
  | { readonly type: 'unsigned'; readonly module: string }
  | {
      readonly type: 'firmware-missing'
      readonly module: string
      readonly file: string
      readonly builtin: boolean
    }
  | {
      readonly type: 'softdep-missing'
      readonly module: string
      readonly line: string
      readonly wanted: string
    }
  /** Names before any `pre:` or `post:`, which plans take for `pre` and modprobe ignores. */
  | {
      readonly type: 'softdep-bare'
      readonly module: string
      readonly line: string
      readonly bare: readonly string[]
    }
  | {
      readonly type: 'depends-disagrees'
      readonly module: string
      readonly unnamed: readonly string[]
      readonly unused: readonly string[]
    }
  | { readonly type: 'duplicate-export'; readonly symbol: string; readonly exporters: readonly string[] }
  | { readonly type: 'imports-not-proved'; readonly modules: number; readonly symbols: number }
)

export type FindingSeverity = 'error' | 'warning' | 'not-proved'

/** A checksum as the kernel's tools write it. */
export function crcText(crc: number): string {
  return `0x${crc.toString(16).padStart(8, '0')}`
}
