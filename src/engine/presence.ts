/**
 * Whether artifacts are in the store as a whole. A result counts only if they are, so this is asked for
 * every cached result, and a tree may have tens of thousands of files.
 *
 * So a tree that was found whole is remembered, in cache/trees from one process to the next, together with
 * the state (inode and modification time) of all folders of blobs. As long as these are unchanged nothing
 * can have gone. Where one has changed it is listed, and only if a name has gone is everything looked at
 * again.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import type { Artifact, Digest } from './artifact.ts'
import { sealedJson, unsealJson, writeDurably } from './record.ts'
import { hasBlob, type Store } from './store.ts'
import type { DirectoryReader } from './tree.ts'

export interface Presence {
  isWhole(artifact: Artifact): boolean
  /** To be called before content is put into the store. */
  beforeCommit(): void
  /** To be called when it has been. */
  afterCommit(digests: readonly Digest[]): void
  /** Writes down what is known to be whole, for the next process. */
  save(): void
}

interface Shard {
  readonly state: string
  /** Undefined until the folder had to be listed. */
  readonly names: Set<string> | undefined
}

interface Cache {
  readonly version: 1
  readonly state: string
  readonly trees: readonly string[]
}

/** For this long a look at the folders is good enough. */
const trustedMs = 20

const shardNames = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, '0'))

export function createPresence(store: Store, read: DirectoryReader): Presence {
  const cachePath = `${store.folder}/cache/trees`
  const shards = new Map<string, Shard>()
  /** Trees known to be whole, with all trees inside them. */
  const whole = new Set<string>()
  /** Those among them that somebody has asked for. */
  const asked = new Set<string>()
  /** How often everything had to be forgotten. */
  let forgotten = 0
  let lookedAt = Number.NEGATIVE_INFINITY
  let written = ''

  function stateOf(shard: string): string {
    const stat = statSync(`${store.folder}/blobs/${shard}`, { throwIfNoEntry: false })
    return stat === undefined ? 'absent' : `${stat.ino}:${stat.mtimeMs}`
  }

  /** Lists a folder unless that was done and it has not changed since. */
  function list(shard: string): ReadonlySet<string> {
    const state = stateOf(shard)
    const known = shards.get(shard)
    if (known?.names !== undefined && known.state === state) return known.names
    const names = new Set(state === 'absent' ? [] : readdirSync(`${store.folder}/blobs/${shard}`))
    shards.set(shard, { state, names })
    const onlyAdded = known?.names !== undefined && [...known.names].every((name) => names.has(name))
    if (known !== undefined && known.state !== state && !onlyAdded) forget()
    return names
  }

  function forget(): void {
    whole.clear()
    asked.clear()
    forgotten++
  }

  function look(): void {
    const now = performance.now()
    if (now - lookedAt < trustedMs) return
    const first = shards.size === 0
    lookedAt = now
    for (const shard of shardNames) {
      const known = shards.get(shard)
      if (known === undefined) shards.set(shard, { state: stateOf(shard), names: undefined })
      else if (known.state !== stateOf(shard)) list(shard)
    }
    if (first) load()
  }

  function joinedState(): string {
    const states = shardNames.map((shard) => shards.get(shard)?.state)
    return createHash('sha256').update(states.join(' ')).digest('hex')
  }

  /** Whatever is wrong with the cache, the answer is to do without it. */
  function load(): void {
    try {
      const text = readFileSync(cachePath, 'utf8')
      const cache = unsealJson(text) as Cache | undefined
      if (cache?.version !== 1 || cache.state !== joinedState()) return
      for (const sha256 of cache.trees) {
        whole.add(sha256)
        asked.add(sha256)
      }
      written = text
    } catch {}
  }

  function isListed({ sha256 }: Digest): boolean {
    const shard = sha256.slice(0, 2)
    return (shards.get(shard)?.names ?? list(shard)).has(sha256)
  }

  function isTreeWhole(digest: Digest): boolean {
    if (whole.has(digest.sha256)) return true
    const directory = isListed(digest) ? read(digest) : undefined
    if (directory === undefined) return false
    if (!directory.files.every((file) => isListed(file.digest))) return false
    if (!directory.directories.every((child) => isTreeWhole(child.digest))) return false
    whole.add(digest.sha256)
    return true
  }

  return {
    isWhole(artifact) {
      if (artifact.kind === 'file') return hasBlob(store, artifact.digest)
      look()
      let before: number
      let found: boolean
      do {
        before = forgotten
        found = isTreeWhole(artifact.digest)
        // Something has gone while we looked, so what was remembered about its parts may be wrong.
      } while (forgotten !== before)
      if (!found) return false
      asked.add(artifact.digest.sha256)
      return true
    },
    beforeCommit() {
      // From here on the folders change; to tell additions from removals they must have been listed.
      if (whole.size === 0) return
      for (const [shard, { names }] of shards) if (names === undefined) list(shard)
    },
    afterCommit(digests) {
      // Modification times are as coarse as the kernel's clock tick: a folder that was listed in the same
      // tick would look unchanged.
      for (const { sha256 } of digests) shards.get(sha256.slice(0, 2))?.names?.add(sha256)
    },
    save() {
      if (asked.size === 0) return
      lookedAt = Number.NEGATIVE_INFINITY
      look()
      const cache: Cache = { version: 1, state: joinedState(), trees: [...asked].sort() }
      const text = sealedJson(cache)
      if (text !== written) writeDurably(store, cachePath, text)
      written = text
    },
  }
}
