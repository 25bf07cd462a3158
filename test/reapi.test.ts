import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { qemuAarch64 } from '../src/devices/index.ts'
import {
  type CommandRecipe,
  type Engine,
  openEngine,
  type ReapiAction,
  toReapiAction,
} from '../src/engine/index.ts'
import { debianKernel, defineSystem } from '../src/index.ts'
import { outputs, writeOutput } from '../src/outputs/index.ts'
import { assemble, evaluateSystem } from '../src/system/index.ts'
import { freshCache, kernelPackage, systemFolder } from './firmwright.ts'

describe('every command of a real build', () => {
  const recipes: CommandRecipe[] = []
  let store = ''

  beforeAll(async () => {
    const folder = await systemFolder()
    const cache = await freshCache()
    store = join(cache, 'store')
    const engine = await openEngine({ storeFolder: store })
    const recorder: Engine = {
      ...engine,
      build(recipe) {
        recipes.push(recipe)
        return engine.build(recipe)
      },
    }
    const definition = defineSystem({
      device: qemuAarch64,
      hostname: 'edge',
      kernel: debianKernel({ package: kernelPackage }),
      state: { sizeMebibytes: 8 },
      setup() {},
    })
    const system = await assemble(recorder, await evaluateSystem(definition), {
      file: join(folder, 'system.ts'),
      lockFile: join(folder, 'firmwright.lock'),
      lockSet: 'system',
      aptFolder: join(cache, 'apt'),
      offline: true,
    })
    // Headers come of a kernel that was built here alone.
    for (const output of outputs.filter(({ name }) => name !== 'kernel-headers'))
      await writeOutput(recorder, system, output, join(folder, 'out'))
    await engine.close()
  }, 600_000)

  it('is an action of the Remote Execution API, with digests that stay the same', async () => {
    const programs = new Set(recipes.map(({ argv }) => argv[0]))
    expect([...programs]).toEqual(expect.arrayContaining(['mke2fs', 'zstd']))
    expect(recipes.length).toBeGreaterThan(5)
    const convert = async (): Promise<readonly ReapiAction[]> => {
      const engine = await openEngine({ storeFolder: store })
      try {
        const actions: ReapiAction[] = []
        for (const recipe of recipes) actions.push(await toReapiAction(recipe, engine))
        return actions
      } finally {
        await engine.close()
      }
    }
    const actions = await convert()
    expect(await convert()).toEqual(actions)
    const results = actions.map(({ action: { sha256 } }) =>
      join(store, 'results', sha256.slice(0, 2), sha256),
    )
    // The key of a result is the digest of its action, so a cluster's action cache and ours say the same.
    expect(results.filter((path) => !existsSync(path))).toEqual([])
    expect(new Set(results).size).toBe(new Set(actions.map(({ action }) => action.sha256)).size)
  })

  it('takes nothing to a worker but content that is in the store', async () => {
    const engine = await openEngine({ storeFolder: store })
    try {
      for (const recipe of recipes.slice(0, 12)) {
        const { action, command, inputRoot, needed } = await toReapiAction(recipe, engine)
        const names = needed.map(({ sha256 }) => sha256)
        for (const { sha256 } of [action, command, inputRoot]) expect(names).toContain(sha256)
        for (const digest of needed) {
          const bytes = await engine.read({ kind: 'file', digest, executable: false })
          expect(bytes.length).toBe(digest.sizeBytes)
          expect(createHash('sha256').update(bytes).digest('hex')).toBe(digest.sha256)
        }
      }
    } finally {
      await engine.close()
    }
  })
})
