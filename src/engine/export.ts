/** Artifacts out of the store into the user's folders. */
import { randomBytes } from 'node:crypto'
import { lstatSync, mkdirSync, renameSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import type { Artifact } from './artifact.ts'
import { diskFailure } from './failure.ts'
import { exportedCopy, materialize } from './materialize.ts'
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
  const temporary = `${folder}/.${basename(target)}.${randomBytes(6).toString('hex')}`
  try {
    mkdirSync(folder, { recursive: true })
    await materialize(store, read, artifact, temporary, exportedCopy)
    if (artifact.kind === 'tree' || lstatSync(target, { throwIfNoEntry: false })?.isDirectory()) {
      swap(temporary, target)
    } else renameSync(temporary, target)
  } catch (error) {
    removeFolder(temporary)
    throw diskFailure(error, 'The folder', folder)
  }
}

function swap(temporary: string, target: string): void {
  const aside = `${temporary}.old`
  const present = lstatSync(target, { throwIfNoEntry: false }) !== undefined
  if (present) renameSync(target, aside)
  renameSync(temporary, target)
  if (present) removeFolder(aside)
}
