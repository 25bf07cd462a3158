import { type PlanError, unreadableModule } from './closure.ts'
import type { KmodResult, Result } from './error.ts'
import type { Kmod } from './kmod.ts'
import type { Softdep } from './modinfo.ts'
import { type KmodSource, lookUp } from './source.ts'

/** What modprobe would load. */
export interface ModprobePlan {
  /** Each once, in the order of its first insertion. */
  readonly steps: readonly { readonly name: string; readonly path: string }[]
  /** Built-in modules that it meets on its way. */
  readonly builtin: readonly string[]
}

/**
 * The plan of kmod's modprobe without configuration, its peculiarities included (libkmod-module.c,
 * `__kmod_module_get_probe_list`; libkmod-config.c, `kmod_config_add_softdep`):
 *
 * - of a module's softdep lines it knows the first one alone, and names in it before any `pre:` or `post:` count
 *   for nothing;
 * - a name is that of a module, else an alias of modules, else a built-in, else an alias of built-in ones;
 * - a name that nothing answers to is passed over in silence.
 *
 * For comparison: {@link planLoad} loads all of this and what the other lines ask for.
 */
export async function planAsModprobe(
  source: KmodSource,
  target: string,
): Promise<Result<ModprobePlan, PlanError>> {
  const inserted = new Set<string>()
  const builtin = new Set<string>()
  const visited = new Set<string>()

  const targets = await lookUp(source, target)
  if (!targets.ok) return unreadableModule(targets.error)
  if (targets.value.length === 0) {
    const known = [...source.names.keys(), ...source.builtin].sort()
    const message = `no module or alias ${target} in this kernel`
    return { ok: false, error: { type: 'unknown-target', target, known, message } }
  }
  for (const name of targets.value) {
    const done = await probe(name)
    if (!done.ok) return unreadableModule(done.error)
  }
  const steps = [...inserted].map((name) => ({ name, path: source.names.get(name) ?? '' }))
  return { ok: true, value: { steps, builtin: [...builtin] } }

  // Each of these awaits before it calls itself or the other, so that no chain is too long for the stack.

  async function probe(name: string): Promise<KmodResult<undefined>> {
    if (visited.has(name)) return nothing
    visited.add(name)
    const depends = await allDepends(source, name)
    if (!depends.ok) return depends
    for (const other of [...depends.value, name]) {
      const done = await withSoftdep(other)
      if (!done.ok) return done
    }
    return nothing
  }

  async function withSoftdep(name: string): Promise<KmodResult<undefined>> {
    if (!source.names.has(name)) {
      builtin.add(name)
      return nothing
    }
    const kmod = await source.load(name)
    if (!kmod.ok) return kmod
    const { pre, post }: Pick<Softdep, 'pre' | 'post'> = kmod.value.softdeps[0] ?? { pre: [], post: [] }
    const before = await probeAll(pre)
    if (!before.ok) return before
    inserted.add(name)
    return probeAll(post)
  }

  async function probeAll(wanted: readonly string[]): Promise<KmodResult<undefined>> {
    for (const one of wanted) {
      const found = await lookUp(source, one)
      if (!found.ok) return found
      for (const name of found.value) {
        const done = await probe(name)
        if (!done.ok) return done
      }
    }
    return nothing
  }
}

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
