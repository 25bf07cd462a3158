import { callSite, type Origin, UserError } from '../diagnostics/index.ts'
import { canonicalPath, type Node } from '../filetree/index.ts'
import { appletPath, deviceHandlerPath, type ServiceHandle, serviceHandle } from '../services/index.ts'
import type {
  ConsoleLogin,
  Contribution,
  KernelRequirement,
  KmodTarget,
  LongrunRequest,
  NetworkInterface,
  OneshotRequest,
  ServiceRequest,
  User,
} from './contributions.ts'
import type { Device } from './device.ts'
import { driversService } from './drivers.ts'

interface FileOptions {
  /** Permission bits; 0o644 for files, 0o755 for directories. */
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
}

/** What `setup` and every feature is handed: all that can be said about a system. */
export interface SystemBuilder {
  readonly device: Device
  /** Names the system; a second, different name is a conflict. */
  hostname(name: string): void
  readonly kernel: {
    /** Asks for Kconfig symbols and kernel modules. Everything asked for is proved to be in the final kernel. */
    require(requirement: KernelRequirement): void
    /** The same, but only if something else turned `symbol` on. */
    when(symbol: string, requirement: KernelRequirement): void
    /** A service that loads `targets` and all they depend on when it comes up, and unloads them when it goes down. */
    load(name: string, targets: readonly KmodTarget[]): ServiceHandle
    /**
     * Lets the kernel load modules while it runs: those of `targets`, which then ship, and all that ship for services,
     * under the names by which it asks for them (`nft-expr-…`, `fs-…`, `crypto-…`). What is loaded so stays.
     */
    autoload(...targets: readonly KmodTarget[]): void
    /**
     * Services that load modules for devices: for all that are there when the system comes up, and then for each that
     * is plugged in. The modules are those of `targets`, which then ship, and all that ship for services, under the
     * names by which buses announce devices (`usb:…`, `pci:…`, `of:…`). What is loaded so stays.
     */
    hotplug(...targets: readonly KmodTarget[]): ServiceHandle
    /**
     * A service that loads every module that drives something in the device tree which the kernel is given: what each
     * enabled node's bus would announce, worked out when the system is built. A kernel from source is built with the
     * drivers that its source has for them; the tree must then be there before the kernel is.
     */
    drivers(from: 'from-device-tree'): ServiceHandle
    /**
     * Sets a parameter of a kernel module, whoever loads it: given to insmod, or on the kernel command line as
     * `module.name=value` where the module is built in.
     */
    moduleParameter(module: string, name: string, value: string | number | boolean): void
    /**
     * Keeps kernel modules out of the system: no alias, softdep or device brings one, and none ships. What cannot do
     * without one (it was asked for by name, or something uses its symbols) is refused.
     */
    blacklist(...modules: readonly string[]): void
    /** Says that firmware which a driver asks for may be missing, by the names that the driver has for it. */
    waiveFirmware(...files: readonly string[]): void
    /** Adds one parameter to the kernel command line. */
    parameter(parameter: string): void
    /** Sets a sysctl at boot, for example `net.ipv4.ip_forward` to `1`. */
    sysctl(key: string, value: string | number): void
  }
  readonly packages: {
    /**
     * Uses one file of a Debian package: it, the libraries and interpreter it needs, and the data its package
     * cannot do without come into the image. Returns the path to call it by.
     */
    file(name: string, path: string): string
  }
  /** Uses applets of busybox; each becomes a link in the search path. */
  applets(...names: readonly string[]): void
  /** Uses one applet and returns the path to call it by. */
  applet(name: string): string
  readonly files: {
    text(path: string, text: string, options?: FileOptions): void
    directory(path: string, options?: FileOptions): void
    symlink(path: string, target: string): void
    hardlink(path: string, target: string): void
    device(
      path: string,
      device: { kind: 'character' | 'block'; major: number; minor: number } & FileOptions,
    ): void
  }
  readonly services: {
    /** Something that is done once, and undone when it goes down. */
    oneshot(service: OneshotRequest): ServiceHandle
    /** A program that runs in the foreground and is started again when it ends. */
    longrun(service: LongrunRequest): ServiceHandle
    /** Makes `service` require another one, after it was defined: for features that share a service. */
    require(service: ServiceHandle, required: ServiceHandle): void
  }
  /** Who may log in on the serial console; nobody by default. */
  readonly console: { login(login: ConsoleLogin): void }
  readonly users: { add(user: User): void }
  readonly network: { interface(definition: NetworkInterface): void }
  /** The same builder, with everything it is told ascribed to `origin`. For {@link defineFeature}. */
  as(origin: Origin): SystemBuilder
}

function targetName(target: KmodTarget): string {
  return typeof target === 'string' ? target : (target?.what ?? '')
}

function absolute(path: string, origin: Origin): string {
  const isPath = typeof path === 'string' && path.startsWith('/') && !path.includes('\0')
  if (isPath) return canonicalPath(path)
  throw new UserError({
    what: `${JSON.stringify(path) ?? 'nothing'} is no path on the target`,
    where: [origin],
    why: 'a path on the target is absolute',
    fix: 'begin it with /',
  })
}

/** What is mounted over at boot (services/shell-layer.ts): a file of the image would never be seen there. */
const mountedOver = /^\/(proc|sys|run|tmp|var)\//

