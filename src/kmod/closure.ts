import type { KmodError, KmodResult, Result } from './error.ts'
import type { Kmod } from './kmod.ts'
import type { Softdep } from './modinfo.ts'
import {
  configuredAliases,
  configuredSoftdeps,
  configuredWeakdeps,
  installCommand,
  type ModprobeConfig,
} from './modprobe-config.ts'
import { kmodName } from './name.ts'
import { bareSoftdep, unansweredSoftdep } from './softdep-messages.ts'
import { type KmodSource, lookUp } from './source.ts'

/**
 * The first half of planning: which modules, and why. The second, in which order, is order.ts.
 */

/** Why a module is in a plan: the first of these that holds. */
export type StepReason =
  /** It was asked for; `alias` when by another name than its own. */
  | { readonly type: 'target'; readonly target: string }
  /** It exports symbols that module `of` uses. */
  | { readonly type: 'dependency'; readonly of: string }
  /** A softdep line of module `of` names it, by its name or by an alias. */
  | {
      readonly type: 'softdep'
      readonly of: string
      /** The whole line, as written in the module. */
      readonly line: string
      /** The word of that line. */
      readonly wanted: string
      readonly when: 'pre' | 'post' | 'bare'
    }

export type PlanNote =
  /** A target is an alias of this module, and the configuration forbids to load it for an alias. */
  | { readonly type: 'blacklisted'; readonly name: string; readonly target: string; readonly message: string }
  /** modprobe would run a command instead of loading this module; the plan loads it. */
  | {
      readonly type: 'install-command'
      readonly name: string
      readonly command: string
      readonly message: string
    }
  /** The configuration says that these may be of use to a module of the plan; nothing loads them. */
  | {
      readonly type: 'weakdep'
      readonly of: string
      readonly names: readonly string[]
      readonly message: string
    }
  /** Nothing in this kernel answers to a name in a softdep line. */
  | {
      readonly type: 'softdep-unresolved'
      readonly of: string
      readonly line: string
      readonly wanted: string
      readonly message: string
    }
  /** A softdep line has names before any `pre:` or `post:`. They are planned as `pre`; modprobe ignores them. */
  | { readonly type: 'softdep-bare'; readonly of: string; readonly line: string; readonly message: string }
  /** An order that a softdep line asks for contradicts a dependency or an earlier softdep, and is not kept. */
  | {
      readonly type: 'softdep-order'
      readonly of: string
      readonly line: string
      readonly other: string
      readonly message: string
    }

export type PlanError =
  /** A target is neither a module, nor built in, nor an alias of one; `known` holds every name there is. */
  | {
      readonly type: 'unknown-target'
      readonly target: string
      readonly known: readonly string[]
      readonly message: string
    }
  /** A module depends on one that this kernel does not have. */
  | {
      readonly type: 'missing-dependency'
      readonly name: string
      readonly neededBy: string
      readonly message: string
    }
  /** Modules that depend on each other, each on the next and the last on the first: none can be loaded. */
  | { readonly type: 'cycle'; readonly names: readonly string[]; readonly message: string }
  | { readonly type: 'unreadable-module'; readonly error: KmodError; readonly message: string }

/** An order that a softdep asks for: `first` before `second`. */
export interface SoftOrder {
  readonly first: string
  readonly second: string
  readonly of: string
  readonly line: string
}

export interface ClosureModule {
  readonly name: string
  readonly path: string
  readonly reason: StepReason
  /** The targets and what they depend on. Others come from softdeps alone. */
  readonly required: boolean
  /** Modules that it depends on, without those that are built in. */
  readonly depends: readonly string[]
  /** Modules that softdeps place after it, in the order of its lines. */
  readonly post: readonly string[]
}

export interface BuiltinUse {
  readonly name: string
  readonly reason: StepReason
}

export interface Closure {
  /** In the order in which they were found: targets first. */
  readonly modules: ReadonlyMap<string, ClosureModule>
  readonly softOrders: readonly SoftOrder[]
  readonly builtin: readonly BuiltinUse[]
  readonly notes: readonly PlanNote[]
}

