import { dirname, join, resolve } from 'node:path'
import * as devices from '../devices/index.ts'
import type { Engine } from '../engine/index.ts'
import * as features from '../features/index.ts'
import * as firmwright from '../index.ts'
import * as outputs from '../outputs/index.ts'
import { type AssembledSystem, assemble, loadSystems } from '../system/index.ts'
import { type BuildOptions, cacheFolder } from './session.ts'

/** The system file that is meant when none is named. */
export const defaultSystemFile = 'system.ts'

/** Loads a system file and works out what each system in it is made of. */
export async function assembleFile(
  engine: Engine,
  file: string,
  options: BuildOptions,
): Promise<readonly AssembledSystem[]> {
  const cache = cacheFolder(options.cache)
  const systems = await loadSystems(file, {
    modules: {
      firmwright,
      'firmwright/devices': devices,
      'firmwright/features': features,
      'firmwright/outputs': outputs,
    },
    cacheFolder: join(cache, 'compiled'),
  })
  const assembled: AssembledSystem[] = []
  for (const definition of systems) {
    assembled.push(
      await assemble(engine, definition, {
        file: resolve(file),
        lockFile: join(dirname(resolve(file)), 'firmwright.lock'),
        aptFolder: join(cache, 'apt'),
        offline: options.offline === true,
      }),
    )
  }
  return assembled
}