/** A path at which something of the image can be seen on the running system. */
function visible(path: string, origin: Origin): string {
  const canonical = absolute(path, origin)
  const [, folder] = mountedOver.exec(canonical) ?? []
  if (folder === undefined) return canonical
  throw new UserError({
    what: `nothing could be seen at ${canonical}`,
    where: [origin],
    why: `a file system of its own is mounted on /${folder} when the device starts`,
    fix: 'put it elsewhere and link to it, or make it when a service starts (prepare, state)',
  })
}

/** A builder that hands every contribution to `contribute`, in order. */
export function createBuilder(
  device: Device,
  contribute: (contribution: Contribution) => void,
  ascribed?: Origin,
): SystemBuilder {
  const here = (): Origin => ascribed ?? callSite()
  const entry = (path: string, node: Node): void => {
    const origin = here()
    contribute({ type: 'entry', origin, path: visible(path, origin), entry: { ...node, origins: [origin] } })
  }
  const service = (request: ServiceRequest): ServiceHandle => {
    contribute({ type: 'service', origin: here(), service: request })
    return serviceHandle(request)
  }
  return {
    device,
    hostname: (hostname) => contribute({ type: 'hostname', origin: here(), hostname }),
    kernel: {
      require: (requirement) => contribute({ type: 'kernel', origin: here(), requirement }),
      when: (symbol, requirement) =>
        contribute({ type: 'kernel', origin: here(), requirement, when: symbol }),
      load: (name, targets) =>
        service({
          kind: 'oneshot',
          name,
          description: `kernel modules: ${[targets].flat().map(targetName).join(', ')}`,
          kmods: targets,
        }),
      autoload(...targets) {
        const origin = here()
        contribute({ type: 'autoload', origin, targets })
        contribute({ type: 'applet', origin, name: 'insmod' })
      },
      hotplug(...targets) {
        const origin = here()
        contribute({ type: 'hotplug', origin, targets })
        for (const name of ['find', 'grep', 'insmod', 'uevent']) contribute({ type: 'applet', origin, name })
        const listener = service({
          kind: 'longrun',
          name: 'hotplug',
          description: 'loads kernel modules for devices that come',
          command: [appletPath('uevent'), deviceHandlerPath],
          output: 'discard',
          // Its socket is there: netlink's protocol 15 is NETLINK_KOBJECT_UEVENT, and the kernel's own port is 0.
          readiness: { check: "grep -q '^[^ ]* *15 *[1-9]' /proc/net/netlink", timeoutSeconds: 30 },
        })
        return service({
          kind: 'oneshot',
          name: 'coldplug',
          description: 'loads kernel modules for the devices that are there',
          requires: [listener],
          up: `${deviceHandlerPath} all`,
        })
      },
      drivers(from) {
        contribute({ type: 'drivers', origin: here(), from })
        return service({
          kind: 'oneshot',
          name: driversService,
          description: 'kernel modules of what is in the device tree',
          phase: 'boot',
          kmods: [],
        })
      },
      moduleParameter: (module, name, value) =>
        contribute({ type: 'kmod-parameter', origin: here(), parameter: { module, name, value } }),
      blacklist(...modules) {
        for (const module of modules) contribute({ type: 'kmod-blacklist', origin: here(), module })
      },
      waiveFirmware(...files) {
        for (const file of files) contribute({ type: 'firmware-waiver', origin: here(), file })
      },
      parameter: (parameter) => contribute({ type: 'kernel-parameter', origin: here(), parameter }),
      sysctl: (key, value) => contribute({ type: 'sysctl', origin: here(), key, value: String(value) }),
    },
    packages: {
      file(name, path) {
        const origin = here()
        const canonical = absolute(path, origin)
        contribute({ type: 'package-file', origin, package: name, path: canonical })
        return canonical
      },
    },
    applets(...names) {
      for (const name of names) contribute({ type: 'applet', origin: here(), name })
    },
    applet(name) {
      contribute({ type: 'applet', origin: here(), name })
      return appletPath(name)
    },
    files: {
      text: (path, text, { mode = 0o644, uid = 0, gid = 0 } = {}) =>
        entry(path, { type: 'file', mode, uid, gid, content: { type: 'text', text } }),
      directory: (path, { mode = 0o755, uid = 0, gid = 0 } = {}) =>
        entry(path, { type: 'directory', mode, uid, gid }),
      symlink: (path, target) => entry(path, { type: 'symlink', target, uid: 0, gid: 0 }),
      hardlink: (path, target) => entry(path, { type: 'hardlink', target: absolute(target, here()) }),
      device: (path, { kind, major, minor, mode = 0o600, uid = 0, gid = 0 }) =>
        entry(path, { type: 'device', kind, major, minor, mode, uid, gid }),
    },
    services: {
      oneshot: (request) => service({ ...request, kind: 'oneshot' }),
      longrun: (request) => service({ ...request, kind: 'longrun' }),
      require: (handle, requires) =>
        contribute({ type: 'dependency', origin: here(), service: handle, requires }),
    },
    console: { login: (login) => contribute({ type: 'console', origin: here(), login }) },
    users: { add: (user) => contribute({ type: 'user', origin: here(), user }) },
    network: {
      interface: (definition) => contribute({ type: 'interface', origin: here(), interface: definition }),
    },
    as: (origin) => createBuilder(device, contribute, origin),
  }
}