export async function collectClosure(
  source: KmodSource,
  targets: readonly string[],
  config: ModprobeConfig,
): Promise<Result<Closure, PlanError>> {
  const modules = new Map<string, { -readonly [Key in keyof ClosureModule]: ClosureModule[Key] }>()
  const softOrders: SoftOrder[] = []
  const builtin = new Map<string, BuiltinUse>()
  const notes: PlanNote[] = []
  const add = (name: string, reason: StepReason, required: boolean): void => {
    const path = source.names.get(name)
    if (path === undefined) {
      if (!builtin.has(name)) builtin.set(name, { name, reason })
    } else if (!modules.has(name)) modules.set(name, { name, path, reason, required, depends: [], post: [] })
  }

  for (const target of targets) {
    const found = await lookUpConfigured(source, config, target)
    if (!found.ok) return unreadableModule(found.error)
    if (found.value.length === 0) {
      const known = [...source.names.keys(), ...source.builtin].sort()
      const message = `no module or alias ${target} in this kernel`
      return { ok: false, error: { type: 'unknown-target', target, known, message } }
    }
    for (const name of found.value) {
      if (config.blacklist.has(name) && name !== kmodName(target)) {
        const message = `${name} answers to ${target}, and is blacklisted`
        notes.push({ type: 'blacklisted', name, target, message })
      } else add(name, { type: 'target', target }, true)
    }
  }

  const withSoftdeps: { readonly name: string; readonly kmod: Kmod }[] = []
  const softdepsRead = { count: 0 }
  // Dependencies of all that is known come before any softdep, so that nothing that is required counts as optional.
  for (const module of modules.values()) {
    const kmod = await source.load(module.name)
    if (!kmod.ok) return unreadableModule(kmod.error)
    withSoftdeps.push({ name: module.name, kmod: kmod.value })
    const depends: string[] = []
    for (const name of kmod.value.depends) {
      if (!source.names.has(name) && !source.builtin.has(name)) {
        const message = `module ${module.name} depends on ${name}, which this kernel does not have`
        return { ok: false, error: { type: 'missing-dependency', name, neededBy: module.name, message } }
      }
      add(name, { type: 'dependency', of: module.name }, module.required)
      if (source.names.has(name)) depends.push(name)
    }
    module.depends = depends
    if (modules.size > withSoftdeps.length) continue
    // The closure under dependencies is complete: softdeps of all that came since the last time.
    for (const { name: of, kmod: asking } of withSoftdeps.slice(softdepsRead.count)) {
      softdepsRead.count++
      for (const softdep of [...asking.softdeps, ...configuredSoftdeps(config, of)]) {
        const done = await addSoftdep(of, softdep)
        if (!done.ok) return done
      }
    }
  }
  for (const name of modules.keys()) {
    const command = installCommand(config, name)
    if (command !== undefined) {
      const message = `modprobe would run a command instead of loading ${name}: ${command}`
      notes.push({ type: 'install-command', name, command, message })
    }
    const names = configuredWeakdeps(config, name)
    if (names.length > 0) {
      const message = `${names.join(', ')} may be of use to ${name} (weakdep), and is not loaded for it`
      notes.push({ type: 'weakdep', of: name, names, message })
    }
  }
  return { ok: true, value: { modules, softOrders, builtin: [...builtin.values()], notes } }

  async function addSoftdep(of: string, softdep: Softdep): Promise<Result<undefined, PlanError>> {
    const { line } = softdep
    if (softdep.bare.length > 0) {
      notes.push({ type: 'softdep-bare', of, line, message: bareSoftdep(of, softdep) })
    }
    for (const when of ['bare', 'pre', 'post'] as const) {
      for (const wanted of softdep[when]) {
        const found = await lookUpConfigured(source, config, wanted)
        if (!found.ok) return unreadableModule(found.error)
        if (found.value.length === 0) {
          const message = unansweredSoftdep(of, softdep, wanted)
          notes.push({ type: 'softdep-unresolved', of, line, wanted, message })
        }
        for (const name of found.value) {
          add(name, { type: 'softdep', of, line, wanted, when }, false)
          if (name === of || !source.names.has(name)) continue
          if (when !== 'post') softOrders.push({ first: name, second: of, of, line })
          else {
            softOrders.push({ first: of, second: name, of, line })
            const asking = modules.get(of)
            if (asking !== undefined) asking.post = [...asking.post, name]
          }
        }
      }
    }
    return { ok: true, value: undefined }
  }
}

/** A name that the configuration gives to modules of its choice, else what the kernel's own modules answer to. */
async function lookUpConfigured(
  source: KmodSource,
  config: ModprobeConfig,
  wanted: string,
): Promise<KmodResult<readonly string[]>> {
  const configured = configuredAliases(config, wanted)
    .map(({ module }) => module)
    .filter((name) => source.names.has(name) || source.builtin.has(name))
  return configured.length > 0 ? { ok: true, value: [...new Set(configured)] } : lookUp(source, wanted)
}

export function unreadableModule(error: KmodError): { ok: false; error: PlanError } {
  return { ok: false, error: { type: 'unreadable-module', error, message: error.message } }
}
