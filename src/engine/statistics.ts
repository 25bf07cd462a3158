/** How much is in a store. */
import { resolve } from 'node:path'
import { listSharded, type Weight, weigh, weighFolder } from './contents.ts'
import { diskFailure } from './failure.ts'
import { weighKept } from './kept.ts'
import { isStanding, readRoots } from './roots.ts'
import { openStoreFolder } from './store.ts'

export interface StoreStatistics {
  readonly folder: string
  readonly blobs: Weight
  readonly executables: Weight
  readonly results: Weight
  readonly logs: Weight
  /** Unfinished work, of living processes and dead ones. */
  readonly temporary: Weight
  /** What commands have left for the next run of their kind. */
  readonly work: Weight
  readonly totalBytes: number
  /** Files that keep results alive; `standing` is false when the file is gone or has changed since. */
  readonly roots: readonly { readonly path: string; readonly standing: boolean }[]
}

/** Looks only. Throws a `UserError` when there is no store. */
export async function storeStatistics(options: { readonly storeFolder: string }): Promise<StoreStatistics> {
  const folder = resolve(options.storeFolder)
  openStoreFolder(folder)
  try {
    const blobs = weigh(listSharded(folder, 'blobs').files)
    const executables = weigh(listSharded(folder, 'executables').files)
    const results = weigh(listSharded(folder, 'results').files)
    const logs = weighFolder(`${folder}/logs`)
    const temporary = weighFolder(`${folder}/tmp`)
    const work = weighKept(folder)
    const roots = []
    for (const root of readRoots(folder).values()) {
      if (root !== undefined) roots.push({ path: root.path, standing: await isStanding(root) })
    }
    const all = [blobs, executables, results, logs, temporary, work]
    const totalBytes = all.reduce((sum, { bytes }) => sum + bytes, 0)
    return { folder, blobs, executables, results, logs, temporary, work, totalBytes, roots }
  } catch (error) {
    throw diskFailure(error, 'The store', folder)
  }
}
