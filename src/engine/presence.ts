/**
 * Whether artifacts are in the store as a whole. A result counts only if they are, so this is asked for
 * every cached result; a tree may have tens of thousands of files. Each folder of blobs is listed once and
 * again only when its modification time has changed, and a tree found whole is remembered until then.
 */
import { readdirSync, statSync } from 'node:fs'
import type { Artifact, Digest } from './artifact.ts'
import { hasBlob, type Store } from './store.ts'
import type { DirectoryReader } from './tree.ts'

export interface Presence {
  isWhole(artifact: Artifact): boolean
  /** To be called when something was put into the store. */
  changed(): void
}

/** For this long a look at the folders is good enough, unless the store is known to have changed. */
const trustedMs = 20

interface Shard {
  readonly state: string
  readonly names: ReadonlySet<string>
}

export function createPresence(store: Store, read: DirectoryReader): Presence {
  const shards = new Map<string, Shard>()
  /** Trees known to be whole while the folders of blobs are in `wholeState`. */
  let whole = new Set<string>()
  let wholeState = ''
  let refreshed = Number.NEGATIVE_INFINITY

  function shardState(shard: string): string {
    const stat = statSync(`${store.folder}/blobs/${shard}`, { throwIfNoEntry: false })
    return stat === undefined ? 'absent' : `${stat.ino}:${stat.mtimeMs}`
  }

  function refresh(): void {
    const now = performance.now()
    if (now - refreshed < trustedMs) return
    refreshed = now
    const states: string[] = []
    for (let index = 0; index < 256; index++) {
      const shard = index.toString(16).padStart(2, '0')
      const state = shardState(shard)
      states.push(state)
      if (shards.get(shard)?.state === state) continue
      const names = state === 'absent' ? [] : readdirSync(`${store.folder}/blobs/${shard}`)
      shards.set(shard, { state, names: new Set(names) })
    }
    const joined = states.join(' ')
    if (joined !== wholeState) {
      whole = new Set()
      wholeState = joined
    }
  }

  function isListed({ sha256 }: Digest): boolean {
    return shards.get(sha256.slice(0, 2))?.names.has(sha256) ?? false
  }

  function isTreeWhole(digest: Digest): boolean {
    if (whole.has(digest.sha256)) return true
    if (!isListed(digest)) return false
    const directory = read(digest)
    if (directory === undefined) return false
    if (!directory.files.every((file) => isListed(file.digest))) return false
    if (!directory.directories.every((child) => isTreeWhole(child.digest))) return false
    whole.add(digest.sha256)
    return true
  }

  return {
    isWhole(artifact) {
      if (artifact.kind === 'file') return hasBlob(store, artifact.digest)
      refresh()
      return isTreeWhole(artifact.digest)
    },
    changed() {
      refreshed = Number.NEGATIVE_INFINITY
    },
  }
}
