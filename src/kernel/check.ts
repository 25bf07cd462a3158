import { type Diagnostic, nearNames, type Origin } from '../diagnostics/index.ts'
import { kernelForm } from '../kmod/index.ts'
import type { Kernel } from './kernel.ts'

export interface SymbolDemand {
  readonly symbol: string
  /** Acceptable values, best first. */
  readonly accepted: readonly string[]
  readonly origins: readonly Origin[]
}

export interface ModuleDemand {
  readonly name: string
  readonly origins: readonly Origin[]
}

/** A module that has one name here and another there, or that is known by an alias. */
export interface ModuleChoice extends ModuleDemand {
  /** Names or aliases; the first that a kernel knows counts. */
  readonly anyOf: readonly string[]
  /** Whether a kernel that knows none of them will do. */
  readonly optional: boolean
}

/** Everything that was asked of a kernel and is not so. Nothing for a kernel that has it all. */
export async function checkKernel(
  kernel: Kernel,
  symbols: readonly SymbolDemand[],
  modules: readonly ModuleDemand[],
): Promise<readonly Diagnostic[]> {
  const problems = symbols.flatMap((demand) => checkSymbol(kernel, demand))
  for (const { name, origins } of modules) {
    const normal = kernelForm(name)
    if (kernel.modules.names.has(normal) || kernel.modules.builtin.has(normal)) continue
    const where = [...origins, kernel.origin]
    problems.push({ where, ...(await lacksModule(kernel, name)) })
  }
  return problems
}

/** That a kernel has no module of some name, with the symbols that would build it, or near names. */
export async function lacksModule(
  kernel: Kernel,
  name: string,
): Promise<Pick<Diagnostic, 'what' | 'why' | 'fix'>> {
  const what = `${kernel.name} has no module ${name}`
  const why = await kernel.whyNoModule?.(name)
  if (why !== undefined) {
    return { what, why, fix: 'choose a kernel that has those symbols, or build one (linuxSource)' }
  }
  const normal = kernelForm(name)
  const near = nearNames(normal, [...kernel.modules.names.keys(), ...kernel.modules.builtin])
  return {
    what,
    why: `it is neither among its ${kernel.modules.names.size} modules, nor built in, nor an alias of one`,
    fix:
      near.length === 0 ? 'correct the name, or choose another kernel' : `did you mean ${near.join(' or ')}?`,
  }
}

function checkSymbol(kernel: Kernel, { symbol, accepted, origins }: SymbolDemand): Diagnostic[] {
  const value = kernel.config.get(symbol) ?? 'n'
  if (accepted.includes(value)) return []
  const known = kernel.config.has(symbol)
  const near = known ? [] : nearNames(symbol, kernel.config.keys())
  return [
    {
      what: `${kernel.name} has CONFIG_${symbol}=${value}, and ${accepted.map((wanted) => `=${wanted}`).join(' or ')} is wanted`,
      where: [...origins, kernel.origin],
      why: known
        ? kernel.package === undefined
          ? 'the build changed the configuration that had been worked out for it'
          : 'a prebuilt kernel is as its distribution configured it'
        : `its configuration does not name this symbol${near.length === 0 ? '' : `; near names: ${near.join(', ')}`}`,
      fix: 'ask for a value this kernel has, or choose another kernel',
    },
  ]
}
