import type { Kmod } from './kmod.ts'
import type { KmodSymbols } from './symbols.ts'

/** Who depends on whom, worked out from symbols alone. */
export interface SymbolGraph {
  /** Module -> the modules that export what it imports, sorted by name; without itself. */
  readonly depends: ReadonlyMap<string, readonly string[]>
  /** Symbol -> the module that exports it; of several the first. */
  readonly exporters: ReadonlyMap<string, string>
  /** Symbols that more than one module exports: the kernel refuses to load the second. */
  readonly duplicates: readonly { readonly symbol: string; readonly names: readonly string[] }[]
  /** Modules whose `depends=` is not what their symbols say. */
  readonly disagreements: readonly {
    readonly name: string
    /** Modules whose symbols it uses and that `depends=` does not name. */
    readonly unnamed: readonly string[]
    /** Modules that `depends=` names and whose symbols it does not use. */
    readonly unused: readonly string[]
  }[]
}

export function graphOfSymbols(
  modules: ReadonlyMap<string, { readonly kmod: Pick<Kmod, 'depends'>; readonly symbols: KmodSymbols }>,
): SymbolGraph {
  const exporters = new Map<string, string>()
  const repeated = new Map<string, string[]>()
  for (const [name, { symbols }] of modules) {
    for (const { name: symbol } of symbols.exports) {
      const first = exporters.get(symbol)
      if (first === undefined) exporters.set(symbol, name)
      else if (first !== name) repeated.set(symbol, [...(repeated.get(symbol) ?? [first]), name])
    }
  }
  const depends = new Map<string, readonly string[]>()
  const disagreements: SymbolGraph['disagreements'][number][] = []
  for (const [name, { kmod, symbols }] of modules) {
    const used = new Set<string>()
    for (const { name: symbol } of symbols.imports) {
      const exporter = exporters.get(symbol)
      if (exporter !== undefined && exporter !== name) used.add(exporter)
    }
    depends.set(name, [...used].sort())
    const named = new Set(kmod.depends)
    const unnamed = [...used].filter((other) => !named.has(other)).sort()
    const unused = [...named].filter((other) => !used.has(other)).sort()
    if (unnamed.length > 0 || unused.length > 0) disagreements.push({ name, unnamed, unused })
  }
  const duplicates = [...repeated].map(([symbol, names]) => ({ symbol, names }))
  return { depends, exporters, duplicates, disagreements }
}
