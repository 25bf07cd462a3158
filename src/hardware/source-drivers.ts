import {
  type Alternative,
  alternativesOf,
  alternativeText,
  type Condition,
  holds,
  type Kbuild,
  moduleName,
} from '../kbuild/index.ts'
import type { SymbolValue } from './c-code.ts'
import { type DeviceNames, mayNameDevices, readDeviceNames } from './device-names.ts'

/** Where the code of a source file ends up in one configuration. */
export type Placement =
  | { readonly type: 'built-in' }
  | { readonly type: 'module'; readonly module: string }
  /** In none; what it lacks, in the shortest way: `MTK_THERMAL=y|m`. Absent where that is a long list. */
  | { readonly type: 'off'; readonly lacks?: string }

/** A source file that knows a device by name. */
export interface SourceDriver {
  /** Relative to the top of the tree: `drivers/net/ethernet/marvell/mvneta.c`. */
  readonly file: string
  readonly placement: Placement
}

/** Spaces in a `compatible` count as underscores, which a modalias has in their place. */
export interface SourceDrivers {
  /** Files with a driver for a `compatible`, sorted. */
  driving(compatible: string): readonly SourceDriver[]
  /** Files with a driver for a device of I2C or SPI under its name without vendor, sorted. */
  drivingName(name: string): readonly SourceDriver[]
  /** Files that are built in and have the string in them, whatever for. */
  mentioning(compatible: string): readonly string[]
}

export interface SourceDriversInput {
  /** The tree's Makefiles, read with all symbols open. */
  readonly kbuild: Kbuild
  /** Of a symbol in the kernel's configuration. */
  readonly symbol: (name: string) => SymbolValue
  /** A file of the tree, by its path. */
  readonly readFile: (path: string) => Buffer | undefined
}

/** An object that a file is compiled into, or a part of, and when. */
interface Holder {
  readonly path: string
  readonly when: Condition
}

/** A C file that is compiled in some configuration, and knows devices by name. */
export interface DeviceSource {
  readonly file: string
  readonly names: DeviceNames
  placement(): Placement
}

/** The C files of a kernel tree that its Makefiles know and that have names of devices, in the order of their paths. */
export function* deviceSources({ kbuild, symbol, readFile }: SourceDriversInput): Iterable<DeviceSource> {
  const builtin = holdersOf(kbuild, kbuild.builtin)
  const modules = holdersOf(kbuild, kbuild.modules)
  const includes = createIncludes(readFile)
  for (const object of [...new Set([...builtin.keys(), ...modules.keys()])].sort()) {
    const file = object.replace(/\.o$/, '.c')
    const bytes = readFile(file)
    if (bytes === undefined || !(mayNameDevices(bytes) || includes.hasTables(file, bytes))) continue
    const holders = { builtin: builtin.get(object) ?? [], modules: modules.get(object) ?? [] }
    const inImage = holders.builtin.some(({ when }) => holds(when, symbol))
    const module = inImage ? undefined : holders.modules.find(({ when }) => holds(when, symbol))
    // A file that is off is read as it would be were it on: what its conditions ask of others is then not known.
    const configured = inImage || module !== undefined ? { symbol, asModule: !inImage } : {}
    const compilation = { ...configured, include: includes.of(file) }
    yield {
      file,
      names: readDeviceNames(bytes.toString('latin1'), compilation),
      placement() {
        if (inImage) return { type: 'built-in' }
        if (module !== undefined) return { type: 'module', module: moduleName(module.path) }
        return { type: 'off', ...lacking(kbuild, [...holders.modules, ...holders.builtin], symbol) }
      },
    }
  }
}

const announced = (compatible: string): string => compatible.replaceAll(' ', '_')

type Placed = Pick<DeviceSource, 'file' | 'placement'>

/** What those files have drivers for, and where they are in one kernel. */
export function readSourceDrivers(input: SourceDriversInput): SourceDrivers {
  const driving = new Map<string, Placed[]>()
  const drivingName = new Map<string, Placed[]>()
  const mentioning = new Map<string, string[]>()
  const add = <Value>(map: Map<string, Value[]>, key: string, value: Value): void => {
    const known = map.get(key)
    if (known === undefined) map.set(key, [value])
    else known.push(value)
  }
  for (const { file, names, placement } of deviceSources(input)) {
    // Not the names, which keep the whole text.
    const placed = { file, placement }
    for (const compatible of names.driven) add(driving, announced(compatible), placed)
    for (const name of names.shortNames) add(drivingName, name, placed)
    if (placement().type !== 'built-in') continue
    for (const text of names.mentioned()) add(mentioning, announced(text), file)
  }
  const drivers = (sources: readonly Placed[] = []): readonly SourceDriver[] =>
    sources.map(({ file, placement }) => ({ file, placement: placement() }))
  return {
    driving: (compatible) => drivers(driving.get(announced(compatible))),
    drivingName: (name) => drivers(drivingName.get(name)),
    mentioning: (compatible) => mentioning.get(announced(compatible)) ?? [],
  }
}

/** What of the files that a file includes can have tables: some drivers keep theirs in a header. */
function createIncludes(read: (path: string) => Buffer | undefined) {
  const withTables = remembering((path: string) => {
    const found = read(path)
    return found !== undefined && tableMarks.some((mark) => found.includes(mark))
      ? found.toString('latin1')
      : undefined
  })
  const folderOf = (file: string): string => file.slice(0, file.lastIndexOf('/') + 1)
  return {
    of: (file: string) => (name: string, isOwn: boolean) =>
      withTables(isOwn ? `${folderOf(file)}${name}` : `include/${name}`),
    /** Whether one of its own folder does. */
    hasTables(file: string, bytes: Buffer): boolean {
      if (!bytes.includes(includeMark)) return false
      const names = bytes.toString('latin1').matchAll(/^#include "([\w-]+\.[ch])"/gm)
      return [...names].some(([, name = '']) => withTables(`${folderOf(file)}${name}`) !== undefined)
    },
  }
}

const includeMark = Buffer.from('#include "')
const tableMarks = ['.compatible', 'SDIO_FIXUP_COMPATIBLE('].map((text) => Buffer.from(text))

function remembering<Value>(read: (path: string) => Value): (path: string) => Value {
  const known = new Map<string, Value>()
  return (path) => {
    if (!known.has(path)) known.set(path, read(path))
    return known.get(path) as Value
  }
}

function holdersOf(
  { conditions }: Kbuild,
  objects: Kbuild['builtin'],
): ReadonlyMap<string, readonly Holder[]> {
  const found = new Map<string, Holder[]>()
  const add = (object: string, holder: Holder): void => {
    found.set(object, [...(found.get(object) ?? []), holder])
  }
  for (const { path, when, parts } of objects.values()) {
    if (parts.length === 0) add(path, { path, when })
    for (const part of parts) add(part.path, { path, when: conditions.and(when, part.when) })
  }
  return found
}

/** Of all ways in which one of the objects would be built, that which takes the fewest symbols more. */
function lacking(
  { conditions }: Kbuild,
  holders: readonly Holder[],
  symbol: (name: string) => SymbolValue,
): { readonly lacks?: string } {
  const any = holders.reduce((sum, { when }) => conditions.or(sum, when), conditions.FALSE)
  const ways = (alternativesOf(conditions, any) ?? []).map((alternative) =>
    alternative.filter(({ symbol: name, values }) => !values.includes(symbol(name))),
  )
  const shortest = ways.reduce<Alternative | undefined>(
    (best, each) => (best === undefined || each.length < best.length ? each : best),
    undefined,
  )
  return shortest === undefined ? {} : { lacks: alternativeText(shortest) }
}
