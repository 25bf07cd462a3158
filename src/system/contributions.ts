import type { Origin } from '../diagnostics/index.ts'
import type { Entry } from '../filetree/index.ts'
import type { Longrun, Oneshot, Service, ServiceHandle } from '../services/index.ts'

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

/**
 * A service as a feature asks for it: like the service itself, but that kernel modules are named, not planned. They
 * are loaded, with all they depend on, before the service comes up, and unloaded after it went down.
 */
export type ServiceRequest = Requested<Oneshot> | Requested<Longrun>

type Requested<S extends Service> = Omit<S, 'origin' | 'kmods'> & { readonly kmods?: readonly KmodTarget[] }

/** A kernel module by its name or an alias (`nft-expr-ct`), or what one kernel has under one name and another elsewhere. */
export type KmodTarget = string | KmodChoice

export interface KmodChoice {
  /** What it is for, in messages: `the expression ct`. */
  readonly what: string
  /** Names or aliases; the first that this kernel knows is loaded. */
  readonly anyOf: readonly string[]
  /** Whether a kernel that knows none of them will do: it has that as a part of something else, or does without. */
  readonly optional?: boolean
}

/** What a feature hands over; which of the two kinds it is, the builder's verb says. */
export type OneshotRequest = Omit<Requested<Oneshot>, 'kind'>
export type LongrunRequest = Omit<Requested<Longrun>, 'kind'>

/** Who may log in on the serial console: whoever holds the cable, or who knows the password behind a crypt(3) text. */
export type ConsoleLogin = { readonly type: 'open' } | { readonly type: 'password'; readonly hash: string }

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

/** A value of one parameter of a kernel module, which is a module or built in, whichever the kernel has. */
export interface KmodParameterRequest {
  readonly module: string
  readonly name: string
  readonly value: string | number | boolean
}

/** One thing that a feature or the system file said, with where it said it. */
export type Contribution = { readonly origin: Origin } & (
  | { readonly type: 'hostname'; readonly hostname: string }
  | { readonly type: 'kernel'; readonly requirement: KernelRequirement; readonly when?: string }
  | { readonly type: 'autoload'; readonly targets: readonly KmodTarget[] }
  | { readonly type: 'hotplug'; readonly targets: readonly KmodTarget[] }
  | { readonly type: 'drivers'; readonly from: 'from-device-tree' }
  | { readonly type: 'kmod-parameter'; readonly parameter: KmodParameterRequest }
  | { readonly type: 'kmod-blacklist'; readonly module: string }
  | { readonly type: 'firmware-waiver'; readonly file: string }
  | { readonly type: 'kernel-parameter'; readonly parameter: string }
  | { readonly type: 'package-file'; readonly package: string; readonly path: string }
  | { readonly type: 'applet'; readonly name: string }
  | { readonly type: 'entry'; readonly path: string; readonly entry: Entry }
  | { readonly type: 'service'; readonly service: ServiceRequest }
  | { readonly type: 'dependency'; readonly service: ServiceHandle; readonly requires: ServiceHandle }
  | { readonly type: 'console'; readonly login: ConsoleLogin }
  | { readonly type: 'user'; readonly user: User }
  | { readonly type: 'sysctl'; readonly key: string; readonly value: string }
  | { readonly type: 'interface'; readonly interface: NetworkInterface }
)
