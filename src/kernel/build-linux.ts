/**
 * A kernel from source, in five steps that are each cached: the archive, its outline, the compiler's identity, the
 * configuration, the build. The build is one run of make for image, modules and device trees, in a sandbox, and what
 * it leaves is one archive laid out as Debian lays out its kernel packages.
 */
import { dirname, isAbsolute, join } from 'node:path'
import { nearNames, type Origin, UserError } from '../diagnostics/index.ts'
import { type CommandRecipe, type Engine, executorPath, type FileArtifact } from '../engine/index.ts'
import { imageTimeSeconds } from '../filetree/index.ts'
import type { Packages } from '../packages/index.ts'
import { type Askers, createAskers } from './askers.ts'
import { baseConfig, type KernelSymbol } from './base-config.ts'
import { alreadyThere, buildScript, leftOut } from './build-script.ts'
import { type BuildTarget, buildableArchitectures, buildTargetOf, makeVariables } from './build-target.ts'
import type { ModuleChoice, ModuleDemand, SymbolDemand } from './check.ts'
import { type Compiler, checkHeaders, findCompiler } from './compiler.ts'
import { parseConfigFile } from './config-file.ts'
import { type ConfigurationDemands, type ConfigurationResult, configure } from './configure.ts'
import type { DemandedDevice } from './device-drivers.ts'
import { keyInputs, refuseDraws, signingDemands, signingHeaders } from './drawn-at-random.ts'
import { kernelHeaders } from './headers.ts'
import type { Kernel } from './kernel.ts'
import { listKernelArchive, readKernel } from './kernel-archive.ts'
import {
  keptTree,
  type LinuxTree,
  objectsPrefix,
  openLinuxTree,
  treeDeviceFiles,
  treeInputs,
  treeOutline,
  unpackTools,
  withUnpacked,
} from './linux-tree.ts'
import { buildsOutOfTree, type OutOfTreeSource, openOutOfTree, outOfTreeInputs } from './out-of-tree.ts'
import type { LinuxSource } from './source.ts'

/** What a kernel must have. */
export interface KernelDemands extends Demands {
  /** only where something else turns `when` on */
  readonly conditional: readonly (Demands & { readonly when: string; readonly origins: readonly Origin[] })[]
  /** hardware that is to have its drivers, as modules where there is one */
  readonly hardware?: { readonly devices: readonly DemandedDevice[]; readonly origins: readonly Origin[] }
}

interface Demands {
  readonly symbols: readonly SymbolDemand[]
  /** as modules, or built in where something else asks for that */
  readonly modules: readonly (ModuleDemand | ModuleChoice)[]
}

export interface LinuxBuild {
  readonly source: LinuxSource
  /** Debian's name of the device's architecture */
  readonly architecture: string
  /** what its hardware takes, with or without modules */
  readonly deviceSymbols: readonly KernelSymbol[]
  /** that file names of the source are relative to */
  readonly folder: string
  readonly demands: KernelDemands
}

/** @throws UserError */
export async function buildLinux(
  engine: Engine,
  packages: Packages,
  { source, architecture, deviceSymbols, folder, demands }: LinuxBuild,
): Promise<Kernel> {
  const target = buildTargetOf(architecture)
  if (target === undefined)
    throw new UserError({
      what: `kernels for ${architecture} cannot be built from source`,
      where: [source.origin],
      fix: `choose a device of ${buildableArchitectures.join(' or ')}, or Debian's kernel`,
    })
  const tree = await openLinuxTree(engine, packages, source, folder)
  const outOfTree = await openOutOfTree(engine, source.kmods, folder)
  const compiler = await findCompiler(engine, target)
  const keys = await keyInputs(engine, source, (name) => (isAbsolute(name) ? name : join(folder, name)))
  const work = { source, tree, target, compiler }
  const own = [...demands.symbols, ...signingDemands(source)]
  const inTree = withoutOutOfTree({ ...demands, symbols: own }, source)
  const configured = await configuration(engine, { ...work, deviceSymbols, demands: inTree })
  const values = parseConfigFile(configured.config)
  refuseDraws(values, source)
  if (values.get('MODULE_SIG') === 'y') checkHeaders(signingHeaders)
  const config = await engine.put(Buffer.from(configured.config, 'latin1'))
  const archive = await compile(engine, { ...work, config, objects: configured.objects, outOfTree, keys })
  const files = await listKernelArchive(engine, archive)
  const kernel = await readKernel(engine, files, { name: `Linux of ${tree.name}`, origin: source.origin })
  const variables = { ...makeVariables(target), ...reproducible() }
  return {
    ...kernel,
    archive,
    headers: () => kernelHeaders(engine, { ...work, config, archive, variables }),
  }
}

