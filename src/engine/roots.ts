/**
 * Files on disk that keep results alive. A root says which file, its SHA-256, and everything that it refers
 * to; it counts as long as the file is there with these bytes.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { type Artifact, type Digest, isArtifact } from './artifact.ts'
import { errorCode } from './failure.ts'
import { hashFile } from './hash.ts'
import { sealedJson, unsealJson, writeDurably } from './record.ts'
import type { Store } from './store.ts'

export interface Root {
  /** Absolute path of the file. */
  readonly path: string
  readonly sha256: string
  readonly artifacts: readonly Artifact[]
  /** Keys. */
  readonly results: readonly string[]
}

export async function writeRoot(
  store: Store,
  path: string,
  artifacts: readonly Artifact[],
  results: readonly string[],
): Promise<void> {
  const { sha256 } = await hashFile(path)
  const name = createHash('sha256').update(path).digest('hex')
  const root: Root = { path, sha256, artifacts, results }
  writeDurably(store, `${store.folder}/roots/${name}`, sealedJson(root))
}

/** All roots by file name in roots/; undefined for one that cannot be read. */
export function readRoots(folder: string): ReadonlyMap<string, Root | undefined> {
  const roots = new Map<string, Root | undefined>()
  for (const name of readdirSync(`${folder}/roots`).sort()) {
    roots.set(name, parseRoot(readFileSync(`${folder}/roots/${name}`, 'utf8')))
  }
  return roots
}

function parseRoot(text: string): Root | undefined {
  const root = unsealJson(text) as Root | undefined
  return Array.isArray(root?.artifacts) && root.artifacts.every(isArtifact) ? root : undefined
}

/** Whether the file is still what the root was made for. */
export async function isStanding(root: Root): Promise<boolean> {
  let found: Digest
  try {
    found = await hashFile(root.path)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return false
    throw error
  }
  return found.sha256 === root.sha256
}
