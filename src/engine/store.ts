/**
 * The folder where artifacts and results live.
 *
 *     format             the version of this layout
 *     blobs/ab/<sha256>  content, mode 0444, never changed
 *     executables/ab/…   copies of blobs with mode 0555, made when somebody needs to run one; a copy and not a
 *                        hard link, because the mode belongs to the inode
 *     results/ab/<key>   what a recipe gave (record.ts)
 *     roots/             files on disk that keep results alive (roots.ts)
 *     leases/            who has the store open (lease.ts)
 *     tmp/<process>-…/   work of one process, removed when it is gone
 *     logs/              output of commands that failed, the newest few
 *     cache/             what can be computed again: fingerprints of tools, trees known to be whole
 *     kept/<name>/       what commands left for the next run of their kind (kept.ts)
 *
 * Content appears under its name only by `rename` of a synced file, and a result only after the content it
 * refers to. So whatever instant a process dies at, names that exist are right. That the names of all
 * referred blobs reached the disk is not assumed: a result counts only while its blobs are present.
 */
import { randomBytes } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { UserError } from '../diagnostics/index.ts'
import { diskFailure, errorCode } from './failure.ts'
import { makeFolder } from './folder.ts'
import { ownerOf, ownName } from './ownership.ts'

/** Raised when an older Firmwright would misread the folder. */
const formatVersion = 1

/**
 * Modification time of all content, in seconds: 1980-01-01, the first day that every archive format can
 * write (ZIP begins there). Fixed, so that no command can see when an input was made.
 */
export const contentTimeSeconds = 315_532_800

export interface Store {
  readonly folder: string
  /** Folder of this process for unfinished work, on the same file system as the blobs. */
  readonly temporaryFolder: string
}

const storeFolders = [
  'blobs',
  'executables',
  'results',
  'roots',
  'leases',
  'tmp',
  'logs',
  'cache',
  'kept',
] as const

/** Names of everything at the top of a store. */
export const storeNames: readonly string[] = ['format', ...storeFolders]

export function blobPath(store: Pick<Store, 'folder'>, sha256: string): string {
  return `${store.folder}/blobs/${sha256.slice(0, 2)}/${sha256}`
}

function executablePath(store: Pick<Store, 'folder'>, sha256: string): string {
  return `${store.folder}/executables/${sha256.slice(0, 2)}/${sha256}`
}

export function resultPath(store: Pick<Store, 'folder'>, key: string): string {
  return `${store.folder}/results/${key.slice(0, 2)}/${key}`
}

/**
 * Gives a finished file its name below one of the sharded folders; the folder is made when it is the first.
 * In one system call, so the name shows either nothing or all of it.
 */
