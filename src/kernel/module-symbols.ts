/** From the kernel modules that a system names to the symbols that build them. */
import {
  alternativesText,
  type Demand,
  holds,
  type Kbuild,
  type KbuildObject,
  moduleName,
  moduleSource,
  modulesByName,
} from '../kbuild/index.ts'
import { type AskedRequest, type Configuration, resolve } from '../kconfig/index.ts'
import { ownName } from './source-aliases.ts'

export type ModuleSymbols =
  | { readonly ok: true; readonly requests: readonly AskedRequest[] }
  /** `known`: the modules that there are, where there is none of this name */
  | { readonly ok: false; readonly why: string; readonly known?: readonly string[] }

/** The modules of a tree, by their names and by their aliases. */
export interface ModuleSources {
  readonly kbuild: Kbuild
  readonly byName: ReadonlyMap<string, readonly KbuildObject[]>
  /** With no modules: what declares it is always built in. */
  readonly byAlias: ReadonlyMap<string, readonly KbuildObject[]>
}

/** @param aliases alias → the object files that declare it */
export function moduleSources(
  kbuild: Kbuild,
  aliases: ReadonlyMap<string, readonly string[]>,
): ModuleSources {
  const byObject = new Map<string, KbuildObject[]>()
  for (const module of kbuild.modules.values())
    for (const path of [module.path, ...module.parts.map((part) => part.path)])
      byObject.set(path, [...(byObject.get(path) ?? []), module])
  const byAlias = new Map<string, KbuildObject[]>()
  for (const [alias, objects] of aliases) {
    const modules = objects.flatMap((path) => byObject.get(path) ?? [])
    if (modules.length === 0) byAlias.set(alias, [])
    for (const module of modules) {
      const name = alias.replace(ownName, moduleName(module.path))
      byAlias.set(name, [...(byAlias.get(name) ?? []), module])
    }
  }
  return { kbuild, byName: modulesByName(kbuild), byAlias }
}

/**
 * Requests that have a module built, or built in where something else wants that.
 *
 * What the module's own line demands is tried alone first: what the directories above it demand mostly follows, since
 * Kconfig has the same dependencies. Of several modules of one name or alias the first that can be built is taken.
 *
 * @param anyOf names or aliases, of which the first that the tree knows counts
 */
export function moduleSymbols(
  { kbuild, byName, byAlias }: ModuleSources,
  base: Configuration,
  anyOf: readonly string[],
  asker: string,
): ModuleSymbols {
  const candidates = anyOf
    .map((name) => byName.get(moduleName(name)) ?? byAlias.get(name))
    .find((found) => found)
  if (candidates === undefined)
    return { ok: false, why: 'no Makefile of it builds one', known: [...byName.keys()] }
  if (candidates.length === 0) return { ok: true, requests: [] }
  for (const candidate of candidates) {
    const requests = requestsFor(kbuild, base, candidate, asker)
    if (requests !== undefined) return { ok: true, requests }
  }
  const wanted = candidates.map((candidate) => {
    const { path, alternatives } = moduleSource(kbuild, candidate)
    return `${path} takes ${alternativesText(alternatives)}, and Kconfig has no way to that`
  })
  return { ok: false, why: wanted.join('\n') }
}

function requestsFor(
  kbuild: Kbuild,
  base: Configuration,
  module: KbuildObject,
  asker: string,
): readonly AskedRequest[] | undefined {
  const { places, alternatives } = moduleSource(kbuild, module)
  for (const demands of [...places.flatMap((place) => place.alternatives ?? []), ...(alternatives ?? [])]) {
    const requests = demands.map((demand) => requestFor(demand, asker))
    const resolved = resolve(base, requests)
    if (!resolved.ok) continue
    const { configuration } = resolved.value
    const isBuilt = holds(module.when, (name) => {
      const symbol = configuration.tree.byName.get(name)
      return symbol === undefined ? 'n' : (['n', 'm', 'y'] as const)[configuration.tristate(symbol)]
    })
    if (isBuilt) return requests
  }
  return undefined
}

export function requestFor({ symbol, values }: Demand, asker: string): AskedRequest {
  if (!values.includes('m')) return { name: symbol, value: values[0] ?? 'y', origin: asker }
  return { name: symbol, value: 'm', origin: asker, acceptsBuiltIn: true }
}
