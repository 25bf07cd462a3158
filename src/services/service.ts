import type { Origin } from '../diagnostics/index.ts'

/**
 * A reference to a service. Features return handles and take handles: passing one on *is* declaring the
 * dependency.
 */
export interface ServiceHandle {
  readonly kind: 'service'
  readonly name: string
}

/**
 * When a service starts: `sysinit` (bare necessities: file systems, log), `boot` (the machine itself: hostname,
 * sysctls, state), `default` (what the machine is for). A phase starts when the one before it is complete.
 */
export type BootPhase = 'sysinit' | 'boot' | 'default'

/** The phases in the order in which they start. */
export const bootPhases: readonly BootPhase[] = ['sysinit', 'boot', 'default']

/** A program and its arguments, passed exactly as they are: no shell looks at them. */
export type Argv = readonly [string, ...string[]]

/** Something to run: text for the target's POSIX shell, or a program with its arguments. */
export type Action = string | Argv

/** One kernel module of a load plan, where it lies on the target. */
export interface KmodStep {
  /** Name as in /proc/modules: `nf_tables`, with `_`. */
  readonly name: string
  /** Absolute path on the target. */
  readonly path: string
  /** Module parameters, each `name` or `name=value`. */
  readonly parameters?: readonly string[]
  /**
   * A softdep: what needs it makes do without. `crc32c_intel` is one, and refuses to load on a processor that lacks
   * the instruction.
   */
  readonly optional?: boolean
  /** Once loaded it can never go: it has no exit function. */
  readonly stays?: boolean
}

/** Something a service writes and would miss after a power cycle. */
export interface StatePath {
  /** Absolute path of a folder below /var/lib. */
  readonly path: string
  /** What is lost without a state partition, for people: `the SSH host key`. */
  readonly what: string
  /** `user` or `user:group` it belongs to; default root. */
  readonly owner?: string
  /** Permission bits; default 0o755. */
  readonly mode?: number
}

interface ServiceBase {
  /** Letters, digits, `_`, `.`, `-`; also the name of its init script. */
  readonly name: string
  /** What `rc-service NAME describe` says, and the boot log. */
  readonly description: string
  /** Hard dependencies: started before this one, and stopped after it; if one fails, this one does not start. */
  readonly requires?: readonly ServiceHandle[]
  /** Order only: if the system has that service at all, it is started before this one. */
  readonly after?: readonly ServiceHandle[]
  /** Default: the earliest phase of those that depend on this service, or else `default`. */
  readonly phase?: BootPhase
  /** Loaded in this order before everything else, unloaded in reverse after everything else. */
  readonly kmods?: readonly KmodStep[]
  readonly state?: readonly StatePath[]
  /** It mounts what the state of all services lies on: each that has any comes after this one. */
  readonly holdsState?: boolean
  readonly origin: Origin
}

/** Runs to completion: `up` when it starts, `down` when it stops. With kmods alone it needs neither. */
export interface Oneshot extends ServiceBase {
  readonly kind: 'oneshot'
  readonly up?: Action
  readonly down?: Action
}

/** A supervised process, which must stay in the foreground. It is started again when it ends. */
export interface Longrun extends ServiceBase {
  readonly kind: 'longrun'
  /** `command[0]` is an absolute path. */
  readonly command: Argv
  readonly environment?: Readonly<Record<string, string>>
  /** Run as this user, `name` or `name:group`; default root. */
  readonly user?: string
  /** Steps before the process starts (not before a respawn), as root; a failing one fails the service. */
  readonly prepare?: readonly Action[]
  /** Steps after the process was stopped, as root. */
  readonly cleanup?: readonly Action[]
  readonly respawn?: Respawn
  /** The service counts as started once this is true. */
  readonly readiness?: Readiness
  /** Where stdout and stderr go: to the system log (default), tagged with the service's name, or nowhere. */
  readonly output?: 'log' | 'discard'
}

/** Given up, and marked as crashed, after more than `max` respawns within `periodSeconds`. */
export interface Respawn {
  /** Wait before a respawn; default 1. */
  readonly delaySeconds?: number
  /** Default 10; 0 for no limit. */
  readonly max?: number
  /** Default 60; must exceed `max` × `delaySeconds`, or the limit would never be reached. */
  readonly periodSeconds?: number
}

export interface Readiness {
  /** Succeeds when the service is ready; tried several times a second. */
  readonly check: Action
  /** After this the service has failed, and is stopped. */
  readonly timeoutSeconds: number
}

export type Service = Oneshot | Longrun

export function serviceHandle(service: { readonly name: string }): ServiceHandle {
  return { kind: 'service', name: service.name }
}
