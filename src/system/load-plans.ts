import { type Diagnostic, nearNames, type Origin, UserError } from '../diagnostics/index.ts'
import type { Engine } from '../engine/index.ts'
import type { Kernel } from '../kernel/index.ts'
import { type LoadPlan, type PlanError, planLoad, type Result } from '../kmod/index.ts'
import type { KmodStep } from '../services/index.ts'

/** A load plan with its name: the service that it belongs to, or `initramfs`. */
export interface NamedPlan extends LoadPlan {
  readonly name: string
  readonly origins: readonly Origin[]
}

/** Kernel modules that something wants loaded. */
export interface PlanRequest {
  readonly name: string
  readonly targets: readonly string[]
  readonly origins: readonly Origin[]
}

/**
 * Plans all requests.
 *
 * @throws UserError listing every request that cannot be planned, with near names for a module that does not exist
 */
export async function planAll(
  engine: Engine,
  kernel: Kernel,
  requests: readonly PlanRequest[],
): Promise<readonly NamedPlan[]> {
  const results = await Promise.all(
    requests.map(async (request) => ({ request, result: await plan(engine, kernel, request.targets) })),
  )
  const problems: Diagnostic[] = []
  const plans: NamedPlan[] = []
  for (const { request, result } of results) {
    if (result.ok) plans.push({ ...result.value, name: request.name, origins: request.origins })
    else problems.push(explain(result.error, request, kernel))
  }
  if (problems.length > 0) throw new UserError(...problems)
  return plans
}

/** Planning reads modules, and for an alias all of them; the same kernel and targets give the same plan. */
function plan(
  engine: Engine,
  kernel: Kernel,
  targets: readonly string[],
): Promise<Result<LoadPlan, PlanError>> {
  return engine.compute({
    kind: 'function',
    name: `plan ${targets.join(', ')}`,
    function: { id: 'kmod/plan', version: 1 },
    input: { kernel: kernel.image, release: kernel.release, targets },
    run: () => planLoad(kernel.modules, targets),
  })
}

function explain(error: PlanError, request: PlanRequest, kernel: Kernel): Diagnostic {
  const where = [...request.origins, kernel.origin]
  if (error.type !== 'unknown-target') {
    return { what: `${request.name}: ${error.message}`, where, why: `the kernel is ${kernel.name}` }
  }
  const near = nearNames(error.target.replaceAll('-', '_'), error.known)
  return {
    what: `${kernel.name} has no module ${error.target}`,
    where,
    why: `${request.name} is to load it, and it is neither a module, nor built in, nor an alias of one`,
    fix:
      near.length === 0 ? 'correct the name, or choose another kernel' : `did you mean ${near.join(' or ')}?`,
  }
}

/** The steps of a plan as a service loads them. */
export function kmodSteps(plan: LoadPlan, kernel: Kernel): readonly KmodStep[] {
  return plan.steps.map(({ name, path, required }) => ({
    name,
    path: `/lib/modules/${kernel.release}/${path}`,
    ...(required ? {} : { optional: true }),
  }))
}
