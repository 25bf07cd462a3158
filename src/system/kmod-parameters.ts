import { type Diagnostic, nearNames, UserError } from '../diagnostics/index.ts'
import type { Kernel } from '../kernel/index.ts'
import { type Kmod, kmodName } from '../kmod/index.ts'
import type { KmodParameterRequest } from './contributions.ts'
import type { NamedPlan } from './load-plans.ts'
import type { Asked } from './merge.ts'

/** Where the parameters of kernel modules go. */
export interface KmodParameters {
  /** For insmod, `name=value` each, by module: whoever loads it first loads it with these. */
  readonly ofModules: ReadonlyMap<string, readonly string[]>
  /** `module.name=value`, for what is built into the kernel. */
  readonly commandLine: readonly string[]
}

/**
 * Sorts parameters into those of modules that some plan loads and those of built-in ones.
 *
 * @throws UserError listing every parameter that nobody would look at
 */
export async function placeParameters(
  kernel: Kernel,
  plans: readonly NamedPlan[],
  asked: readonly Asked<KmodParameterRequest>[],
): Promise<KmodParameters> {
  const loaded = new Set(plans.flatMap(({ steps }) => steps.map(({ name }) => name)))
  const ofModules = new Map<string, string[]>()
  const commandLine: string[] = []
  const problems: Diagnostic[] = []
  for (const { value: request, origins } of asked) {
    const module = kmodName(request.module)
    const builtin = !kernel.modules.names.has(module) && kernel.modules.builtin.has(module)
    const problem = { where: [...origins, kernel.origin] }
    if (!builtin && !loaded.has(module)) {
      problems.push({ ...problem, ...notLoaded(request, kernel, loaded) })
      continue
    }
    const kmod = builtin ? kernel.modules.builtinKmods.get(module) : await loadedKmod(kernel, module)
    const known = kmod?.parameters.map(({ name }) => name) ?? []
    if (!known.includes(request.name)) {
      const near = nearNames(request.name, known)
      problems.push({
        ...problem,
        what: `${module} of ${kernel.name} has no parameter ${request.name}`,
        why: known.length === 0 ? 'it has none at all' : `it has ${known.join(', ')}`,
        ...(near.length === 0 ? {} : { fix: `did you mean ${near.join(' or ')}?` }),
      })
      continue
    }
    const assignment = `${request.name}=${parameterText(request.value)}`
    if (builtin) commandLine.push(`${module}.${assignment}`)
    else ofModules.set(module, [...(ofModules.get(module) ?? []), assignment])
  }
  if (problems.length > 0) throw new UserError(...problems)
  return { ofModules, commandLine }
}

function notLoaded(
  { module, name }: KmodParameterRequest,
  kernel: Kernel,
  loaded: ReadonlySet<string>,
): Diagnostic {
  const exists = kernel.modules.names.has(kmodName(module))
  const near = nearNames(kmodName(module), exists ? loaded : [...kernel.modules.names.keys()])
  return {
    what: `${name} of the kernel module ${module} is set, and nothing loads ${module}`,
    why: exists ? 'a parameter is given when a module is loaded' : `${kernel.name} has no such module`,
    fix:
      near.length === 0 ? 'load it (system.kernel.load), or drop it' : `did you mean ${near.join(' or ')}?`,
  }
}

async function loadedKmod(kernel: Kernel, module: string): Promise<Kmod> {
  const kmod = await kernel.modules.load(module)
  if (kmod.ok) return kmod.value
  throw new Error(`${module} was planned and cannot be read: ${kmod.error.message}`)
}

/** As the kernel takes it (kernel/params.c): 1 and 0 do for flags and numbers, and what has a blank in it stands in quotes. */
function parameterText(value: KmodParameterRequest['value']): string {
  if (typeof value === 'boolean') return value ? '1' : '0'
  const text = String(value)
  return /\s/.test(text) ? `"${text}"` : text
}
