import { type Diagnostic, type Origin, UserError } from '../diagnostics/index.ts'
import { type Entry, type FileTree, mergeTrees } from '../filetree/index.ts'
import { kernelForm } from '../kmod/index.ts'
import type {
  ConfigRequest,
  ConfigValue,
  ConsoleLogin,
  Contribution,
  KernelRequirement,
  KmodParameterRequest,
  KmodTarget,
  NetworkInterface,
  ServiceRequest,
  User,
} from './contributions.ts'

/** A value with everybody who asked for it. */
export interface Asked<T> {
  readonly value: T
  readonly origins: readonly Origin[]
}

/** What all who asked for a symbol agree on: acceptable values, best first; never empty. */
export interface SymbolRequest {
  readonly symbol: string
  readonly accepted: readonly ConfigValue[]
  readonly origins: readonly Origin[]
}

export interface KernelRequests {
  readonly symbols: readonly SymbolRequest[]
  readonly modules: readonly Asked<string>[]
}

/** Every contribution of a system, joined; what disagreed has been refused. */
export interface Requirements {
  readonly hostname: Asked<string>
  readonly kernel: KernelRequests
  readonly conditionalKernel: readonly (Asked<KernelRequirement> & { readonly when: string })[]
  /** Present when the kernel may load modules by itself: those that ship for nothing else. */
  readonly autoload?: Asked<readonly KmodTarget[]>
  readonly hotplug?: Asked<readonly KmodTarget[]>
  /** Present when the modules that the device tree calls for are to be loaded. */
  readonly drivers?: { readonly origins: readonly Origin[] }
  readonly kmodParameters: readonly Asked<KmodParameterRequest>[]
  /** Names in the kernel's form. */
  readonly blacklist: readonly Asked<string>[]
  readonly waivedFirmware: readonly Asked<string>[]
  readonly kernelParameters: readonly Asked<string>[]
  readonly packageFiles: readonly Asked<{ readonly package: string; readonly path: string }>[]
  readonly applets: readonly Asked<string>[]
  readonly files: FileTree
  readonly services: readonly Asked<ServiceRequest>[]
  readonly console?: Asked<ConsoleLogin>
  readonly users: readonly Asked<User>[]
  readonly sysctls: readonly (Asked<string> & { readonly key: string })[]
  readonly interfaces: readonly Asked<NetworkInterface>[]
}

/**
 * Joins contributions. Whatever two of them say differently is a conflict that names both origins; all conflicts
 * are reported together.
 *
 * @throws UserError
 */
export function merge(contributions: readonly Contribution[]): Requirements {
  const conflicts: Diagnostic[] = []
  const of = <T extends Contribution['type']>(type: T): Extract<Contribution, { type: T }>[] =>
    contributions.filter(
      (contribution): contribution is Extract<Contribution, { type: T }> => contribution.type === type,
    )

  /** Joins what is said of one key. Two different values are a conflict, put in words by `conflict`. */
  function agree<C extends Contribution, T>(
    all: readonly C[],
    key: (contribution: C) => string,
    value: (contribution: C) => T,
    conflict: (key: string, a: T, b: T) => Diagnostic,
  ): Asked<T>[] {
    const joined = new Map<string, { value: T; origins: Origin[] }>()
    for (const contribution of all) {
      const name = key(contribution)
      const present = joined.get(name)
      if (present === undefined) {
        joined.set(name, { value: value(contribution), origins: [contribution.origin] })
      } else if (JSON.stringify(present.value) === JSON.stringify(value(contribution))) {
        present.origins.push(contribution.origin)
      } else {
        conflicts.push({
          ...conflict(name, present.value, value(contribution)),
          where: [...present.origins, contribution.origin],
        })
      }
    }
    return [...joined.values()]
  }

  const hostnames = agree(
    of('hostname'),
    () => '',
    ({ hostname }) => hostname,
    (_, a, b) => ({
      what: `the system is given two host names: ${a} and ${b}`,
      fix: 'keep one of them',
    }),
  )
  const users = agree(
    of('user'),
    ({ user }) => user.name,
    ({ user }) => user,
    (name) => ({ what: `user ${name} is defined in two different ways`, fix: 'keep one of them' }),
  )
  const sysctls = agree(
    of('sysctl'),
    ({ key }) => key,
    ({ key, value }) => ({ key, value }),
    (key, a, b) => ({
      what: `sysctl ${key} is wanted as ${a.value} and as ${b.value}`,
      fix: 'keep one of them',
    }),
  )
  const autoload = of('autoload')
  const hotplug = of('hotplug')
  const drivers = of('drivers')
  const kmodParameters = agree(
    of('kmod-parameter'),
    ({ parameter: { module, name } }) => `${kernelForm(module)}.${name}`,
    ({ parameter }) => ({ ...parameter, module: kernelForm(parameter.module) }),
    (key, a, b) => ({
      what: `the kernel module parameter ${key} is wanted as ${a.value} and as ${b.value}`,
      fix: 'keep one of them',
    }),
  )
  const interfaces = agree(
    of('interface'),
    (contribution) => contribution.interface.name,
    (contribution) => contribution.interface,
    (name) => ({ what: `network interface ${name} is configured twice`, fix: 'keep one of them' }),
  )
  const services = agree(
    of('service'),
    ({ service }) => service.name,
    ({ service }) => service,
    (name) => ({
      what: `two different services are called ${name}`,
      fix: 'give one of them another name',
    }),
  )
  for (const { service, requires, origin } of of('dependency')) {
    const index = services.findIndex(({ value }) => value.name === service.name)
    const present = services[index]
    if (present === undefined) {
      conflicts.push({
        what: `service ${service.name} is to require ${requires.name}, and does not exist`,
        where: [origin],
      })
      continue
    }
    const value = { ...present.value, requires: [...(present.value.requires ?? []), requires] }
    services[index] = { value, origins: present.origins }
  }
  const consoles = agree(
    of('console'),
    () => '',
    ({ login }) => login,
    () => ({ what: 'the console is given two different ways to log in', fix: 'keep one of them' }),
  )

  const unconditional = of('kernel').filter(({ when }) => when === undefined)
  const kernel = mergeKernel(
    unconditional.map(({ requirement, origin }) => ({ value: requirement, origins: [origin] })),
    conflicts,
  )

  let files: FileTree = new Map()
  try {
    files = mergeTrees(
      ...of('entry').map(({ path, entry }): ReadonlyMap<string, Entry> => new Map([[path, entry]])),
    )
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    conflicts.push(...error.diagnostics)
  }

  const hostname = hostnames[0]
  if (hostname === undefined) throw new Error('a system without a host name was evaluated')
  if (conflicts.length > 0) throw new UserError(...conflicts)
  return {
    hostname,
    kernel,
    conditionalKernel: of('kernel').flatMap(({ when, requirement, origin }) =>
      when === undefined ? [] : [{ when, value: requirement, origins: [origin] }],
    ),
    ...(autoload.length === 0 ? {} : { autoload: allTargets(autoload) }),
    ...(hotplug.length === 0 ? {} : { hotplug: allTargets(hotplug) }),
    ...(drivers.length === 0 ? {} : { drivers: { origins: drivers.map(({ origin }) => origin) } }),
    kmodParameters,
    blacklist: collect(
      of('kmod-blacklist').map(({ module, origin }) => ({ value: kernelForm(module), origin })),
    ),
    waivedFirmware: collect(of('firmware-waiver').map(({ file, origin }) => ({ value: file, origin }))),
    kernelParameters: collect(
      of('kernel-parameter').map(({ parameter, origin }) => ({ value: parameter, origin })),
    ),
    packageFiles: collect(
      of('package-file').map((file) => ({
        value: { package: file.package, path: file.path },
        origin: file.origin,
      })),
    ),
    applets: collect(of('applet').map(({ name, origin }) => ({ value: name, origin }))),
    files,
    services,
    ...(consoles[0] === undefined ? {} : { console: consoles[0] }),
    users,
    sysctls: sysctls.map(({ value, origins }) => ({ key: value.key, value: value.value, origins })),
    interfaces,
  }
}

