/** Artifacts out of the store into the user's folders. */
import { randomBytes } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import type { Artifact } from './artifact.ts'
import { diskFailure } from './failure.ts'
import { exportedCopy, materialize } from './materialize.ts'
import { identityIn, isAlive, ownIdentity } from './process-identity.ts'
import { removeFolder, type Store } from './store.ts'
import type { DirectoryReader } from './tree.ts'

/**
 * The destination is replaced as a whole: by one `rename`, except that a folder which replaces a folder with
 * something in it takes two, since Linux has no other way that Node could call; in between it is absent.
 */
export async function exportArtifact(
  store: Store,
  read: DirectoryReader,
  artifact: Artifact,
  destination: string,
): Promise<void> {
  const target = resolve(destination)
  const folder = dirname(target)
  const prefix = `.${basename(target)}.firmwright-`
  const temporary = `${folder}/${prefix}${ownIdentity()}-${randomBytes(4).toString('hex')}`
  try {
    mkdirSync(folder, { recursive: true })
    removeLeftovers(folder, prefix)
    await materialize(store, read, artifact, temporary, exportedCopy)
    if (artifact.kind === 'tree' || lstatSync(target, { throwIfNoEntry: false })?.isDirectory()) {
      swap(temporary, target)
    } else renameSync(temporary, target)
  } catch (error) {
    removeFolder(temporary)
    throw diskFailure(error, 'The folder', folder)
  }
}

/** What processes that died while they exported to the same place have left. */
function removeLeftovers(folder: string, prefix: string): void {
  for (const name of readdirSync(folder)) {
    const identity = name.startsWith(prefix) ? identityIn(name.slice(prefix.length)) : undefined
    if (identity !== undefined && !isAlive(identity)) removeFolder(`${folder}/${name}`)
  }
}

function swap(temporary: string, target: string): void {
  const aside = `${temporary}.old`
  const present = lstatSync(target, { throwIfNoEntry: false }) !== undefined
  if (present) renameSync(target, aside)
  renameSync(temporary, target)
  if (present) removeFolder(aside)
}
