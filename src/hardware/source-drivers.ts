import { alternativesOf, alternativesText, type Condition, holds, type Kbuild } from '../kbuild/index.ts'

/**
 * Drivers as the kernel's source has them. A built-in driver leaves no trace of the devices that it drives in
 * lib/modules; its source does: tables of `struct of_device_id` (include/linux/mod_devicetree.h), and the declarations of
 * what starts before drivers do (`IRQCHIP_DECLARE`, `CLK_OF_DECLARE`, `TIMER_OF_DECLARE`: include/linux/of.h,
 * `OF_DECLARE_*`). The Makefiles say under which symbols a source file is compiled, and whether into the kernel.
 *
 * Tables are taken from lines, not from a compiler: a `compatible` that a macro makes up is not found, and one that is in a
 * table of something else than a driver is. Files are named, so that one can look.
 */

/** What `grep -H` takes out of the C files of a tree for {@link readSourceCompatibles}: extended regular expression. */
export const compatibleLines =
  '\\.compatible[[:space:]]*=[[:space:]]*"|(IRQCHIP_MATCH|[A-Z_]+_DECLARE(_DRIVER)?)\\('

/** @returns `compatible` → the object files whose source names it, each once, in the order of the text */
export function readSourceCompatibles(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>()
  for (const line of text.split('\n')) {
    const [, path, source = ''] = /^(?:\.\/)?([^:]+)\.c:(.*)$/.exec(line) ?? []
    if (path === undefined) continue
    for (const [, table, declared] of source.matchAll(
      /\.compatible\s*=\s*"([^"]+)"|(?:IRQCHIP_MATCH\(|[A-Z_]+_DECLARE(?:_DRIVER)?\(\s*\w+\s*,)\s*"([^"]+)"/g,
    )) {
      const compatible = table ?? declared ?? ''
      found.set(compatible, (found.get(compatible) ?? new Set()).add(`${path}.o`))
    }
  }
  return new Map([...found].map(([compatible, objects]) => [compatible, [...objects]]))
}

/** A source file that names a device, and what one kernel made of it. */
export interface SourceDriver {
  readonly compatible: string
  /** `drivers/net/ethernet/marvell/mvneta.o` */
  readonly object: string
  readonly state: 'built-in' | 'module' | 'off'
  /** The name of the module that it is in, or would be. */
  readonly module?: string
  /** What must be so for it to be compiled, as text: `MVNETA=y|m`. */
  readonly takes: string
}

/** The kernel: its Makefiles with every symbol open, the values of its symbols, and {@link readSourceCompatibles}. */
export interface KernelSource {
  readonly kbuild: Kbuild
  readonly config: ReadonlyMap<string, string>
  readonly compatibles: ReadonlyMap<string, readonly string[]>
}

interface Compiled {
  readonly builtin: Condition[]
  readonly module: Condition[]
  name?: string
}

/** Finds the source files that name a device by one of its `compatible` strings: most specific first. */
export function findSourceDrivers({
  kbuild,
  config,
  compatibles,
}: KernelSource): (compatible: readonly string[]) => readonly SourceDriver[] {
  const { conditions } = kbuild
  const compiled = new Map<string, Compiled>()
  for (const kind of ['module', 'builtin'] as const) {
    for (const { path, when, parts } of (kind === 'module' ? kbuild.modules : kbuild.builtin).values()) {
      const own = parts.length === 0 ? [{ path, when: conditions.TRUE }] : parts
      for (const part of own) {
        const known = compiled.get(part.path) ?? { builtin: [], module: [] }
        known[kind].push(conditions.and(when, part.when))
        if (kind === 'module')
          known.name ??= path.replace(/^.*\//, '').replace(/\.o$/, '').replaceAll('-', '_')
        compiled.set(part.path, known)
      }
    }
  }
  const tristate = (symbol: string) => {
    const value = config.get(symbol)
    return value === 'y' || value === 'm' ? value : 'n'
  }
  const describe = (compatible: string, object: string): readonly SourceDriver[] => {
    const known = compiled.get(object)
    // Not of this architecture, or included by another file.
    if (known === undefined) return []
    const any = (list: readonly Condition[]): boolean => list.some((condition) => holds(condition, tristate))
    const state = any(known.builtin) ? 'built-in' : any(known.module) ? 'module' : 'off'
    const when = [...known.builtin, ...known.module].reduce(conditions.or, conditions.FALSE)
    const takes = alternativesText(alternativesOf(conditions, when))
    return [{ compatible, object, state, takes, ...(known.name === undefined ? {} : { module: known.name }) }]
  }
  return (wanted) =>
    wanted.flatMap((compatible) =>
      (compatibles.get(compatible) ?? []).flatMap((object) => describe(compatible, object)),
    )
}
