import { type BuiltinUse, collectClosure, type PlanError, type PlanNote, type StepReason } from './closure.ts'
import type { Result } from './error.ts'
import { configuredOptions, type ModprobeConfig, noModprobeConfig } from './modprobe-config.ts'
import { kmodName } from './name.ts'
import { orderModules } from './order.ts'
import type { KmodSource } from './source.ts'

/** One module to load. */
export interface LoadStep {
  readonly name: string
  /** Relative to `lib/modules/VERSION`. */
  readonly path: string
  readonly reason: StepReason
  /**
   * False when only softdeps ask for it: its failure to load is no failure of the plan. (A softdep on an
   * algorithm brings every implementation, and those for other processors refuse to load.)
   */
  readonly required: boolean
  /** What the configuration says that it is given when it is loaded; absent where it says nothing. */
  readonly options?: string
}

export interface LoadPlan {
  /** In the order of loading. Unloading is the reverse. */
  readonly steps: readonly LoadStep[]
  /** What was wanted and is part of the kernel already. A plan for built-in targets alone has no steps. */
  readonly builtin: readonly BuiltinUse[]
  /** What a user may want to know: softdeps that could not be honoured, or not as written. */
  readonly notes: readonly PlanNote[]
}

/**
 * The modules to load for some targets, in order: every dependency before what uses it, and what softdeps name,
 * all lines of a module counted, before (`pre`) or after (`post`) it as far as that is possible. A target is a
 * module's name (`-` and `_` alike), its path, or an alias (`nft-expr-1-fib`), which may stand for several.
 *
 * Reads the modules of the plan, and all others only if a name has to be looked up as an alias.
 *
 * @param config of modprobe (modprobe.d): aliases and softdeps of its own, options, and what no alias loads. Commands are
 * reported, and never run.
 */
export async function planLoad(
  source: KmodSource,
  targets: readonly string[],
  config: ModprobeConfig = noModprobeConfig,
): Promise<Result<LoadPlan, PlanError>> {
  const collected = await collectClosure(source, targets, config)
  if (!collected.ok) return collected
  const closure = collected.value
  const order = orderModules(closure)
  if (order.type === 'cycle') {
    const [first = ''] = order.names
    const message = `modules depend on each other: ${[...order.names, first].join(' -> ')}`
    return { ok: false, error: { type: 'cycle', names: order.names, message } }
  }
  const steps: LoadStep[] = []
  for (const name of order.names) {
    const module = closure.modules.get(name)
    if (module === undefined) continue
    const { path, reason, required } = module
    const options = configuredOptions(
      config,
      name,
      reason.type === 'target' ? kmodName(reason.target) : undefined,
    )
    steps.push({ name, path, reason, required, ...(options === '' ? {} : { options }) })
  }
  return { ok: true, value: { steps, builtin: closure.builtin, notes: [...closure.notes, ...order.notes] } }
}

/** Why a step is in a plan, for people. */
export function describeReason(reason: StepReason): string {
  switch (reason.type) {
    case 'target':
      return `asked for as ${reason.target}`
    case 'dependency':
      return `${reason.of} depends on it`
    case 'softdep':
      return `softdep of ${reason.of}: ${reason.line}`
  }
}

/**
 * Why a module is in a plan, step by step, back to what was asked for: `aes_generic` is there because a softdep line
 * of `ctr` names it, and `ctr` because it was asked for. Empty for what is not in the plan.
 */
export function reasonChain(plan: LoadPlan, name: string): readonly StepReason[] {
  const reasons = new Map(plan.steps.map((step) => [step.name, step.reason]))
  const chain: StepReason[] = []
  for (let reason = reasons.get(name); reason !== undefined; ) {
    chain.push(reason)
    // A module is found through one that was found before it: the chain ends.
    reason = reason.type === 'target' ? undefined : reasons.get(reason.of)
  }
  return chain
}
