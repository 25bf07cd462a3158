import { dirname } from 'node:path'
import { type Diagnostic, type Origin, UserError } from '../diagnostics/index.ts'
import type { Engine } from '../engine/index.ts'
import { completeTree, type FileTree, mergeTrees, usrMergeLinks } from '../filetree/index.ts'
import { applicable, buildLinux, checkKernel, type Kernel, readDebianKernel } from '../kernel/index.ts'
import { busyboxApplets, openPackages, type Packages } from '../packages/index.ts'
import {
  type LostState,
  type RootDevice,
  renderInitramfs,
  renderOpenRc,
  type Service,
  serviceGraph,
  stateFolder,
  stateOf,
  stateService,
} from '../services/index.ts'
import { accountFiles } from './accounts.ts'
import { appletLinks } from './applets.ts'
import { autoloadTree, hotplugTree } from './autoload.ts'
import { baseApplets, baseFiles, basePackages, baseProgramFiles, baseServices } from './base.ts'
import { checkBlacklist } from './blacklist.ts'
import { checkCommands } from './check-commands.ts'
import type { ServiceRequest } from './contributions.ts'
import type { DefinedSystem } from './definition.ts'
import { boardDevices, driversService, treeDrivers } from './drivers.ts'
import type { EvaluatedSystem } from './evaluated.ts'
import { kmodFiles } from './kmod-files.ts'
import { planFirmware } from './kmod-firmware.ts'
import { type KmodParameters, placeParameters } from './kmod-parameters.ts'
import { kmodSteps, type NamedPlan, type PlanRequest, planAll } from './load-plans.ts'
import { type Asked, mergeKernel, type Requirements } from './merge.ts'
import { type PackageNeeds, packageNeeds, type SystemFolders } from './package-needs.ts'
import { proveKmods } from './prove-kmods.ts'

/** A system with everything worked out: what an output needs, and nothing left to decide. */
export interface AssembledSystem {
  readonly definition: DefinedSystem
  /** Folder of the system file; places in manifests are given relative to it. */
  readonly folder: string
  readonly requirements: Requirements
  readonly kernel: Kernel
  readonly commandLine: string
  readonly loadPlans: readonly NamedPlan[]
  readonly rootTree: FileTree
  /** The initramfs that mounts the root on the device's disk; absent where the device has none. */
  readonly initramfsTree?: FileTree
  /** Another initramfs than `initramfsTree`, for a root that is not on the device's disk. */
  readonly makeInitramfs: (request: InitramfsRequest) => Promise<MadeInitramfs>
  /** What services write and, without a state partition, lose. */
  readonly lostAtPowerOff: readonly {
    readonly path: string
    readonly what: string
    readonly service: string
  }[]
}

export interface InitramfsRequest {
  /** Kernel modules (or built-in drivers) that it takes to mount the root. */
  readonly kmods: readonly string[]
  readonly root: RootDevice
  /** Parameters of modules beside those that the system asks for, `name=value` each, by module. */
  readonly parameters?: ReadonlyMap<string, readonly string[]>
}

export interface MadeInitramfs {
  readonly tree: FileTree
  readonly plan: NamedPlan
}

/**
 * Works out a system: fetches packages and kernel, proves that the kernel has what was asked of it, plans kernel
 * modules, orders services and composes the file trees.
 *
 * @throws UserError for whatever the user must change
 */
