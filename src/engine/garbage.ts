/** Removing what no output on disk refers to. */
import { rmSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Artifact } from './artifact.ts'
import { listSharded, type StoredFile, type Weight, weigh, weighFolder } from './contents.ts'
import { diskFailure } from './failure.ts'
import { removeKept } from './kept.ts'
import { takeExclusiveLease } from './lease.ts'
import { reachFrom } from './reach.ts'
import { isStanding, readRoots } from './roots.ts'
import { abandonedFolders, emptyFolder, openStoreFolder, removeFolder } from './store.ts'
import { createDirectoryReader } from './tree.ts'

export interface GarbageReport {
  readonly removed: {
    readonly blobs: Weight
    readonly executables: Weight
    readonly results: Weight
    /** Logs of failed commands. */
    readonly logs: Weight
    /** What processes that died have left. */
    readonly temporary: Weight
    /** What commands had left for the next run of their kind. */
    readonly work: Weight
    /** Roots whose file is gone or has changed. */
    readonly roots: number
  }
  readonly freedBytes: number
  readonly kept: {
    readonly blobs: Weight
    readonly executables: Weight
    readonly results: Weight
    /** The files whose results are kept. */
    readonly roots: readonly string[]
  }
}

/**
 * Keeps what the files given to `Engine.keep` refer to, as long as they are on disk with the same bytes;
 * removes the rest. Throws a `UserError` when a living process has the store open; engines that open while
 * this runs wait. If it dies half-way the store is right, only not yet small.
 */
export async function collectGarbage(options: { readonly storeFolder: string }): Promise<GarbageReport> {
  const folder = resolve(options.storeFolder)
  openStoreFolder(folder)
  try {
    const lease = await takeExclusiveLease(folder, 'collecting garbage')
    try {
      return await collect(folder)
    } finally {
      lease.release()
    }
  } catch (error) {
    throw diskFailure(error, 'The store', folder)
  }
}

async function collect(folder: string): Promise<GarbageReport> {
  let rootsRemoved = 0
  const standing: string[] = []
  const artifacts: Artifact[] = []
  const keys: string[] = []
  for (const [name, root] of readRoots(folder)) {
    if (root === undefined || !(await isStanding(root))) {
      rmSync(`${folder}/roots/${name}`, { force: true })
      rootsRemoved++
      continue
    }
    standing.push(root.path)
    artifacts.push(...root.artifacts)
    keys.push(...root.results)
  }
  const reach = reachFrom(folder, createDirectoryReader({ folder }), artifacts, keys)

  function sweep(kind: 'blobs' | 'executables' | 'results', keep: ReadonlySet<string>) {
    const kept: StoredFile[] = []
    const gone: StoredFile[] = []
    for (const file of listSharded(folder, kind).files) (keep.has(file.name) ? kept : gone).push(file)
    for (const { path } of gone) rmSync(path, { force: true })
    return { kept: weigh(kept), gone: weigh(gone) }
  }

  // Results first: at no instant does one refer to a blob that this has removed.
  const results = sweep('results', reach.results)
  const executables = sweep('executables', reach.blobs)
  const blobs = sweep('blobs', reach.blobs)
  const logs = weighFolder(`${folder}/logs`)
  emptyFolder(`${folder}/logs`)
  let temporary: Weight = { count: 0, bytes: 0 }
  for (const name of abandonedFolders(folder)) {
    const { count, bytes } = weighFolder(`${folder}/tmp/${name}`)
    temporary = { count: temporary.count + count, bytes: temporary.bytes + bytes }
    removeFolder(`${folder}/tmp/${name}`)
  }
  const work = removeKept(folder)
  const gone = [blobs.gone, executables.gone, results.gone, logs, temporary, work]
  return {
    removed: {
      blobs: blobs.gone,
      executables: executables.gone,
      results: results.gone,
      logs,
      temporary,
      work,
      roots: rootsRemoved,
    },
    freedBytes: gone.reduce((sum, { bytes }) => sum + bytes, 0),
    kept: { blobs: blobs.kept, executables: executables.kept, results: results.kept, roots: standing },
  }
}
