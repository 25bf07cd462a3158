import { type PlanError, unreadableModule } from './closure.ts'
import type { KmodResult, Result } from './error.ts'
import { matchesGlob } from './glob.ts'
import type { Kmod } from './kmod.ts'
import type { Softdep } from './modinfo.ts'
import {
  configuredAliases,
  configuredOptions,
  hasCommand,
  installCommand,
  type ModprobeConfig,
  noModprobeConfig,
} from './modprobe-config.ts'
import { kmodName } from './name.ts'
import { type KmodSource, lookUp } from './source.ts'

/** What modprobe would load. */
export interface ModprobePlan {
  /** Each once, in the order of its first insertion. */
  readonly steps: readonly ModprobeStep[]
  /** Built-in modules that it meets on its way. */
  readonly builtin: readonly string[]
  /** Modules that it was asked for by an alias, and that the configuration forbids to load that way. */
  readonly blacklisted: readonly string[]
}

export interface ModprobeStep {
  readonly name: string
  /** Empty for a module without a file that an install command stands for. */
  readonly path: string
  /** What the configuration says that it is given: `debug=1 mode=fast`. Empty where it says nothing. */
  readonly options: string
  /** The install command that modprobe runs instead of loading the module. */
  readonly command?: string
}

/** A module as libkmod has it: one that was found by an alias is another than the one of that name. */
interface Found {
  readonly name: string
  readonly alias?: string
}

/**
 * The plan of kmod's modprobe, its peculiarities included (libkmod-module.c, `__kmod_module_get_probe_list`,
 * `kmod_module_probe_insert_module`; libkmod-config.c, `kmod_config_add_softdep`):
 *
 * - of a module's softdep lines it knows the first one alone, those of the configuration before or after those of the
 *   modules, by the names of their files, and names in it before any `pre:` or `post:` count for nothing;
 * - a name is an alias of the configuration, else that of a module, else of one with a command, else an alias of
 *   modules, else a built-in, else an alias of built-in ones;
 * - a name that nothing answers to is passed over in silence;
 * - a blacklisted module is not loaded when it was asked for by an alias, and is for all other reasons;
 * - the install command of a module with softdeps is not run.
 *
 * Without a configuration it is that of `modprobe -C /dev/null`.
 *
 * For comparison: {@link planLoad} loads all of this and what the other lines ask for.
 */
