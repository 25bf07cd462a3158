import { type Diagnostic, nearNames, UserError } from '../diagnostics/index.ts'
import type { Kernel } from '../kernel/index.ts'
import { type KmodSource, lookUp } from '../kmod/index.ts'
import type { Asked } from './merge.ts'

/** The modules of a kernel without some: plans and devices find those as little as what is not there. */
export function withoutModules(source: KmodSource, hidden: ReadonlySet<string>): KmodSource {
  if (hidden.size === 0) return source
  return {
    names: new Map([...source.names].filter(([name]) => !hidden.has(name))),
    builtin: source.builtin,
    get builtinKmods() {
      return source.builtinKmods
    },
    load: (name) => source.load(name),
    open: (name) => source.open(name),
    visit: (names, receive) => source.visit(names, receive),
    async resolveAlias(alias) {
      const found = await source.resolveAlias(alias)
      if (!found.ok) return found
      const modules = found.value.modules.filter((name) => !hidden.has(name))
      return { ok: true, value: { ...found.value, modules } }
    },
    get memory() {
      return source.memory
    },
  }
}

/**
 * That every module of a blacklist is one, where all modules are there to look among: a kernel that is built for the
 * system has only those that something asked for.
 *
 * @throws UserError
 */
export function checkBlacklist(kernel: Kernel, blacklist: readonly Asked<string>[]): void {
  const { names, builtin } = kernel.modules
  const problems = blacklist.flatMap(({ value, origins }): Diagnostic[] => {
    const where = [...origins, kernel.origin]
    if (names.has(value)) return []
    if (builtin.has(value)) {
      return [
        {
          what: `${value} is built into ${kernel.name}, and cannot be kept out`,
          where,
          why: 'a blacklist is for modules',
          fix: 'take it off system.kernel.blacklist, or choose a kernel that has it as a module or not at all',
        },
      ]
    }
    if (kernel.package === undefined) return []
    const near = nearNames(value, [...names.keys()])
    return [
      {
        what: `the kernel module ${value} is to be kept out, and ${kernel.name} has none of that name`,
        where,
        fix: near.length === 0 ? 'take it off system.kernel.blacklist' : `did you mean ${near.join(' or ')}?`,
      },
    ]
  })
  if (problems.length > 0) throw new UserError(...problems)
}

/** Those of a blacklist that answer to a name or an alias. */
export async function answering(
  source: KmodSource,
  wanted: string,
  blacklist: readonly Asked<string>[],
): Promise<readonly Asked<string>[]> {
  const found = await lookUp(source, wanted)
  return found.ok ? blacklist.filter(({ value }) => found.value.includes(value)) : []
}