/** What configuration and Makefiles of the kernel have to answer: all but the modules with sources of their own. */
function withoutOutOfTree(demands: KernelDemands, { kmods }: LinuxSource): KernelDemands {
  const inTree = (module: ModuleDemand | ModuleChoice): boolean =>
    !('anyOf' in module ? module.anyOf : [module.name]).some((name) => buildsOutOfTree(kmods, name))
  const without = <T extends Demands>(each: T): T => ({ ...each, modules: each.modules.filter(inTree) })
  return { ...without(demands), conditional: demands.conditional.map(without) }
}

interface Work {
  readonly source: LinuxSource
  readonly tree: LinuxTree
  readonly target: BuildTarget
  readonly compiler: Compiler
}

type Configured = Extract<ConfigurationResult, { ok: true }>

async function configuration(
  engine: Engine,
  work: Work & Pick<LinuxBuild, 'deviceSymbols' | 'demands'>,
): Promise<Configured> {
  const { source, tree, target, deviceSymbols, compiler, demands } = work
  const outline = await treeOutline(engine, tree)
  const deviceFiles = demands.hardware === undefined ? undefined : await treeDeviceFiles(engine, tree)
  const askers = createAskers()
  const asked = configurationDemands([...target.symbols, ...deviceSymbols], demands, askers)
  const result = await engine.compute<ConfigurationResult>({
    kind: 'function',
    name: `configure ${tree.name}`,
    function: { id: 'kernel/configure', version: 4 },
    input: { outline, deviceFiles: deviceFiles ?? null, compiler: compiler.identity, target, demands: asked },
    run: () =>
      withUnpacked(engine, deviceFiles === undefined ? [outline] : [outline, deviceFiles], (folder) =>
        // The same programs as the build has, whatever the user's own environment says.
        configure(folder, target, { PATH: executorPath, ...makeVariables(target) }, asked),
      ),
  })
  if (result.ok) {
    await warnOfUndriven(engine, tree, result.undriven)
    return result
  }
  const { what, why, module, known } = result.problem
  const near = module === undefined ? [] : nearNames(module, known ?? [])
  const { text, origins } = askers.reveal(why)
  const whoWanted = demands.modules.filter(({ name }) => name === module).flatMap((demand) => demand.origins)
  throw new UserError({
    what,
    where: [...new Set([...whoWanted, ...origins, source.origin])],
    why: `${text}\nthe source is ${tree.name}`,
    ...(near.length === 0 ? {} : { fix: `did you mean ${near.join(' or ')}?` }),
  })
}

async function warnOfUndriven(engine: Engine, tree: LinuxTree, undriven: readonly string[]): Promise<void> {
  if (undriven.length === 0) return
  await engine.step('drivers of the device tree', async (report) => {
    for (const each of undriven)
      report.warn(`${tree.name} has a driver that this kernel cannot have, for ${each}`)
  })
}

