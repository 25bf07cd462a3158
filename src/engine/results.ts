/** Knows what has been made, what is being made, and what this engine has had to do with. */
import { type Artifact, artifactsIn } from './artifact.ts'
import type { Presence } from './presence.ts'
import { type ResultRecord, readRecord, writeRecord } from './record.ts'
import type { StepReport, StepScope, Steps } from './steps.ts'
import type { Store } from './store.ts'

export interface Results {
  /**
   * The result for `key`: out of the store if it is there as a whole and `recall` accepts it, else from
   * `make`, which says what goes into the record. A request for what is under way waits for that.
   */
  obtain<T>(
    about: { readonly kind: 'command' | 'function'; readonly name: string; readonly key: string },
    recall: (record: ResultRecord) => T | undefined,
    make: (report: StepReport) => Promise<{ readonly result: T; readonly value: unknown }>,
  ): Promise<T>
  /** Notes that this engine has to do with an artifact; returns it. */
  use<A extends Artifact>(artifact: A): A
  readonly usedArtifacts: () => readonly Artifact[]
  /** Keys, sorted. */
  readonly usedResults: () => readonly string[]
  /** Resolves when nothing is under way. */
  settled(): Promise<void>
}

export function createResults(store: Store, presence: Presence, steps: Steps): Results {
  const underWay = new Map<string, Promise<unknown>>()
  /** Which function waits for which result. */
  const waits = new Set<{ readonly from: string; readonly to: string }>()
  const artifacts = new Map<string, Artifact>()
  const keys = new Set<string>()

  function use<A extends Artifact>(artifact: A): A {
    const mark = artifact.kind === 'file' && artifact.executable ? 'x' : ''
    artifacts.set(`${artifact.kind}${mark}${artifact.digest.sha256}`, artifact)
    return artifact
  }

  function waitsFor(from: string, to: string, seen: Set<string> = new Set()): boolean {
    if (from === to) return true
    if (seen.has(from)) return false
    seen.add(from)
    for (const wait of waits) if (wait.from === from && waitsFor(wait.to, to, seen)) return true
    return false
  }

  async function produce<T>(
    key: string,
    name: string,
    recall: (record: ResultRecord) => T | undefined,
    make: (report: StepReport) => Promise<{ readonly result: T; readonly value: unknown }>,
    scope: StepScope,
    report: StepReport,
  ): Promise<T> {
    const record = readRecord(store.folder, key)
    const known = record === undefined ? [] : artifactsIn(record.value)
    const recalled = record !== undefined && known.every(presence.isWhole) ? recall(record) : undefined
    if (recalled !== undefined) {
      report.cached()
      known.forEach(use)
      keys.add(key)
      return recalled
    }
    const { result, value } = await make(report)
    const builds = [...scope.builds].sort()
    writeRecord(store, { key, name, ...(value === undefined ? {} : { value }), builds })
    artifactsIn(value).forEach(use)
    keys.add(key)
    return result
  }

  return {
    use,
    usedArtifacts: () => [...artifacts.values()],
    usedResults: () => [...keys].sort(),
    async settled() {
      while (underWay.size > 0) await Promise.allSettled(underWay.values())
    },
    async obtain(about, recall, make) {
      const { name, key } = about
      let asking = steps.current()
      // Work that is only wrapped to be shown belongs to the function around it.
      while (asking !== undefined && asking.key === undefined) asking = asking.parent
      asking?.builds.add(key)
      const from = asking?.key
      if (from !== undefined && waitsFor(key, from)) {
        throw new Error(`${name} needs a result that is not complete without it`)
      }
      const wait = from === undefined ? undefined : { from, to: key }
      if (wait !== undefined) waits.add(wait)
      try {
        const present = underWay.get(key)
        if (present !== undefined) return (await present) as Awaited<ReturnType<typeof make>>['result']
        const promise = steps.run(about, (scope, report) => produce(key, name, recall, make, scope, report))
        underWay.set(key, promise)
        try {
          return await promise
        } finally {
          underWay.delete(key)
        }
      } finally {
        if (wait !== undefined) waits.delete(wait)
      }
    },
  }
}
