import { type Diagnostic, type Origin, UserError } from '../diagnostics/index.ts'
import type { Engine } from '../engine/index.ts'
import { type Kernel, lacksModule } from '../kernel/index.ts'
import {
  type KmodSource,
  type LoadPlan,
  lookUp,
  type PlanError,
  planLoad,
  type Result,
  readKmodSymbols,
} from '../kmod/index.ts'
import type { KmodStep } from '../services/index.ts'
import { answering, withoutModules } from './blacklist.ts'
import type { KmodChoice, KmodTarget } from './contributions.ts'
import { installedPath } from './kmod-files.ts'
import type { Asked } from './merge.ts'

/** A load plan with its name: the service that it belongs to, or `initramfs`. */
export interface NamedPlan extends LoadPlan {
  readonly name: string
  /** Modules of the plan that have no exit function: once loaded they stay. */
  readonly staying: readonly string[]
  readonly origins: readonly Origin[]
}

/** Kernel modules that something wants loaded. */
export interface PlanRequest {
  readonly name: string
  readonly targets: readonly KmodTarget[]
  readonly origins: readonly Origin[]
}

/**
 * Plans all requests.
 *
 * @param blacklist modules that are in no plan
 * @throws UserError listing every request that cannot be planned, with near names for a module that does not exist
 */
export async function planAll(
  engine: Engine,
  kernel: Kernel,
  requests: readonly PlanRequest[],
  blacklist: readonly Asked<string>[] = [],
): Promise<readonly NamedPlan[]> {
  const hidden = blacklist.map(({ value }) => value).sort()
  const results = await Promise.all(
    requests.map(async (request) => ({
      request,
      result: await plan(engine, kernel, request.targets, hidden),
    })),
  )
  const problems: Diagnostic[] = []
  const plans: NamedPlan[] = []
  for (const { request, result } of results) {
    if (result.ok) plans.push({ ...result.value, name: request.name, origins: request.origins })
    else {
      const unwanted = await explainBlacklist(result.error, request, kernel, blacklist)
      problems.push(unwanted ?? (await explain(result.error, request, kernel)))
    }
  }
  if (problems.length > 0) throw new UserError(...problems)
  return plans
}

/** Planning reads modules, and for an alias all of them; the same kernel and targets give the same plan. */
function plan(
  engine: Engine,
  kernel: Kernel,
  targets: readonly KmodTarget[],
  hidden: readonly string[],
): Promise<Result<LoadPlan & Pick<NamedPlan, 'staying'>, PlanError | NoChoice>> {
  return engine.compute({
    kind: 'function',
    name: `plan ${targets.map((target) => (typeof target === 'string' ? target : target.what)).join(', ')}`,
    function: { id: 'kmod/plan', version: 4 },
    input: { kernel: kernel.image, release: kernel.release, targets, hidden },
    run: async () => {
      const plan = await planTargets(withoutModules(kernel.modules, new Set(hidden)), targets)
      if (!plan.ok) return plan
      return { ok: true, value: { ...plan.value, staying: await withoutExit(kernel.modules, plan.value) } }
    },
  })
}

/** The kernel lets a module go only by its exit function, unless it has nothing to undo (kernel/module/main.c, `delete_module`). */
async function withoutExit(modules: KmodSource, { steps }: LoadPlan): Promise<readonly string[]> {
  const staying: string[] = []
  for (const { name } of steps) {
    const file = await modules.open(name)
    const symbols = file.ok ? readKmodSymbols(file.value) : file
    // What cannot be read is for the proof of what ships to refuse.
    if (symbols.ok && symbols.value.hasInit && !symbols.value.hasExit) staying.push(name)
  }
  return staying
}