export function moveIntoPlace(temporary: string, path: string): void {
  try {
    renameSync(temporary, path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
    mkdirSync(dirname(path), { recursive: true })
    renameSync(temporary, path)
  }
}

/** A new name in the temporary folder of this process. */
export function temporaryPath(store: Store): string {
  return `${store.temporaryFolder}/${randomBytes(9).toString('hex')}`
}

/**
 * Throws a `UserError` unless `folder` is a store that this version understands. With `create`, a folder that
 * is absent or empty becomes one. A folder with anything else in it is left alone.
 */
function checkStore(folder: string, create: boolean): void {
  try {
    if (create) makeFolder(folder)
    const names = readdirSync(folder)
    if (readFormat(folder) !== undefined) return
    const foreign = names.find((name) => !name.startsWith(formatPrefix))
    // Another process may have made the store while we looked.
    if (foreign !== undefined && readFormat(folder) !== undefined) return
    if (foreign !== undefined || !create) {
      throw new UserError({
        what: `${folder} is not a store`,
        why: foreign === undefined ? 'it is empty' : `it holds other files (${foreign}) and no format file`,
        fix: 'choose an empty or a new folder for the store',
      })
    }
    const temporary = `${folder}/${ownName(formatPrefix)}`
    writeFileSync(temporary, `${formatVersion}\n`, { flush: true })
    renameSync(temporary, `${folder}/format`)
    for (const name of names) {
      // Left by a process that died right here.
      if (ownerOf(folder, name, formatPrefix) !== 'runs') rmSync(`${folder}/${name}`, { force: true })
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT' && !create) {
      throw new UserError({ what: `There is no store at ${folder}`, fix: 'a build makes it' })
    }
    throw diskFailure(error, 'The store', folder)
  }
}

const formatPrefix = '.format-'

/** The version, which is ours; undefined when there is none; a `UserError` for any other. */
function readFormat(folder: string): number | undefined {
  let text: string
  try {
    text = readFileSync(`${folder}/format`, 'utf8').trim()
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
  if (text === String(formatVersion)) return formatVersion
  if (/^\d+$/.test(text) && Number(text) > formatVersion) {
    throw new UserError({
      what: `The store ${folder} was made by a newer Firmwright`,
      why: `its format is version ${text}; this Firmwright knows version ${formatVersion}`,
      fix: 'update Firmwright, or choose another folder for the store',
    })
  }
  throw new UserError({
    what: `${folder} is not a store`,
    why: `${folder}/format does not hold a version`,
    fix: 'choose another folder for the store',
  })
}

/** For those who look after a store that exists: all its folders are there afterwards. */
export function openStoreFolder(folder: string): void {
  checkStore(folder, false)
  try {
    makeFolders(folder)
  } catch (error) {
    throw diskFailure(error, 'The store', folder)
  }
}

function makeFolders(folder: string): void {
  for (const name of storeFolders) mkdirSync(`${folder}/${name}`, { recursive: true })
}

/** Makes the folders of a store, and the temporary folder of this process in it. */
export function prepareStore(folder: string): Store {
  checkStore(folder, true)
  try {
    makeFolders(folder)
    accessSync(`${folder}/blobs`, constants.W_OK)
    const temporaryFolder = `${folder}/tmp/${ownName()}`
    mkdirSync(temporaryFolder)
    return { folder, temporaryFolder }
  } catch (error) {
    throw diskFailure(error, 'The store', folder)
  }
}

/** Names in tmp/ whose process is gone. */
export function abandonedFolders(folder: string): readonly string[] {
  return readdirSync(`${folder}/tmp`).filter((name) => ownerOf(`${folder}/tmp`, name) !== 'runs')
}

/** Removes what processes that are gone have left in tmp/. */
export function removeAbandoned(folder: string): void {
  for (const name of abandonedFolders(folder)) removeFolder(`${folder}/tmp/${name}`)
}

/** Removes a folder even where a command has left sub-folders without the right to write. */
export function removeFolder(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch (error) {
    if (errorCode(error) !== 'EACCES' && errorCode(error) !== 'EPERM') throw error
    makeWritable(path)
    rmSync(path, { recursive: true, force: true })
  }
}

/** Removes what is in a folder. */
export function emptyFolder(path: string): void {
  for (const name of readdirSync(path)) removeFolder(`${path}/${name}`)
}

function makeWritable(folder: string): void {
  chmodSync(folder, 0o700)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) makeWritable(`${folder}/${entry.name}`)
  }
}

/**
 * Path of a copy of a blob that may be executed; made when it does not exist yet. Synchronous, because a path
 * is asked for in the middle of building an argument list; tools are small.
 */
export function ensureExecutable(store: Store, sha256: string): string {
  const path = executablePath(store, sha256)
  if (existsSync(path)) return path
  const temporary = temporaryPath(store)
  copyFileSync(blobPath(store, sha256), temporary, constants.COPYFILE_FICLONE)
  chmodSync(temporary, 0o555)
  utimesSync(temporary, contentTimeSeconds, contentTimeSeconds)
  const descriptor = openSync(temporary, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  moveIntoPlace(temporary, path)
  return path
}

/** Whether a blob is there with the size that its digest says. */
export function hasBlob(
  store: Pick<Store, 'folder'>,
  digest: { sha256: string; sizeBytes: number },
): boolean {
  return statSync(blobPath(store, digest.sha256), { throwIfNoEntry: false })?.size === digest.sizeBytes
}
