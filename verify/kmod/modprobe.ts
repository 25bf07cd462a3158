import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { kmodName } from '../../src/kmod/index.ts'
import type { IndexedKernel } from './kernels.ts'

/** What kmod's modprobe says, asked without the configuration of the machine it runs on. */
export interface Modprobe {
  /** `--show-depends`: paths below `lib/modules/VERSION`, in the order of insertion. */
  showDepends(target: string): Promise<readonly string[]>
  /** `-R`: names of the modules that answer to an alias, sorted; none if nothing does. */
  resolve(alias: string): Promise<readonly string[]>
}

export function modprobeFor({ root, version, indexedFolder }: IndexedKernel): Modprobe {
  const index = join(indexedFolder, 'modules.dep.bin')
  const run = (...options: readonly string[]): Promise<readonly string[]> =>
    new Promise((resolve, reject) => {
      const args = ['-d', root, '-S', version, '-C', '/dev/null', ...options]
      execFile('modprobe', args, { maxBuffer: 1 << 26 }, (error, output) => {
        // It ends with 1 when nothing answers, which is an answer, but for a tree that is gone.
        if (error !== null && (error.code !== 1 || !existsSync(index))) reject(error)
        else resolve(output.split('\n').filter((line) => line !== ''))
      })
    })
  return {
    async showDepends(target) {
      const lines = await run('--show-depends', '--', target)
      return lines.flatMap((line) => {
        const [verb, path = ''] = line.split(' ')
        return verb === 'insmod' ? [path.slice(indexedFolder.length + 1)] : []
      })
    },
    async resolve(alias) {
      return [...new Set((await run('-R', '--', alias)).map(kmodName))].sort()
    },
  }
}

/** Asks one question of each, as many at once as there are processors. */
export async function forEach<Item>(
  items: readonly Item[],
  ask: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items.values()
  await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      // The iterator is shared: each takes the next.
      for (const item of rest) await ask(item)
    }),
  )
}
