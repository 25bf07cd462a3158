import { type ElfInput, readElf } from '../elf/index.ts'
import { fromElf, type KmodError, type KmodResult, withPath } from './error.ts'
import { internExports } from './exports.ts'
import { modinfoOfElf } from './kmod.ts'
import { modinfoNames } from './modinfo.ts'
import { kmodName } from './name.ts'
import { createNameTable } from './names.ts'
import type { KmodSource } from './source.ts'

/** Who depends on whom in a whole kernel, worked out from symbols alone. */
export interface KmodGraph {
  /** Module -> the modules that export what it imports, sorted by name; without itself. */
  readonly depends: ReadonlyMap<string, readonly string[]>
  /** The module that exports a symbol; of several the first. */
  exporterOf(symbol: string): string | undefined
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
  /** Modules that could not be read, and therefore have no part in the rest. */
  readonly unreadable: ReadonlyMap<string, KmodError>
}

/** Reads every module of a kernel, or what is remembered of having done so. */
export async function readKmodGraph(source: KmodSource): Promise<KmodGraph> {
  const known = source.memory?.load('graph')
  if (known !== undefined) return unpackGraph(known)
  const { graph, exports } = await buildGraph(source)
  // What was unreadable may not be so the next time.
  if (graph.unreadable.size === 0) source.memory?.save('graph', packGraph(graph, exports()))
  return graph
}

/** A graph as it is remembered: JSON of its parts, with the exported symbols of each module. */
interface PackedGraph {
  readonly depends: readonly (readonly [string, readonly string[]])[]
  readonly exports: readonly (readonly [string, readonly string[]])[]
  readonly duplicates: KmodGraph['duplicates']
  readonly disagreements: KmodGraph['disagreements']
}

function packGraph(graph: KmodGraph, exports: ReadonlyMap<string, readonly string[]>): Buffer {
  const packed: PackedGraph = {
    depends: [...graph.depends],
    exports: [...exports],
    duplicates: graph.duplicates,
    disagreements: graph.disagreements,
  }
  return Buffer.from(JSON.stringify(packed))
}

function unpackGraph(packed: Buffer): KmodGraph {
  const { depends, exports, duplicates, disagreements } = JSON.parse(packed.toString()) as PackedGraph
  let exporters: ReadonlyMap<string, string> | undefined
  return {
    depends: new Map(depends),
    exporterOf(symbol) {
      exporters ??= new Map(exports.flatMap(([name, symbols]) => symbols.map((one) => [one, name] as const)))
      return exporters.get(symbol)
    },
    duplicates,
    disagreements,
    unreadable: new Map(),
  }
}

async function buildGraph(source: KmodSource): Promise<BuiltGraph> {
  const builder = createGraphBuilder()
  await source.visit([...source.names.keys()], (name, content) =>
    builder.add(name, source.names.get(name) ?? name, content),
  )
  return builder.finish()
}

interface BuiltGraph {
  readonly graph: KmodGraph
  /** The symbols of which a module is the (first) exporter; modules without any are left out. */
  exports(): ReadonlyMap<string, readonly string[]>
}

interface GraphModule {
  readonly name: string
  /** `depends=`, as written. */
  readonly named: readonly string[]
  /** Numbers of the names that it imports and exports. */
  readonly imports: readonly number[]
  readonly exports: readonly number[]
}

function createGraphBuilder(): {
  /** Takes what it needs of the content, which may be gone when it returns. */
  add(name: string, path: string, content: KmodResult<Uint8Array | ElfInput>): void
  finish(): BuiltGraph
} {
  const symbols = createNameTable()
  const modules: GraphModule[] = []
  const unreadable = new Map<string, KmodError>()

  function read(name: string, content: Uint8Array | ElfInput): KmodResult<GraphModule> {
    const elf = readElf(content)
    if (!elf.ok) return fromElf(elf.error)
    const modinfo = modinfoOfElf(elf.value)
    if (!modinfo.ok) return modinfo
    const named = modinfoNames(modinfo.value, 'depends')
    const table = elf.value.symbolTable()
    if (!table.ok) return fromElf(table.error)
    if (table.value === undefined) return { ok: true, value: { name, named, imports: [], exports: [] } }
    const { nameBytes, nameOffset } = table.value
    const imports: number[] = []
    for (const index of table.value.undefinedIndices()) {
      const id = symbols.intern(nameBytes, nameOffset(index))
      if (id === -1) {
        const message = `symbol ${index} has no readable name`
        return { ok: false, error: { type: 'malformed', section: '.symtab', offsetBytes: 0, message } }
      }
      imports.push(id)
    }
    const exports = internExports(elf.value, table.value, symbols)
    return exports.ok ? { ok: true, value: { name, named, imports, exports: exports.value } } : exports
  }

  return {
    add(name, path, content) {
      if (!content.ok) {
        unreadable.set(name, content.error)
        return
      }
      const module = read(name, content.value)
      if (module.ok) modules.push(module.value)
      else unreadable.set(name, withPath(module.error, path).error)
    },
    finish() {
      // In the order of names, whatever the order of reading.
      modules.sort((a, b) => (a.name < b.name ? -1 : 1))
      /** Symbol -> index of the module that exports it. */
      const exporters = new Int32Array(symbols.count).fill(-1)
      const repeated = new Map<number, string[]>()
      for (const [index, { name, exports }] of modules.entries()) {
        for (const id of exports) {
          const first = exporters[id] ?? -1
          if (first === -1) exporters[id] = index
          else if (first !== index) {
            repeated.set(id, [...(repeated.get(id) ?? [modules[first]?.name ?? '']), name])
          }
        }
      }
      const depends = new Map<string, readonly string[]>()
      const disagreements: KmodGraph['disagreements'][number][] = []
      for (const [index, { name, imports, named }] of modules.entries()) {
        const used: number[] = []
        for (const id of imports) {
          const exporter = exporters[id] ?? -1
          if (exporter !== -1 && exporter !== index && !used.includes(exporter)) used.push(exporter)
        }
        // Modules are in the order of their names, and so are their indices.
        const names = used.sort((a, b) => a - b).map((other) => modules[other]?.name ?? '')
        depends.set(name, names)
        const written = named.map(kmodName)
        const unnamed = names.filter((other) => !written.includes(other))
        const unused = written.filter((other) => !names.includes(other)).sort()
        if (unnamed.length > 0 || unused.length > 0) disagreements.push({ name, unnamed, unused })
      }
      return {
        graph: {
          depends,
          exporterOf(symbol) {
            const id = symbols.find(symbol)
            return id === undefined ? undefined : modules[exporters[id] ?? -1]?.name
          },
          duplicates: [...repeated].map(([id, names]) => ({ symbol: symbols.nameOf(id), names })),
          disagreements,
          unreadable,
        },
        exports() {
          const own = new Map<string, string[]>()
          for (let id = 0; id < symbols.count; id++) {
            const name = modules[exporters[id] ?? -1]?.name
            if (name === undefined) continue
            const known = own.get(name)
            if (known === undefined) own.set(name, [symbols.nameOf(id)])
            else known.push(symbols.nameOf(id))
          }
          return own
        },
      }
    },
  }
}