function configurationDemands(
  ofDevice: readonly KernelSymbol[],
  { symbols, modules, conditional, hardware }: KernelDemands,
  askers: Askers,
): ConfigurationDemands {
  const wanted = (by: string) => (each: KernelSymbol) => ({
    symbol: each.symbol,
    accepted: [each.value],
    asker: `wanted ${by} (${each.why})`,
  })
  const base = [...baseConfig.map(wanted('in every kernel')), ...ofDevice.map(wanted('for the device'))]
  const ask = (demands: Demands) => ({
    symbols: demands.symbols.map(({ symbol, accepted, origins }) => ({
      symbol,
      accepted,
      asker: askers.name(origins),
    })),
    modules: demands.modules.map((module) => ({
      name: module.name,
      anyOf: 'anyOf' in module ? module.anyOf : [module.name],
      optional: 'anyOf' in module && module.optional,
      asker: askers.name(module.origins),
    })),
  })
  const asked = ask({ symbols, modules })
  return {
    symbols: [...base, ...asked.symbols],
    modules: asked.modules,
    conditional: conditional.map(({ when, origins, ...demands }) => ({
      when,
      ...ask(demands),
      asker: askers.name(origins),
    })),
    ...(hardware === undefined
      ? {}
      : { hardware: { devices: hardware.devices, asker: askers.name(hardware.origins) } }),
  }
}

/** Environment and arguments that make what make makes the same on any machine and day. */
function reproducible(): Readonly<Record<string, string>> {
  return {
    KBUILD_BUILD_TIMESTAMP: new Date(imageTimeSeconds * 1000).toUTCString(),
    KBUILD_BUILD_USER: 'firmwright',
    KBUILD_BUILD_HOST: 'firmwright',
    // counts links otherwise
    KBUILD_BUILD_VERSION: '1',
    // a version of nothing but the source's own and CONFIG_LOCALVERSION: no "+" for being no tagged commit
    LOCALVERSION: '',
  }
}

/** Runs make, and returns the archive of what it made. */
async function compile(
  engine: Engine,
  work: Work & {
    readonly config: FileArtifact
    readonly objects: readonly string[]
    readonly outOfTree: readonly OutOfTreeSource[]
    readonly keys: Readonly<Record<string, FileArtifact>>
  },
): Promise<FileArtifact> {
  const { source, tree, target, compiler, config, outOfTree, keys } = work
  const variables = { ...makeVariables(target), ...reproducible() }
  const objects = `${objectsPrefix}${target.arch}-${compiler.identity.digest.sha256.slice(0, 12)}`
  const script = buildScript({ target, source, tree, variables, objects, outOfTree })
  const { 'kernel.tar': archive } = await engine.build({
    kind: 'command',
    name: `build ${tree.name}`,
    argv: ['sh', '-c', script],
    env: {},
    inputs: { ...treeInputs(tree), ...outOfTreeInputs(outOfTree), ...keys, config },
    outputs: ['kernel.tar'],
    tools: [...unpackTools, ...compiler.tools, 'nproc', 'find', 'sort', 'cmp', 'grep'],
    ...keptTree(tree),
    distributed: [`${target.toolPrefix}gcc`],
    onLine: followMake(work.objects),
  })
  if (archive?.kind !== 'file') throw new Error('tar left no archive')
  return archive
}

/**
 * Follows what make says it compiles (`  CC [M]  drivers/net/tun.o`). What an earlier build has compiled counts only if
 * make does it again, which is known when it does.
 */
function followMake(objects: readonly string[]): NonNullable<CommandRecipe['onLine']> {
  const possible = new Set(objects)
  const missing = new Set(objects)
  let done = 0
  return (line, { progress, warn }) => {
    if (line.startsWith(alreadyThere))
      for (const path of line.slice(alreadyThere.length).split(' ')) missing.delete(path)
    if (line.startsWith(leftOut))
      warn(`${line.slice(leftOut.length)} is left out: it cannot be reached, or its compiler is another`)
    const object = /^ {2}(?:CC|AS)(?: \[M\])? +(\S+)$/.exec(line)?.[1]
    if (object === undefined || !possible.delete(object)) return
    missing.delete(object)
    done++
    progress(done, done + missing.size, 'objects', dirname(object))
  }
}