export async function assemble(
  engine: Engine,
  system: EvaluatedSystem,
  options: SystemFolders,
): Promise<AssembledSystem> {
  const { definition, requirements } = system
  const base: Origin = { feature: 'base system', ...definition.origin }
  const needs = packageNeeds(engine, system, options)
  const packages = await openPackages(needs.context, needs.request)
  const toLoad = planRequests(definition, requirements, base)
  const kernel = await provideKernel(engine, packages, needs, system, toLoad, dirname(options.file))
  await proveKernel(kernel, requirements)

  const { drivers, blacklist } = requirements
  checkBlacklist(kernel, blacklist)
  const unwanted = new Set(blacklist.map(({ value }) => value))
  const requests = [
    ...toLoad.filter(({ name }) => drivers === undefined || name !== driversService),
    ...(drivers === undefined
      ? []
      : [
          {
            name: driversService,
            targets: (await treeDrivers(engine, kernel, definition, drivers.origins)).filter(
              (name) => !unwanted.has(name),
            ),
            origins: drivers.origins,
          },
        ]),
  ]
  const planned = await planAll(engine, kernel, requests, blacklist)
  const parameters = await placeParameters(kernel, planned, requirements.kmodParameters)
  const planOf = (name: string): NamedPlan | undefined => planned.find((plan) => plan.name === name)
  const requested = requirements.services.map(({ value, origins }): Service => {
    const { kmods, ...request }: ServiceRequest = value
    const plan = planOf(value.name)
    return {
      ...request,
      origin: origins[0] ?? base,
      ...(kmods === undefined || plan === undefined
        ? {}
        : { kmods: kmodSteps(plan, kernel, parameters.ofModules) }),
    }
  })
  const services = [...baseServices(requirements, base), ...requested]
  const kept = stateOf(services)
  const statePlan = planOf('state')
  const { disks } = definition.device
  if (disks !== undefined && statePlan !== undefined) {
    services.push(
      stateService({
        device: disks.state,
        fileSystem: 'ext4',
        kmods: kmodSteps(statePlan, kernel, parameters.ofModules),
        services,
        origin: definition.origin,
      }),
    )
  }
  const login = requirements.console
  const graph = serviceGraph(services)
  const serviceTree = renderOpenRc(graph, {
    origin: base,
    consoles:
      login === undefined
        ? []
        : [
            {
              device: definition.device.console.tty,
              baud: definition.device.console.baudRate,
              access: login.value.type === 'open' ? 'shell' : 'login',
              origin: login.origins[0] ?? base,
            },
          ],
  })
  const rootPassword = login?.value.type === 'password' ? login.value.hash : undefined
  const own = mergeTrees(
    serviceTree,
    baseFiles(requirements, base),
    definition.state === undefined ? new Map() : stateMountPoint(definition.origin),
    accountFiles(requirements.users, rootPassword, base),
    requirements.files,
    requirements.autoload === undefined
      ? new Map()
      : await autoloadTree(engine, kernel, planned, parameters, requirements.autoload.origins),
    requirements.hotplug === undefined
      ? new Map()
      : await hotplugTree(engine, kernel, planned, parameters, requirements.hotplug.origins),
    await kmodFiles(
      engine,
      planned.filter(({ name }) => name !== 'initramfs'),
      kernel,
    ),
    await appletTree(packages, requirements, baseApplets(services), base),
  )
  const rootTree = await withPackages(packages, requirements, own, base)
  checkCommands(services, rootTree)
  const waived = requirements.waivedFirmware
  const ofRoot = planned.filter(({ name }) => name !== 'initramfs')
  await proveKmods(engine, kernel, ofRoot, { tree: rootTree, waived })
  /** With the plan proved, and its firmware. */
  const provedInitramfs = async (
    plan: NamedPlan,
    root: RootDevice,
    given: KmodParameters,
  ): Promise<FileTree> => {
    const firmware = await planFirmware(kernel, plan, rootTree)
    const tree = await initramfsTree(engine, packages, root, kernel, plan, firmware, given, base)
    await proveKmods(engine, kernel, [plan], { tree, waived })
    return tree
  }
  const initramfsPlan = planOf('initramfs')
  return {
    definition,
    folder: dirname(options.file),
    requirements,
    kernel,
    commandLine: [
      ...definition.device.kernelParameters,
      'loglevel=4',
      ...parameters.commandLine,
      ...requirements.kernelParameters.map(({ value }) => value),
    ].join(' '),
    loadPlans: planned,
    rootTree,
    ...(disks === undefined || initramfsPlan === undefined
      ? {}
      : {
          initramfsTree: await provedInitramfs(initramfsPlan, { by: 'path', path: disks.root }, parameters),
        }),
    async makeInitramfs({ kmods, root, parameters: more = new Map() }) {
      const request = { name: 'initramfs', targets: kmods, origins: [base] }
      const [plan] = await planAll(engine, kernel, [request], blacklist)
      if (plan === undefined) throw new Error('planning one request gave no plan')
      const ofModules = new Map([...parameters.ofModules, ...more])
      return { tree: await provedInitramfs(plan, root, { ...parameters, ofModules }), plan }
    },
    lostAtPowerOff:
      definition.state === undefined
        ? kept.map(({ path, what, service }: LostState) => ({ path, what, service }))
        : [],
  }
}

/** Debian's kernel, or one that is built with what the system asks for and the modules that it loads. */
async function provideKernel(
  engine: Engine,
  packages: Packages,
  { kernelSource, kernelPackage }: PackageNeeds,
  { definition, requirements }: EvaluatedSystem,
  toLoad: readonly PlanRequest[],
  folder: string,
): Promise<Kernel> {
  if (kernelSource.type === 'debian') {
    if (kernelPackage === undefined) throw new Error("Debian's kernel is in no package")
    return readDebianKernel(engine, packages, kernelSource, kernelPackage)
  }
  const { kernel, conditionalKernel, drivers } = requirements
  const hardware =
    drivers === undefined
      ? {}
      : {
          hardware: {
            devices: await boardDevices(engine, definition, drivers.origins),
            origins: drivers.origins,
          },
        }
  const asked = kernel.modules.map(({ value, origins }) => ({ name: value, origins }))
  const loaded = toLoad.flatMap(({ targets, origins }) =>
    targets.map((target) =>
      typeof target === 'string'
        ? { name: target, anyOf: [target], optional: false, origins }
        : { name: target.what, anyOf: target.anyOf, optional: target.optional === true, origins },
    ),
  )
  return buildLinux(engine, packages, {
    source: kernelSource,
    architecture: definition.device.architecture,
    deviceSymbols: definition.device.kernelSymbols,
    folder,
    demands: {
      symbols: kernel.symbols,
      modules: [...asked, ...loaded],
      ...hardware,
      conditional: conditionalKernel.map(({ when, value, origins }) => {
        const { symbols, modules } = mergeKernel([{ value, origins }], [])
        return { when, symbols, modules: modules.map((each) => ({ name: each.value, origins })), origins }
      }),
    },
  })
}

