/** Which symbols build a module, and where that is written. */
import { type Alternative, alternativesOf, alternativeText } from './alternatives.ts'
import type { Condition } from './condition.ts'
import type { Place } from './error.ts'
import type { Kbuild, KbuildObject } from './kbuild.ts'

export interface ModuleSource {
  /** as modprobe and lsmod call it, with underscores */
  readonly name: string
  /** the module, relative to the top of the tree: `drivers/net/tun.ko` */
  readonly path: string
  /**
   * When it is built as a module, in all: any of these. undefined where that would be a long list; `places` says it in
   * parts then, which is as complete.
   */
  readonly alternatives: readonly Alternative[] | undefined
  /** when its code is in the kernel image instead */
  readonly builtinAlternatives: readonly Alternative[] | undefined
  /** every line that lists it: it is built where one of them applies */
  readonly places: readonly ModulePlace[]
  /** the objects it is linked from, where it is not compiled from one source */
  readonly parts: readonly {
    readonly path: string
    readonly alternatives: readonly Alternative[] | undefined
  }[]
}

/** A line applies where one of its alternatives does and one of those of each gate. */
export interface ModulePlace {
  readonly at: Place | undefined
  readonly alternatives: readonly Alternative[] | undefined
  /** the directories that are entered only under a condition, from the top down */
  readonly gates: readonly {
    readonly directory: string
    readonly at: Place | undefined
    readonly alternatives: readonly Alternative[] | undefined
  }[]
}

/** `nf-tables`, `nf_tables` and `nf_tables.ko` are one name. */
export const moduleName = (name: string): string =>
  name
    .slice(name.lastIndexOf('/') + 1)
    .replace(/\.(?:ko|o)$/, '')
    .replaceAll('-', '_')

/** Every module of a tree by its name; names are shared by a few, of which a configuration builds one at a time. */
export function modulesByName({ modules }: Kbuild): ReadonlyMap<string, readonly KbuildObject[]> {
  const found = new Map<string, KbuildObject[]>()
  for (const module of modules.values()) {
    const name = moduleName(module.path)
    found.set(name, [...(found.get(name) ?? []), module])
  }
  return found
}

export function moduleSource(kbuild: Kbuild, module: KbuildObject): ModuleSource {
  const { conditions, builtin } = kbuild
  const alternatives = (when: Condition): readonly Alternative[] | undefined =>
    alternativesOf(conditions, when)
  return {
    name: moduleName(module.path),
    path: module.path.replace(/\.o$/, '.ko'),
    alternatives: alternatives(module.when),
    builtinAlternatives: alternatives(builtin.get(module.path)?.when ?? conditions.FALSE),
    places: module.places.map(({ at, when, gates }) => ({
      at,
      alternatives: alternatives(when),
      gates: gates
        .map((gate) => ({ ...gate, alternatives: alternatives(gate.when) }))
        .map(({ when: _, ...gate }) => gate),
    })),
    parts: module.parts.map(({ path, when }) => ({ path, alternatives: alternatives(when) })),
  }
}

export function alternativesText(alternatives: readonly Alternative[] | undefined): string {
  if (alternatives === undefined) return 'a condition of many symbols'
  if (alternatives.length === 0) return 'never'
  const [only] = alternatives
  if (alternatives.length === 1 && only !== undefined) return alternativeText(only)
  return alternatives
    .map((each) => (each.length > 1 ? `(${alternativeText(each)})` : alternativeText(each)))
    .join(' or ')
}
