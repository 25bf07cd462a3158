import { basename } from 'node:path'
import type { Origin } from '../diagnostics/index.ts'
import type { Engine } from '../engine/index.ts'
import { defaultKernelPackage, type KernelSource } from '../kernel/index.ts'
import {
  type PackageRequest,
  type PackagesContext,
  type PinChange,
  updatePackages,
} from '../packages/index.ts'
import { basePackages, targetNeeds } from './base.ts'
import type { DefinedSystem } from './definition.ts'
import { evaluate } from './evaluate.ts'
import { merge, type Requirements } from './merge.ts'

/** Where a system's file and its packages lie. */
export interface SystemFolders {
  /** Absolute path of the system file. */
  readonly file: string
  readonly lockFile: string
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
  /** As the request calls it; possibly a metapackage. */
  readonly kernelPackage: string
}

export function packageNeeds(
  engine: Engine,
  definition: DefinedSystem,
  requirements: Requirements,
  folders: SystemFolders,
): PackageNeeds {
  const base: Origin = { feature: 'base system', ...definition.origin }
  const kernelSource: KernelSource = definition.kernel ?? { type: 'debian', origin: base }
  const kernelPackage = kernelSource.package ?? defaultKernelPackage(definition.device.architecture)
  return {
    context: {
      engine,
      lockFile: folders.lockFile,
      setName: basename(folders.file).replace(/\.[^.]*$/, ''),
      cacheFolder: folders.aptFolder,
      offline: folders.offline,
    },
    request: {
      release: definition.release ?? 'bookworm',
      architecture: definition.device.architecture,
      install: [
        ...requirements.packageFiles.map(({ value, origins }) => ({ name: value.package, origins })),
        ...targetNeeds.files.map((file) => ({ name: file.package, origins: [base] })),
      ],
      only: [
        { name: kernelPackage, origins: [kernelSource.origin] },
        { name: basePackages.staticBusybox, origins: [base] },
      ],
    },
    kernelSource,
    kernelPackage,
  }
}

/**
 * Moves the pins of a system's packages to what the mirrors have now.
 *
 * @returns what changed, by name
 * @throws UserError
 */
export async function updateSystem(
  engine: Engine,
  definition: DefinedSystem,
  folders: SystemFolders,
): Promise<readonly PinChange[]> {
  const { contributions } = await evaluate(definition)
  const { context, request } = packageNeeds(engine, definition, merge(contributions), folders)
  return (await updatePackages(context, request)).changes
}
