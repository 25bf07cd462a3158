import { basename, dirname, extname, join, resolve } from 'node:path'
import * as devices from '../devices/index.ts'
import type { Engine } from '../engine/index.ts'
import * as features from '../features/index.ts'
import * as firmwright from '../index.ts'
import * as outputs from '../outputs/index.ts'
import {
  type AssembledSystem,
  assemble,
  type EvaluatedSystem,
  evaluateSystem,
  loadSystems,
  lockSetNames,
  type SystemFolders,
  updateSystem,
} from '../system/index.ts'
import { type BuildOptions, cacheFolder } from './session.ts'

/** Loads a system file and works out what each system in it is made of. */
export async function assembleFile(
  engine: Engine,
  file: string,
  options: BuildOptions,
): Promise<readonly AssembledSystem[]> {
  const assembled: AssembledSystem[] = []
  for (const { system, folders } of await load(file, options)) {
    assembled.push(await assemble(engine, system, folders))
  }
  return assembled
}

/** Moves the package pins of every system in a file; what changed, each package once. */
export async function updateFile(
  engine: Engine,
  file: string,
  options: BuildOptions,
): Promise<Awaited<ReturnType<typeof updateSystem>>> {
  const changes = []
  for (const { system, folders } of await load(file, options)) {
    changes.push(...(await updateSystem(engine, system, folders)))
  }
  return changes
}

interface LoadedSystem {
  readonly system: EvaluatedSystem
  readonly folders: SystemFolders
}

async function load(file: string, options: BuildOptions): Promise<readonly LoadedSystem[]> {
  const definitions = await loadSystems(file, {
    modules: {
      firmwright,
      'firmwright/devices': devices,
      'firmwright/features': features,
      'firmwright/outputs': outputs,
    },
    cacheFolder: join(cacheFolder(options.cache), 'compiled'),
  })
  const systems: EvaluatedSystem[] = []
  for (const definition of definitions) systems.push(await evaluateSystem(definition))
  const path = resolve(file)
  const names = lockSetNames(systems, basename(path, extname(path)))
  return systems.map((system, index) => ({
    system,
    folders: {
      file: path,
      lockFile: join(dirname(path), 'firmwright.lock'),
      lockSet: names[index] ?? '',
      aptFolder: join(cacheFolder(options.cache), 'apt'),
      offline: options.offline === true,
    },
  }))
}
