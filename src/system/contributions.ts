import type { Origin } from '../diagnostics/index.ts'
import type { Entry } from '../filetree/index.ts'
import type { ServiceHandle } from '../services/index.ts'

/** `y`, `m`, `n`, or the text of an int, hex or string symbol (without quotes). */
export type ConfigValue = string

/**
 * What is asked of one Kconfig symbol: a value, or the acceptable values, best first. `'m'` means `m` and nothing
 * else; `['m', 'y']` is content with a built-in.
 */
export type ConfigRequest = ConfigValue | readonly ConfigValue[]

/** What a feature asks of the kernel. */
export interface KernelRequirement {
  /** Kconfig symbols, without `CONFIG_`. */
  readonly config?: Readonly<Record<string, ConfigRequest>>
  /** Names of kernel modules that must exist in this kernel, as modules or built in. */
  readonly modules?: readonly string[]
}

interface ServiceBasics {
  readonly name: string
  readonly description: string
  /** Services that must be up first, and without which this one cannot be. */
  readonly requires?: readonly ServiceHandle[]
  /** Services that come first where both are there. */
  readonly after?: readonly ServiceHandle[]
  /** Kernel modules that are loaded, with all they depend on, before `up` and unloaded after `down`. */
  readonly kmods?: readonly string[]
  /** What it writes and would want to find again after a restart; kept on the state partition where there is one. */
  readonly state?: readonly { readonly path: string; readonly what: string }[]
}

/** Runs `up` once; running it again after `down` must work. Shell text, run by the service manager's `sh`. */
export interface OneshotService extends ServiceBasics {
  readonly type: 'oneshot'
  readonly up: string
  readonly down?: string
}

/** A program that stays in the foreground and is started again when it dies. */
export interface LongrunService extends ServiceBasics {
  readonly type: 'longrun'
  readonly command: readonly [string, ...string[]]
  /** Shell text that runs before the command, each time the service is brought up. */
  readonly prepare?: string
  readonly user?: string
}

export type ServiceRequest = OneshotService | LongrunService

export interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
  /** Name of the group `gid`; the user's own name by default. */
  readonly group?: string
  readonly home?: string
  readonly shell?: string
  /** crypt(3) text; without it no password logs this user in. */
  readonly passwordHash?: string
}

/** A network interface of the target that somebody configures. */
export interface NetworkInterface {
  readonly name: string
  /** CIDR, for example `192.168.8.1/24`; absent when it is asked for over the wire. */
  readonly address?: string
}

/** One thing that a feature or the system file said, with where it said it. */
export type Contribution = { readonly origin: Origin } & (
  | { readonly type: 'hostname'; readonly hostname: string }
  | { readonly type: 'kernel'; readonly requirement: KernelRequirement; readonly when?: string }
  | { readonly type: 'kernel-parameter'; readonly parameter: string }
  | { readonly type: 'package-file'; readonly package: string; readonly path: string }
  | { readonly type: 'applet'; readonly name: string }
  | { readonly type: 'entry'; readonly path: string; readonly entry: Entry }
  | { readonly type: 'service'; readonly service: ServiceRequest }
  | { readonly type: 'user'; readonly user: User }
  | { readonly type: 'sysctl'; readonly key: string; readonly value: string }
  | { readonly type: 'interface'; readonly interface: NetworkInterface }
)
