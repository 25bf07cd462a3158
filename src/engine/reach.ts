/** What is needed to keep a set of artifacts and results whole. */
import type { Artifact, Digest } from './artifact.ts'
import { artifactsOf, readRecord } from './record.ts'
import type { DirectoryReader } from './tree.ts'

export interface Reach {
  /** SHA-256 of blobs: content of files, and the messages of trees. */
  readonly blobs: ReadonlySet<string>
  /** Keys, of results that exist. */
  readonly results: ReadonlySet<string>
}

/** Follows results to the results that they asked for, and everything to its blobs. */
export function reachFrom(
  folder: string,
  read: DirectoryReader,
  artifacts: Iterable<Artifact>,
  keys: Iterable<string>,
): Reach {
  const blobs = new Set<string>()
  const trees = new Set<string>()
  const results = new Set<string>()

  function addTree(digest: Digest): void {
    if (trees.has(digest.sha256)) return
    trees.add(digest.sha256)
    blobs.add(digest.sha256)
    const directory = read(digest)
    for (const file of directory?.files ?? []) blobs.add(file.digest.sha256)
    for (const child of directory?.directories ?? []) addTree(child.digest)
  }

  function add(artifact: Artifact): void {
    if (artifact.kind === 'tree') addTree(artifact.digest)
    else blobs.add(artifact.digest.sha256)
  }

  for (const artifact of artifacts) add(artifact)
  const waiting = [...keys]
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    if (results.has(key)) continue
    const record = readRecord(folder, key)
    if (record === undefined) continue
    results.add(key)
    for (const artifact of artifactsOf(record)) add(artifact)
    waiting.push(...record.builds)
  }
  return { blobs, results }
}
