import { isDeepStrictEqual } from 'node:util'
import type { Origin } from '../diagnostics/index.ts'
import type { Engine } from '../engine/index.ts'
import { defaultKernelPackage, type KernelSource, kernelHeadersPackage } from '../kernel/index.ts'
import {
  type PackageRequest,
  type PackagesContext,
  type PinChange,
  requestNames,
  updatePackages,
} from '../packages/index.ts'
import { basePackages, baseProgramFiles } from './base.ts'
import type { EvaluatedSystem } from './evaluated.ts'

/** Where a system's file and its packages lie. */
export interface SystemFolders {
  /** Absolute path of the system file. */
  readonly file: string
  readonly lockFile: string
  /** Name of the system's pins in the lock; see {@link lockSetNames}. */
  readonly lockSet: string
  /** Folder for the private roots of apt. */
  readonly aptFolder: string
  /** Never touch the network. */
  readonly offline: boolean
}

/** What a system asks of Debian. */
export interface PackageNeeds {
  readonly context: PackagesContext
  readonly request: PackageRequest
  readonly kernelSource: KernelSource
  /** The package that has the kernel or its source, as the request calls it; possibly a metapackage. */
  readonly kernelPackage: string | undefined
}

export function packageNeeds(engine: Engine, system: EvaluatedSystem, folders: SystemFolders): PackageNeeds {
  return {
    context: {
      engine,
      lockFile: folders.lockFile,
      setName: folders.lockSet,
      cacheFolder: folders.aptFolder,
      offline: folders.offline,
    },
    ...requestOf(system),
  }
}

function requestOf({ definition, requirements }: EvaluatedSystem): Omit<PackageNeeds, 'context'> {
  const base: Origin = { feature: 'base system', ...definition.origin }
  const kernelSource: KernelSource = definition.kernel ?? { type: 'debian', origin: base }
  const kernelPackage = packageOfKernel(kernelSource, definition.device.architecture)
  const headersPackage = kernelPackage === undefined ? undefined : kernelHeadersPackage(kernelPackage)
  return {
    request: {
      release: definition.release ?? 'bookworm',
      architecture: definition.device.architecture,
      install: [
        ...requirements.packageFiles.map(({ value, origins }) => ({ name: value.package, origins })),
        ...baseProgramFiles.map((file) => ({ name: file.package, origins: [base] })),
      ],
      only: [
        ...(kernelPackage === undefined ? [] : [{ name: kernelPackage, origins: [kernelSource.origin] }]),
        ...(headersPackage === undefined ? [] : [{ name: headersPackage, origins: [kernelSource.origin] }]),
        ...(kernelSource.type === 'debian' && kernelSource.source !== undefined
          ? [{ name: kernelSource.source, origins: [kernelSource.origin] }]
          : []),
        { name: basePackages.staticBusybox, origins: [base] },
      ],
    },
    kernelSource,
    kernelPackage,
  }
}

function packageOfKernel(source: KernelSource, architecture: string): string | undefined {
  if (source.type === 'debian') return source.package ?? defaultKernelPackage(architecture)
  return 'package' in source.from ? source.from.package : undefined
}

/**
 * Names for the pins of the systems of one file: its own name where all ask for the same packages (fifty that differ
 * in host name share their pins), otherwise one a system, by host name.
 */
export function lockSetNames(systems: readonly EvaluatedSystem[], fileName: string): readonly string[] {
  const requests = systems.map((system) => requestOf(system).request)
  const same = requests.every(
    (request) =>
      isDeepStrictEqual(requestNames(request), requestNames(requests[0] ?? request)) &&
      request.architecture === requests[0]?.architecture &&
      request.release === requests[0]?.release,
  )
  return systems.map(({ requirements }) => (same ? fileName : `${fileName}/${requirements.hostname.value}`))
}

/**
 * Moves the pins of a system's packages to what the mirrors have now.
 *
 * @returns what changed, by name
 * @throws UserError
 */
export async function updateSystem(
  engine: Engine,
  system: EvaluatedSystem,
  folders: SystemFolders,
): Promise<readonly PinChange[]> {
  const { context, request } = packageNeeds(engine, system, folders)
  return (await updatePackages(context, request)).changes
}
