/** Artifacts as files and folders on a disk. */
import {
  chmodSync,
  constants,
  copyFileSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import type { Artifact, Digest, FileArtifact } from './artifact.ts'
import { errorCode } from './failure.ts'
import { blobPath, contentTimeSeconds, ensureExecutable, type Store } from './store.ts'
import { type DirectoryReader, readWhole } from './tree.ts'

export interface Placement {
  /**
   * `link`: hard links to the store's own files; only for a folder that nobody can write through.
   * `copy`: copies, sharing blocks where the file system can.
   */
  readonly how: 'link' | 'copy'
  /** Mode of files that are not executable and of those that are, for copies. */
  readonly modes: readonly [number, number]
  /** Gives everything the fixed time of content; otherwise the time is now. */
  readonly fixedTime: boolean
}

/** A copy that a command may see but has no business changing. */
export const inputCopy: Placement = { how: 'copy', modes: [0o444, 0o555], fixedTime: true }

/** What a user finds in an output folder. */
export const exportedCopy: Placement = { how: 'copy', modes: [0o644, 0o755], fixedTime: false }

/** For a folder that is bound read-only into a sandbox. */
export const sharedView: Placement = { how: 'link', modes: [0o444, 0o555], fixedTime: true }

const filesPerTurn = 64

/** A file above this is copied in the background, so that the event loop does not wait for it. */
const largeBytes = 1024 * 1024

/** Places an artifact at a path that does not exist yet; its parent must. */
export async function materialize(
  store: Store,
  read: DirectoryReader,
  artifact: Artifact,
  destination: string,
  placement: Placement,
): Promise<void> {
  let turn = 0

  async function placeFile(file: Pick<FileArtifact, 'digest' | 'executable'>, path: string): Promise<void> {
    if (++turn % filesPerTurn === 0) await setImmediate()
    if (placement.how === 'link' && placeLink(store, file, path)) return
    const source = blobPath(store, file.digest.sha256)
    if (file.digest.sizeBytes > largeBytes) await copyFile(source, path, constants.COPYFILE_FICLONE)
    else copyFileSync(source, path, constants.COPYFILE_FICLONE)
    chmodSync(path, placement.modes[file.executable ? 1 : 0])
    if (placement.fixedTime) utimesSync(path, contentTimeSeconds, contentTimeSeconds)
  }

  async function placeFolder(digest: Digest, path: string): Promise<void> {
    const directory = readWhole(read, digest)
    mkdirSync(path)
    chmodSync(path, 0o755)
    for (const file of directory.files) await placeFile(file, `${path}/${file.name}`)
    for (const child of directory.directories) await placeFolder(child.digest, `${path}/${child.name}`)
    for (const { name, target } of directory.symlinks) {
      symlinkSync(target, `${path}/${name}`)
      if (placement.fixedTime) lutimesSync(`${path}/${name}`, contentTimeSeconds, contentTimeSeconds)
    }
    if (placement.fixedTime) utimesSync(path, contentTimeSeconds, contentTimeSeconds)
  }

  if (artifact.kind === 'tree') await placeFolder(artifact.digest, destination)
  else await placeFile(artifact, destination)
}

/** False when there may be no further link: too many already, or the store's files are another user's. */
function placeLink(store: Store, file: Pick<FileArtifact, 'digest' | 'executable'>, path: string): boolean {
  const source = file.executable
    ? ensureExecutable(store, file.digest.sha256)
    : blobPath(store, file.digest.sha256)
  try {
    linkSync(source, path)
    return true
  } catch (error) {
    if (['EMLINK', 'EPERM', 'EXDEV'].includes(errorCode(error) ?? '')) return false
    throw error
  }
}
