/** Proving that a store holds what its names say. */
import { chmodSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import type { Artifact, Digest } from './artifact.ts'
import { listSharded, type StoredFile } from './contents.ts'
import { diskFailure, errorCode } from './failure.ts'
import { sha256OfFile } from './hash.ts'
import { type Lease, takeExclusiveLease, takeSharedLease } from './lease.ts'
import { artifactsOf, parseRecord, type ResultRecord } from './record.ts'
import { readRoots } from './roots.ts'
import { forEachAtMost } from './slots.ts'
import { openStoreFolder, storeNames } from './store.ts'
import { createDirectoryReader } from './tree.ts'

/** `repaired`: it was wrong, and no longer is. */
export type StoreProblem = {
  readonly path: string
  readonly message: string
  readonly repaired: boolean
} & (
  | { readonly type: 'content-changed' }
  | { readonly type: 'content-unreadable' }
  | { readonly type: 'wrong-mode'; readonly mode: number; readonly expected: number }
  /** A tree that a result or a root refers to lacks this file or folder. */
  | { readonly type: 'tree-incomplete'; readonly missing: string }
  | { readonly type: 'result-damaged' }
  | { readonly type: 'result-incomplete'; readonly missing: string }
  | { readonly type: 'root-damaged' }
  | { readonly type: 'root-incomplete'; readonly missing: string }
  | { readonly type: 'stray' }
)

export interface VerifyReport {
  readonly problems: readonly StoreProblem[]
  readonly checked: {
    readonly blobs: number
    readonly bytes: number
    readonly results: number
    readonly roots: number
  }
}

export interface VerifyOptions {
  readonly storeFolder: string
  /**
   * Removes damaged content and the results that refer to it, so that the next build makes them again, and
   * sets modes right. Files that the store did not make are reported and left alone.
   */
  readonly repair?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void
}

/** Reads every byte of the store. With `repair`, throws a `UserError` while a process has the store open. */
export async function verifyStore(options: VerifyOptions): Promise<VerifyReport> {
  const folder = resolve(options.storeFolder)
  openStoreFolder(folder)
  try {
    const lease = await (options.repair === true
      ? takeExclusiveLease(folder, 'repairing it')
      : leaseForLooking(folder, options.signal))
    try {
      return await verify(folder, options)
    } finally {
      lease?.release()
    }
  } catch (error) {
    throw diskFailure(error, 'The store', folder)
  }
}

/** None where nothing can be written: then nobody can collect garbage either. */
async function leaseForLooking(folder: string, signal: AbortSignal | undefined): Promise<Lease | undefined> {
  try {
    return await takeSharedLease(folder, signal)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') return undefined
    throw error
  }
}

async function verify(folder: string, options: VerifyOptions): Promise<VerifyReport> {
  const repair = options.repair === true
  const problems: StoreProblem[] = []
  const blobs = listSharded(folder, 'blobs')
  const executables = listSharded(folder, 'executables')
  const results = listSharded(folder, 'results')

  const content = [
    ...blobs.files.map((file) => ({ ...file, expected: 0o444 })),
    ...executables.files.map((file) => ({ ...file, expected: 0o555 })),
  ]
  const bad = await checkContent(content, problems, options)

  const missing = createMissing(folder, blobs.files, bad)
  for (const { path, name } of results.files) {
    const record = readResult(path, name)
    const lost = record === undefined ? undefined : missing(artifactsOf(record))
    if (record !== undefined && lost === undefined) continue
    if (repair) rmSync(path, { force: true })
    problems.push(
      record === undefined
        ? { type: 'result-damaged', path, message: `${path} is not as it was written`, repaired: repair }
        : {
            type: 'result-incomplete',
            path,
            missing: lost ?? '',
            message: `the result of ${record.name} refers to ${lost}, which is missing or damaged`,
            repaired: repair,
          },
    )
  }

  const roots = readRoots(folder)
  for (const [name, root] of roots) {
    const path = `${folder}/roots/${name}`
    const lost = root === undefined ? undefined : missing(root.artifacts)
    if (root !== undefined && lost === undefined) continue
    if (root === undefined) {
      if (repair) rmSync(path, { force: true })
      problems.push({
        type: 'root-damaged',
        path,
        message: `${path} is not as it was written`,
        repaired: repair,
      })
    } else {
      // Not repaired by removing it: the root still protects all the rest. A build makes what is missing.
      problems.push({
        type: 'root-incomplete',
        path,
        missing: lost ?? '',
        message: `${root.path} refers to ${lost}, which is missing or damaged; building it again makes it anew`,
        repaired: false,
      })
    }
  }

  const foreign = readdirSync(folder)
    .filter((name) => !storeNames.includes(name))
    .map((name) => `${folder}/${name}`)
  for (const path of [...foreign, ...blobs.strays, ...executables.strays, ...results.strays]) {
    problems.push({ type: 'stray', path, message: `${path} is nothing that a store has`, repaired: false })
  }
  return {
    problems,
    checked: {
      blobs: blobs.files.length,
      bytes: content.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      results: results.files.length,
      roots: roots.size,
    },
  }
}

/** Of content that whoever put it there keeps from others on the machine: a key. */
const ownerOnly = 0o400

/** Rehashes everything; returns the SHA-256 of the blobs that are not what they should be. */
async function checkContent(
  content: readonly (StoredFile & { readonly expected: number })[],
  problems: StoreProblem[],
  { repair = false, signal, onProgress }: VerifyOptions,
): Promise<ReadonlySet<string>> {
  const bad = new Set<string>()
  const totalBytes = content.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  let doneBytes = 0
  await forEachAtMost(
    availableParallelism() * 2,
    content,
    async ({ path, name, sizeBytes, mode, expected }) => {
      signal?.throwIfAborted()
      const found = await sha256OfFile(path, sizeBytes).catch((error: unknown) => {
        const code = errorCode(error)
        if (code === undefined) throw error
        return code
      })
      if (found !== name) {
        if (expected === 0o444) bad.add(name)
        if (repair) rmSync(path, { force: true })
        const unreadable = found.length !== name.length
        problems.push({
          type: unreadable ? 'content-unreadable' : 'content-changed',
          path,
          message: unreadable ? `${path} cannot be read (${found})` : `${path} is not what its name says`,
          repaired: repair,
        })
      } else if (mode !== expected && !(expected === 0o444 && mode === ownerOnly)) {
        if (repair) chmodSync(path, expected)
        problems.push({
          type: 'wrong-mode',
          path,
          mode,
          expected,
          message: `${path} has mode ${mode.toString(8).padStart(4, '0')} instead of ${expected.toString(8).padStart(4, '0')}`,
          repaired: repair,
        })
      }
      doneBytes += sizeBytes
      onProgress?.(doneBytes, totalBytes)
    },
  )
  return bad
}

function readResult(path: string, key: string): ResultRecord | undefined {
  try {
    return parseRecord(readFileSync(path, 'utf8'), key)
  } catch {
    return undefined
  }
}

/** A function that names one blob that a list of artifacts lacks, or undefined when they are whole. */
function createMissing(folder: string, files: readonly StoredFile[], bad: ReadonlySet<string>) {
  const read = createDirectoryReader({ folder })
  const sizes = new Map(
    files.filter(({ name }) => !bad.has(name)).map(({ name, sizeBytes }) => [name, sizeBytes]),
  )
  const known = new Map<string, string | undefined>()

  function missingFile({ sha256, sizeBytes }: Digest): string | undefined {
    return sizes.get(sha256) === sizeBytes ? undefined : sha256
  }

  function missingInTree(digest: Digest): string | undefined {
    if (known.has(digest.sha256)) return known.get(digest.sha256)
    const directory = missingFile(digest) === undefined ? read(digest) : undefined
    let lost = directory === undefined ? digest.sha256 : undefined
    for (const file of directory?.files ?? []) lost ??= missingFile(file.digest)
    for (const child of directory?.directories ?? []) lost ??= missingInTree(child.digest)
    known.set(digest.sha256, lost)
    return lost
  }

  return (artifacts: readonly Artifact[]): string | undefined => {
    for (const { kind, digest } of artifacts) {
      const lost = kind === 'tree' ? missingInTree(digest) : missingFile(digest)
      if (lost !== undefined) return lost
    }
    return undefined
  }
}