export async function planAsModprobe(
  source: KmodSource,
  target: string,
  config: ModprobeConfig = noModprobeConfig,
): Promise<Result<ModprobePlan, PlanError>> {
  const steps = new Map<string, ModprobeStep>()
  const builtin = new Set<string>()
  const visited = new Set<string>()
  const blacklisted: string[] = []

  const targets = await find(target)
  if (!targets.ok) return unreadableModule(targets.error)
  if (targets.value.length === 0) {
    const known = [...source.names.keys(), ...source.builtin].sort()
    const message = `no module or alias ${target} in this kernel`
    return { ok: false, error: { type: 'unknown-target', target, known, message } }
  }
  for (const found of targets.value) {
    if (found.alias !== undefined && config.blacklist.has(found.name)) {
      blacklisted.push(found.name)
      continue
    }
    const done = await probe(found)
    if (!done.ok) return unreadableModule(done.error)
  }
  return { ok: true, value: { steps: [...steps.values()], builtin: [...builtin], blacklisted } }

  async function find(wanted: string): Promise<KmodResult<readonly Found[]>> {
    const configured = configuredAliases(config, wanted)
    if (configured.length > 0) {
      return {
        ok: true,
        value: configured.map(({ pattern, module }) => ({ name: module, alias: pattern })),
      }
    }
    const name = kmodName(wanted)
    if (!source.names.has(name) && hasCommand(config, name)) return { ok: true, value: [{ name }] }
    const found = await lookUp(source, wanted)
    if (!found.ok) return found
    const isOther = (each: string): boolean => each !== name && source.names.has(each)
    return {
      ok: true,
      value: found.value.map((each) => (isOther(each) ? { name: each, alias: name } : { name: each })),
    }
  }

  // Each of these awaits before it calls itself or the other, so that no chain is too long for the stack.

  async function probe(found: Found): Promise<KmodResult<undefined>> {
    const key = JSON.stringify([found.name, found.alias])
    if (visited.has(key)) return nothing
    visited.add(key)
    const depends = await allDepends(source, found.name)
    if (!depends.ok) return depends
    for (const other of [...depends.value.map((name) => ({ name })), found]) {
      const done = await withSoftdep(other)
      if (!done.ok) return done
    }
    return nothing
  }

  async function withSoftdep(found: Found): Promise<KmodResult<undefined>> {
    const { name, alias } = found
    const softdep = await firstSoftdep(name)
    if (!softdep.ok) return softdep
    const pre = await findAll(softdep.value.pre)
    if (!pre.ok) return pre
    const post = await findAll(softdep.value.post)
    if (!post.ok) return post
    const before = await probeAll(pre.value)
    if (!before.ok) return before
    const command =
      pre.value.length === 0 && post.value.length === 0 ? installCommand(config, name) : undefined
    const path = source.names.get(name)
    const options = configuredOptions(config, name, alias)
    const step = { name, path: path ?? '', options, ...(command === undefined ? {} : { command }) }
    if (path !== undefined || command !== undefined) {
      if (!steps.has(name)) steps.set(name, step)
    } else if (source.builtin.has(name)) builtin.add(name)
    return probeAll(post.value)
  }

  async function firstSoftdep(name: string): Promise<KmodResult<Pick<Softdep, 'pre' | 'post'>>> {
    const configured = config.softdeps.find(({ pattern }) => matchesGlob(pattern, name))
    if (configured !== undefined && configured.file < ownSoftdeps)
      return { ok: true, value: configured.softdep }
    const kmod = source.names.has(name) ? await source.load(name) : undefined
    if (kmod !== undefined && !kmod.ok) return kmod
    const own = kmod?.value.softdeps[0]
    return { ok: true, value: own ?? configured?.softdep ?? { pre: [], post: [] } }
  }

  async function findAll(wanted: readonly string[]): Promise<KmodResult<readonly Found[]>> {
    const all: Found[] = []
    for (const one of wanted) {
      const found = await find(one)
      if (!found.ok) return found
      all.push(...found.value)
    }
    return { ok: true, value: all }
  }

  async function probeAll(all: readonly Found[]): Promise<KmodResult<undefined>> {
    for (const found of all) {
      const done = await probe(found)
      if (!done.ok) return done
    }
    return nothing
  }
}

/** depmod's copy of the modules' own lines is read as a file of this name among the others (`kmod_config_new`). */
const ownSoftdeps = 'modules.softdep'

const nothing = { ok: true, value: undefined } as const

/** All that a module depends on, directly or not, each after what it depends on itself. */
async function allDepends(source: KmodSource, root: string): Promise<KmodResult<readonly string[]>> {
  const done = new Set<string>()
  const stack: { readonly name: string; readonly kmod: Kmod; next: number }[] = []
  const entered = new Set<string>()
  const enter = async (name: string): Promise<KmodResult<undefined>> => {
    if (!source.names.has(name) || entered.has(name)) return nothing
    entered.add(name)
    const kmod = await source.load(name)
    if (!kmod.ok) return kmod
    stack.push({ name, kmod: kmod.value, next: 0 })
    return nothing
  }
  const started = await enter(root)
  if (!started.ok) return started
  for (let top = stack[0]; top !== undefined; top = stack[stack.length - 1]) {
    const next = top.kmod.depends[top.next++]
    if (next === undefined) {
      done.add(top.name)
      stack.pop()
      continue
    }
    const entering = await enter(next)
    if (!entering.ok) return entering
  }
  done.delete(root)
  return { ok: true, value: [...done] }
}