/** What several named, as one list. */
function allTargets(
  asked: readonly { readonly targets: readonly KmodTarget[]; readonly origin: Origin }[],
): Asked<readonly KmodTarget[]> {
  return { value: asked.flatMap(({ targets }) => targets), origins: asked.map(({ origin }) => origin) }
}

/** Joins kernel requirements: for each symbol the values that everybody accepts. Adds what disagrees to `conflicts`. */
export function mergeKernel(
  requirements: readonly Asked<KernelRequirement>[],
  conflicts: Diagnostic[],
): KernelRequests {
  const symbols = new Map<string, { accepted: readonly ConfigValue[]; origins: readonly Origin[] }>()
  const modules = new Map<string, readonly Origin[]>()
  for (const { value, origins } of requirements) {
    for (const [symbol, request] of Object.entries(value.config ?? {})) {
      const accepted = acceptedValues(request)
      if (!/^[A-Za-z0-9_]+$/.test(symbol) || symbol.startsWith('CONFIG_')) {
        conflicts.push({
          what: `${symbol} is not how a Kconfig symbol is written here`,
          where: origins,
          fix: symbol.startsWith('CONFIG_') ? `write ${symbol.slice(7)}` : 'letters, digits and _ only',
        })
        continue
      }
      const present = symbols.get(symbol)
      const common = present?.accepted.filter((candidate) => accepted.includes(candidate)) ?? accepted
      if (present !== undefined && common.length === 0) {
        conflicts.push({
          what: `CONFIG_${symbol} is wanted as ${describe(present.accepted)} and as ${describe(accepted)}`,
          where: [...present.origins, ...origins],
          fix: 'let both accept one value, or drop one of the requests',
        })
        continue
      }
      symbols.set(symbol, { accepted: common, origins: [...(present?.origins ?? []), ...origins] })
    }
    for (const name of value.modules ?? []) modules.set(name, [...(modules.get(name) ?? []), ...origins])
  }
  return {
    symbols: [...symbols].map(([symbol, request]) => ({ symbol, ...request })),
    modules: [...modules].map(([value, origins]) => ({ value, origins })),
  }
}

/** The distinct values, each with everybody who asked for it. */
function collect<T>(all: readonly { readonly value: T; readonly origin: Origin }[]): Asked<T>[] {
  const joined = new Map<string, { value: T; origins: Origin[] }>()
  for (const { value, origin } of all) {
    const key = JSON.stringify(value)
    const present = joined.get(key)
    if (present === undefined) joined.set(key, { value, origins: [origin] })
    else present.origins.push(origin)
  }
  return [...joined.values()]
}

function acceptedValues(request: ConfigRequest): readonly ConfigValue[] {
  return typeof request === 'string' ? [request] : request
}

function describe(values: readonly ConfigValue[]): string {
  return values.map((value) => `=${value}`).join(' or ')
}
