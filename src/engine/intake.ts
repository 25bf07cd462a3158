/**
 * How content gets into the store: it is *staged* (written under a temporary name while it is hashed), and a
 * set of staged files is *committed*: synced together, then renamed to their names. Commits that come while
 * one is under way are done together, so that thousands of files cost one sync and not thousands.
 */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { copyFile, open, rm } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { executorPath } from './action.ts'
import { type Digest, digestOf } from './artifact.ts'
import { hashFile } from './hash.ts'
import type { Presence } from './presence.ts'
import { forEachAtMost } from './slots.ts'
import { blobPath, contentTimeSeconds, hasBlob, moveIntoPlace, type Store, temporaryPath } from './store.ts'

export interface Staged {
  readonly digest: Digest
  /** Where the content waits, or undefined when the store has it already. */
  readonly path: string | undefined
}

export interface Intake {
  stageBytes(content: Uint8Array): Staged
  stageStream(content: AsyncIterable<Uint8Array>): Promise<Staged>
  /** With `adopt`, the file itself may become the blob: nobody else can have it open, and it is moved. */
  stageFile(path: string, sizeBytes: number, adopt: boolean): Promise<Staged>
  /** When it resolves, all are in the store. */
  commit(staged: readonly Staged[]): Promise<void>
}

/** Up to here a file is handled in one piece, which is many times faster than a stream. */
const inOnePieceBytes = 256 * 1024

/** Above this many files one `sync` of the file system costs less than an `fsync` of each. */
const separateSyncs = 64

/** After this many files the event loop gets a turn. */
const filesPerTurn = 64

export function createIntake(store: Store, watcher: Pick<Presence, 'beforeCommit' | 'afterCommit'>): Intake {
  let queue: { staged: readonly Staged[]; resolve: () => void; reject: (error: unknown) => void }[] = []
  let committing = false

  async function commitQueue(): Promise<void> {
    committing = true
    while (queue.length > 0) {
      const batch = queue
      queue = []
      try {
        await commitAll(batch.flatMap(({ staged }) => staged))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    committing = false
  }

  async function commitAll(staged: readonly Staged[]): Promise<void> {
    const waiting = staged.filter((item): item is Staged & { path: string } => item.path !== undefined)
    await syncFiles(
      store.folder,
      waiting.map(({ path }) => path),
    )
    watcher.beforeCommit()
    for (const [index, { path, digest }] of waiting.entries()) {
      if (index % filesPerTurn === filesPerTurn - 1) await setImmediate()
      moveIntoPlace(path, blobPath(store, digest.sha256))
    }
    watcher.afterCommit(waiting.map(({ digest }) => digest))
  }

  function stageBytes(content: Uint8Array): Staged {
    const digest = digestOf(content)
    if (hasBlob(store, digest)) return { digest, path: undefined }
    const path = temporaryPath(store)
    const descriptor = openSync(path, 'wx', 0o600)
    try {
      for (let written = 0; written < content.length; ) {
        written += writeSync(descriptor, content, written, content.length - written)
      }
      fchmodSync(descriptor, 0o444)
      futimesSync(descriptor, contentTimeSeconds, contentTimeSeconds)
    } catch (error) {
      rmSync(path, { force: true })
      throw error
    } finally {
      closeSync(descriptor)
    }
    return { digest, path }
  }

  async function stageStream(content: AsyncIterable<Uint8Array>): Promise<Staged> {
    const path = temporaryPath(store)
    const hash = createHash('sha256')
    let sizeBytes = 0
    try {
      const file = await open(path, 'wx', 0o600)
      try {
        for await (const chunk of content) {
          hash.update(chunk)
          sizeBytes += chunk.length
          await file.writeFile(chunk)
        }
        await file.chmod(0o444)
        await file.utimes(contentTimeSeconds, contentTimeSeconds)
      } finally {
        await file.close()
      }
    } catch (error) {
      await rm(path, { force: true })
      throw error
    }
    return settle({ sha256: hash.digest('hex'), sizeBytes }, path)
  }

  async function settle(digest: Digest, path: string): Promise<Staged> {
    if (!hasBlob(store, digest)) return { digest, path }
    await rm(path, { force: true })
    return { digest, path: undefined }
  }

  async function stageFile(path: string, sizeBytes: number, adopt: boolean): Promise<Staged> {
    const small = sizeBytes <= inOnePieceBytes
    if (adopt) {
      const digest = small ? digestOf(readFileSync(path)) : await hashFile(path)
      if (hasBlob(store, digest)) return { digest, path: undefined }
      const staged = temporaryPath(store)
      renameSync(path, staged)
      seal(staged)
      return { digest, path: staged }
    }
    if (small) return stageBytes(readFileSync(path))
    const digest = await hashFile(path)
    if (hasBlob(store, digest)) return { digest, path: undefined }
    // A clone where the file system can share blocks. What counts is the hash of the copy: the original may
    // change under us.
    const staged = temporaryPath(store)
    try {
      await copyFile(path, staged, constants.COPYFILE_FICLONE)
      seal(staged)
      return settle(await hashFile(staged), staged)
    } catch (error) {
      await rm(staged, { force: true })
      throw error
    }
  }

  return {
    stageBytes,
    stageStream,
    stageFile,
    commit(staged) {
      if (staged.every(({ path }) => path === undefined)) return Promise.resolve()
      return new Promise((resolve, reject) => {
        queue.push({ staged, resolve, reject })
        if (!committing) void commitQueue()
      })
    },
  }
}

/** Mode and time of a blob. */
function seal(path: string): void {
  chmodSync(path, 0o444)
  utimesSync(path, contentTimeSeconds, contentTimeSeconds)
}

async function syncFiles(folder: string, paths: readonly string[]): Promise<void> {
  if (paths.length > separateSyncs && (await syncFileSystem(folder))) return
  await forEachAtMost(16, paths, async (path) => {
    const file = await open(path, 'r')
    try {
      await file.sync()
    } finally {
      await file.close()
    }
  })
}

/** syncfs(2) through coreutils, since Node has no call for it; false when that did not work. */
async function syncFileSystem(folder: string): Promise<boolean> {
  const { spawn } = await import('node:child_process')
  return new Promise((resolve) => {
    const child = spawn('sync', ['-f', folder], { stdio: 'ignore', env: { PATH: executorPath } })
    child.on('error', () => resolve(false))
    child.on('exit', (code) => resolve(code === 0))
  })
}