/** Proves that the kernel has everything that was asked of it, conditional requirements included. */
async function proveKernel(kernel: Kernel, requirements: Requirements): Promise<void> {
  const conflicts: Diagnostic[] = []
  const conditional = applicable(kernel, requirements.conditionalKernel)
  const unconditional = requirements.kernel.symbols.map(({ symbol, accepted, origins }) => ({
    value: { config: { [symbol]: accepted } },
    origins,
  }))
  const all = mergeKernel([...unconditional, ...conditional], conflicts)
  const modules = [...requirements.kernel.modules, ...all.modules].map(({ value, origins }) => ({
    name: value,
    origins,
  }))
  const problems = [...conflicts, ...(await checkKernel(kernel, all.symbols, modules))]
  if (problems.length > 0) throw new UserError(...problems)
}

function planRequests(
  definition: DefinedSystem,
  requirements: Requirements,
  base: Origin,
): readonly PlanRequest[] {
  const ofServices = requirements.services.flatMap(({ value, origins }): PlanRequest[] =>
    value.kmods === undefined ? [] : [{ name: value.name, targets: value.kmods, origins }],
  )
  const { disks, storageModules, name } = definition.device
  if (definition.state !== undefined && disks === undefined) {
    throw new UserError({
      what: `a system on ${name} cannot have a state partition`,
      where: [definition.origin],
      why: 'nothing is known of a disk of this device',
      fix: 'leave `state` out, or give the device `disks`',
    })
  }
  const state = { name: 'state', targets: ['ext4'], origins: [definition.origin] }
  const initramfs = { name: 'initramfs', targets: [...storageModules, 'squashfs'], origins: [base] }
  return [
    ...(disks === undefined ? [] : [initramfs]),
    ...ofServices,
    ...(definition.state === undefined ? [] : [state]),
    ...(['autoload', 'hotplug'] as const).flatMap((when): PlanRequest[] => {
      const asked = requirements[when]
      return asked === undefined ? [] : [{ name: when, targets: asked.value, origins: asked.origins }]
    }),
  ]
}

/** Where the state partition is mounted; the root is read-only. */
function stateMountPoint(origin: Origin): FileTree {
  return new Map([[stateFolder, { type: 'directory', mode: 0o755, uid: 0, gid: 0, origins: [origin] }]])
}

async function appletTree(
  packages: Packages,
  requirements: Requirements,
  called: readonly string[],
  base: Origin,
): Promise<FileTree> {
  const needed = called.map((value): Asked<string> => ({ value, origins: [base] }))
  return appletLinks(
    [...needed, ...requirements.applets],
    await busyboxApplets(packages, basePackages.busybox, base),
    requirements.packageFiles.map(({ value }) => value.path),
  )
}

/** Adds the files of packages that are referred to, with all that those need. */
async function withPackages(
  packages: Packages,
  requirements: Requirements,
  own: FileTree,
  base: Origin,
): Promise<FileTree> {
  const roots = [
    ...requirements.packageFiles.flatMap(({ value, origins }) =>
      origins.map((origin) => ({ package: value.package, path: value.path, origin })),
    ),
    ...baseProgramFiles.map((file) => ({ ...file, origin: base })),
  ]
  const { tree, expects } = await packages.closure(roots, new Set(own.keys()))
  const missing = expects.filter(({ kind }) => kind === 'interpreter')
  if (missing.length > 0) {
    throw new UserError(
      ...missing.map(({ path, neededBy, origins }) => ({
        what: `${neededBy.at(-1)} is run by ${path}, which the system does not have`,
        where: origins,
        why: `needed through ${neededBy.join(' → ')}`,
        fix: `ask for the package that has ${path} as well`,
      })),
    )
  }
  const complete = completeTree(mergeTrees(own, tree))
  return mergeTrees(complete, usrMergeLinks(complete, base))
}

/** The initramfs: its script, a busybox that needs no library, the modules of its plan, and their firmware. */
async function initramfsTree(
  engine: Engine,
  packages: Packages,
  root: RootDevice,
  kernel: Kernel,
  plan: NamedPlan,
  firmware: FileTree,
  parameters: KmodParameters,
  base: Origin,
): Promise<FileTree> {
  const script = renderInitramfs({
    kmods: kmodSteps(plan, kernel, parameters.ofModules),
    root,
    fileSystem: 'squashfs',
    origin: base,
  })
  const busybox = await packages.entry(basePackages.staticBusybox, '/bin/busybox', base)
  const tree = completeTree(
    mergeTrees(
      script,
      new Map([['/usr/bin/busybox', busybox]]),
      await kmodFiles(engine, [plan], kernel),
      firmware,
    ),
  )
  return mergeTrees(tree, usrMergeLinks(tree, base))
}
