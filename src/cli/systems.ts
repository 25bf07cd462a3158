import { dirname, join, resolve } from 'node:path'
import * as devices from '../devices/index.ts'
import type { Engine } from '../engine/index.ts'
import * as features from '../features/index.ts'
import * as firmwright from '../index.ts'
import * as outputs from '../outputs/index.ts'
import {
  type AssembledSystem,
  assemble,
  type DefinedSystem,
  loadSystems,
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
  for (const definition of await load(file, options)) {
    assembled.push(await assemble(engine, definition, foldersOf(file, options)))
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
  for (const definition of await load(file, options)) {
    changes.push(...(await updateSystem(engine, definition, foldersOf(file, options))))
  }
  return changes
}

function load(file: string, options: BuildOptions): Promise<readonly DefinedSystem[]> {
  return loadSystems(file, {
    modules: {
      firmwright,
      'firmwright/devices': devices,
      'firmwright/features': features,
      'firmwright/outputs': outputs,
    },
    cacheFolder: join(cacheFolder(options.cache), 'compiled'),
  })
}

function foldersOf(file: string, options: BuildOptions): SystemFolders {
  const path = resolve(file)
  return {
    file: path,
    lockFile: join(dirname(path), 'firmwright.lock'),
    aptFolder: join(cacheFolder(options.cache), 'apt'),
    offline: options.offline === true,
  }
}