/** The plan for targets of which some have other names elsewhere. */
export async function planTargets(
  modules: KmodSource,
  targets: readonly KmodTarget[],
): Promise<Result<LoadPlan, PlanError | NoChoice>> {
  const names: string[] = []
  for (const target of targets) {
    if (typeof target === 'string') {
      names.push(target)
      continue
    }
    const chosen = await choose(modules, target)
    if (chosen === undefined) return { ok: false, error: { type: 'no-choice', target } }
    names.push(...chosen)
  }
  return planLoad(modules, [...new Set(names)])
}

/** Nothing in this kernel answers to any of the names of a choice. */
interface NoChoice {
  readonly type: 'no-choice'
  readonly target: KmodChoice
}

/** The first name of a choice that this kernel knows; none where it may lack them all. */
async function choose(
  modules: KmodSource,
  { anyOf, optional }: KmodChoice,
): Promise<readonly string[] | undefined> {
  for (const name of anyOf) {
    const found = await lookUp(modules, name)
    // A module that cannot be read is for the plan to complain about.
    if (!found.ok || found.value.length > 0) return [name]
  }
  return optional === true ? [] : undefined
}

/** The names and aliases that nothing answered to. */
function soughtInVain(error: PlanError | NoChoice): readonly string[] {
  switch (error.type) {
    case 'unknown-target':
      return [error.target]
    case 'missing-dependency':
      return [error.name]
    case 'no-choice':
      return error.target.anyOf
    default:
      return []
  }
}

/** That a plan fails for want of what is blacklisted. */
async function explainBlacklist(
  error: PlanError | NoChoice,
  request: PlanRequest,
  { modules, origin }: Kernel,
  blacklist: readonly Asked<string>[],
): Promise<Diagnostic | undefined> {
  const wanted = soughtInVain(error)
  const found = await Promise.all(wanted.map((name) => answering(modules, name, blacklist)))
  const unwanted = found.flat()
  const [first] = unwanted
  if (first === undefined) return undefined
  const names = [...new Set(unwanted.map(({ value }) => value))]
  return {
    what: `${request.name} needs the kernel module ${first.value}, which is blacklisted`,
    where: [...request.origins, ...unwanted.flatMap(({ origins }) => origins), origin],
    why:
      error.type === 'missing-dependency'
        ? `${error.neededBy} uses its symbols`
        : `${names.join(' and ')} alone would answer to ${wanted.join(' or ')}`,
    fix: `do without ${request.name}, or take ${names.join(' and ')} off system.kernel.blacklist`,
  }
}

async function explain(
  error: PlanError | NoChoice,
  request: PlanRequest,
  kernel: Kernel,
): Promise<Diagnostic> {
  const where = [...request.origins, kernel.origin]
  if (error.type === 'no-choice') {
    const { what, anyOf } = error.target
    const known = await Promise.all(anyOf.map((name) => kernel.whyNoModule?.(name)))
    const because = known.flatMap((why) => why ?? [])
    return {
      what: `${kernel.name} has nothing for ${what}`,
      where,
      why: [
        `${request.name} needs it, and no module and nothing built in answers to ${anyOf.join(' or ')}`,
        ...because,
      ].join('\n'),
      fix: 'do without it, or choose another kernel',
    }
  }
  if (error.type !== 'unknown-target') {
    return { what: `${request.name}: ${error.message}`, where, why: `the kernel is ${kernel.name}` }
  }
  const { what, why, fix } = await lacksModule(kernel, error.target)
  return { what, where, why: `${request.name} is to load it: ${why}`, ...(fix === undefined ? {} : { fix }) }
}

/** The steps of a plan as a service loads them. */
export function kmodSteps(
  plan: NamedPlan,
  kernel: Kernel,
  parameters: ReadonlyMap<string, readonly string[]>,
): readonly KmodStep[] {
  return plan.steps.map(({ name, path, required }) => {
    const own = parameters.get(name)
    return {
      name,
      path: `/lib/modules/${kernel.release}/${installedPath(path)}`,
      ...(own === undefined ? {} : { parameters: own }),
      ...(required ? {} : { optional: true }),
      ...(plan.staying.includes(name) ? { stays: true } : {}),
    }
  })
}
