/**
 * The configuration of a kernel that is built from source: from what a system asks for, symbols and kernel modules, to
 * a whole .config. Nothing is dropped silently: what cannot be had is an error with the steps that lead there.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  compiledObjects,
  fixedSymbols,
  type Kbuild,
  openSourceTree,
  openSymbols,
  readKbuild,
  type SourceTree,
} from '../kbuild/index.ts'
import {
  type AskedRequest,
  answerAll,
  type Configuration,
  createConfiguration,
  openTree,
  resolveRequirements,
  writeConfig,
} from '../kconfig/index.ts'
import type { BuildTarget } from './build-target.ts'
import { parseConfigFile } from './config-file.ts'
import { type DemandedDevice, deviceRequests } from './device-drivers.ts'
import { aliasFile } from './linux-tree.ts'
import { moduleSources, moduleSymbols } from './module-symbols.ts'
import { readSourceAliases } from './source-aliases.ts'

/** What is asked of a configuration. Who asks is a short text, which comes back in errors. */
export interface ConfigurationDemands extends Demands {
  /** only where something else turns `when` on */
  readonly conditional: readonly (Demands & { readonly when: string; readonly asker: string })[]
  /** hardware that is to have its drivers */
  readonly hardware?: { readonly devices: readonly DemandedDevice[]; readonly asker: string }
}

interface Demands {
  readonly symbols: readonly DemandedSymbol[]
  readonly modules: readonly DemandedModule[]
}

export interface DemandedModule {
  /** for messages */
  readonly name: string
  /** names or aliases; the first that the source knows is taken */
  readonly anyOf: readonly string[]
  /** whether a source that knows none of them will do */
  readonly optional: boolean
  readonly asker: string
}

export interface DemandedSymbol {
  readonly symbol: string
  /** acceptable values, best first */
  readonly accepted: readonly string[]
  readonly asker: string
}

export type ConfigurationResult =
  /**
   * `config`: the text of the .config, a byte string; `objects`: what is compiled for it; `undriven`: devices that
   * the source has a driver for and this kernel not, see {@link deviceRequests}
   */
  | {
      readonly ok: true
      readonly config: string
      readonly objects: readonly string[]
      readonly undriven: readonly string[]
    }
  | { readonly ok: false; readonly problem: ConfigurationProblem }

export interface ConfigurationProblem {
  readonly what: string
  readonly why: string
  /** of a module that there is none of: those that there are */
  readonly module?: string
  readonly known?: readonly string[]
}

/**
 * @param folder the outline of a kernel tree, unpacked; where drivers are wanted for hardware, its C files with names of
 *   devices as well
 * @param environment what the tree's compiler probes are run in
 */
export async function configure(
  folder: string,
  target: BuildTarget,
  environment: Readonly<Record<string, string>>,
  demands: ConfigurationDemands,
): Promise<ConfigurationResult> {
  const opened = await openTree({ srctree: folder, arch: target.arch, environment })
  if (!opened.ok) return failed('the Kconfig files of the kernel cannot be read', opened.error.message)
  const base = createConfiguration(opened.value)
  answerAll(base, 'no')
  const modules = [demands, ...demands.conditional].flatMap((each) => each.modules)
  const { hardware } = demands
  const map =
    modules.length === 0 && hardware === undefined ? undefined : openKbuild(openSourceTree(folder), target)
  if (map?.ok === false) return map
  const kbuild = map?.value
  const behind = kbuild === undefined ? nothingBehind : symbolsBehind(folder, kbuild, base, modules)
  if (!behind.ok) return behind
  const requests = (each: Demands): readonly AskedRequest[] => [
    ...each.symbols.map(requestOf),
    ...each.modules.flatMap((module) => behind.requests.get(module) ?? []),
  ]
  const clauses = demands.conditional.map((each) => ({
    symbol: each.when,
    requests: requests(each),
    origin: each.asker,
  }))
  const certain = requests(demands)
  const drivers =
    kbuild === undefined || hardware === undefined
      ? { requests: [], refused: [] }
      : deviceRequests(folder, kbuild, base, certain, hardware)
  const resolved = resolveRequirements(base, [...certain, ...drivers.requests], clauses)
  if (!resolved.ok)
    return failed('the kernel cannot be configured as it is asked for', resolved.error.message)
  const config = writeConfig(resolved.value.configuration)
  const objects = objectsOf(folder, target, config)
  return objects.ok ? { ok: true, config, objects: objects.value, undriven: drivers.refused } : objects
}

function objectsOf(
  folder: string,
  { arch, srcarch }: BuildTarget,
  config: string,
): { readonly ok: true; readonly value: readonly string[] } | Failed {
  const symbol = fixedSymbols(parseConfigFile(config))
  const kbuild = readKbuild({ tree: openSourceTree(folder), srcarch, arch, symbol })
  if (!kbuild.ok) return failed('the Makefiles of the kernel cannot be read', kbuild.error.message)
  return { ok: true, value: [...compiledObjects(kbuild.value)] }
}

type Failed = Extract<ConfigurationResult, { ok: false }>

const failed = (what: string, why: string): Failed => ({ ok: false, problem: { what, why } })

function requestOf({ symbol, accepted, asker }: DemandedSymbol): AskedRequest {
  const [value = 'y'] = accepted
  const eitherWay = value === 'm' && accepted.includes('y')
  return { name: symbol, value, origin: asker, ...(eitherWay ? { acceptsBuiltIn: true } : {}) }
}

interface Behind {
  readonly ok: true
  readonly requests: ReadonlyMap<DemandedModule, readonly AskedRequest[]>
}

const nothingBehind: Behind = { ok: true, requests: new Map() }

/** The Makefiles of a tree, with every symbol open. */
export function openKbuild(
  tree: SourceTree,
  { arch, srcarch }: Pick<BuildTarget, 'arch' | 'srcarch'>,
): { readonly ok: true; readonly value: Kbuild } | Failed {
  const symbols = openSymbols(tree, arch)
  if (!symbols.ok) return failed('the Kconfig files of the kernel cannot be read', symbols.error.message)
  const kbuild = readKbuild({ tree, srcarch, arch, symbol: symbols.value })
  if (!kbuild.ok) return failed('the Makefiles of the kernel cannot be read', kbuild.error.message)
  return { ok: true, value: kbuild.value }
}

/** The symbols behind modules. */
function symbolsBehind(
  folder: string,
  kbuild: Kbuild,
  base: Configuration,
  modules: readonly DemandedModule[],
): Behind | Failed {
  const requests = new Map<DemandedModule, readonly AskedRequest[]>()
  const sources = moduleSources(kbuild, readSourceAliases(readAliasFile(folder)))
  for (const module of modules) {
    const found = moduleSymbols(sources, base, module.anyOf, module.asker)
    if (found.ok) requests.set(module, found.requests)
    else if (found.known === undefined || !module.optional) {
      const { why, known } = found
      const problem = { what: `this kernel has no module ${module.name}`, why, module: module.name }
      return { ok: false, problem: known === undefined ? problem : { ...problem, known } }
    }
  }
  return { ok: true, requests }
}

/** A tree without a C file that declares an alias has none. */
export function readAliasFile(folder: string): string {
  const file = join(folder, aliasFile)
  return existsSync(file) ? readFileSync(file, 'latin1') : ''
}
