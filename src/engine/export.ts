/** Artifacts out of the store into the user's folders. */
import { createHash } from 'node:crypto'
import { createReadStream, lstatSync, readdirSync, renameSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Artifact, FileArtifact } from './artifact.ts'
import { diskFailure, errorCode } from './failure.ts'
import { makeFolder } from './folder.ts'
import { exportedCopy, materialize } from './materialize.ts'
import { ownerOf, ownName } from './ownership.ts'
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
  const temporary = `${folder}/${ownName(prefix)}`
  try {
    if (artifact.kind === 'file' && (await isThere(artifact, target))) return
    makeFolder(folder)
    removeLeftovers(folder, prefix)
    await materialize(store, read, artifact, temporary, exportedCopy)
    if (artifact.kind === 'tree' || lstatSync(target, { throwIfNoEntry: false })?.isDirectory()) {
      swap(temporary, target)
    } else renameSync(temporary, target)
  } catch (error) {
    if (errorCode(error) !== 'ENOTDIR') removeFolder(temporary)
    throw diskFailure(error, 'The folder', folder)
  }
}

/** Whether the file is there with these bytes already: reading it costs a fraction of writing it. */
async function isThere({ digest, executable }: FileArtifact, target: string): Promise<boolean> {
  const present = lstatSync(target, { throwIfNoEntry: false })
  if (!present?.isFile() || present.size !== digest.sizeBytes) return false
  if ((present.mode & 0o777) !== (executable ? 0o755 : 0o644)) return false
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(target, { highWaterMark: 1 << 20 }), hash)
  } catch {
    return false
  }
  return hash.digest('hex') === digest.sha256
}

/** What processes that died while they exported to the same place have left. */
function removeLeftovers(folder: string, prefix: string): void {
  for (const name of readdirSync(folder)) {
    if (ownerOf(folder, name, prefix) === 'gone') removeFolder(`${folder}/${name}`)
  }
}

function swap(temporary: string, target: string): void {
  const aside = `${temporary}.old`
  const present = lstatSync(target, { throwIfNoEntry: false }) !== undefined
  if (present) renameSync(target, aside)
  renameSync(temporary, target)
  if (present) removeFolder(aside)
}
