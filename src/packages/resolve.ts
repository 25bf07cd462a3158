import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../diagnostics/index.ts'
import type { Engine } from '../engine/index.ts'
import { type AptHost, readAptHost } from './apt-host.ts'
import { indexAge, type Reporter, refreshIndex } from './apt-index.ts'
import { type AptRoot, openAptRoot } from './apt-root.ts'
import { exclusively } from './exclusive.ts'
import { type LockedSet, type PinnedPackage, readLock, writeLockedSet } from './lock.ts'
import { chooseMirrors, suitesOf } from './mirrors.ts'
import { checkRequest, type PackageRequest, type RequestNames, requestNames } from './request.ts'
import { type Solution, solve } from './solve.ts'

/** What resolving and fetching work with. */
export interface PackagesContext {
  readonly engine: Engine
  /** The lock file of the system. */
  readonly lockFile: string
  /** Name of the set in the lock; tells systems that share a lock apart. */
  readonly setName?: string
  /** Folder for the private apt roots. */
  readonly cacheFolder: string
  /** Never touch the network. */
  readonly offline?: boolean
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** The host's apt; read when first needed. */
  readonly aptHost?: AptHost
}

/** One package whose pin moved: `from` is absent for a new one, `to` for one that is no longer wanted. */
export interface PinChange {
  readonly name: string
  readonly from?: PinnedPackage
  readonly to?: PinnedPackage
}

/** How old an index may be to resolve a request with; a build that only fetches pins takes any that has them. */
const freshMs = 60 * 60 * 1000

const nothing: Solution = { metapackages: {}, packages: [] }

/**
 * The pins that answer a request: those of the lock, if the lock answers it. Otherwise the request is solved anew,
 * as far as possible with the pins that are there already, and the lock is written.
 *
 * @throws UserError
 */
export async function resolvePackages(context: PackagesContext, request: PackageRequest): Promise<LockedSet> {
  checkRequest(request)
  const { present, similar } = await lockedSet(context, request)
  if (present !== undefined && sameNames(present.request, requestNames(request))) return present
  if (context.offline) {
    // Pins of a larger request will do: what is no longer wanted is not referred to.
    if (present !== undefined && covers(present.request, requestNames(request))) return present
    throw new UserError({
      what: `${context.lockFile} has no pins for the packages of this system, and the build is offline`,
      why:
        present === undefined
          ? 'nothing was pinned yet'
          : describeDifference(present.request, requestNames(request)),
      fix: 'build once with the network to pin and fetch them',
    })
  }
  return context.engine.step('resolve packages', (report) =>
    withAptRoot(context, request, report, async (root) => {
      const age = await indexAge(root)
      if (age === undefined || age > freshMs) await refreshIndex(root, context.engine.signal, report)
      const solution = await solve(root, context.engine.signal, request, present ?? similar ?? nothing)
      const set = await lockSolution(context, request, solution)
      report.note(describeChanges(context.lockFile, pinChanges(present?.packages ?? [], set.packages)))
      return set
    }),
  )
}

/**
 * Solves a request afresh, with the newest packages, and writes the lock.
 *
 * @returns the new pins and what changed, by name
 * @throws UserError
 */
export async function updatePackages(
  context: PackagesContext,
  request: PackageRequest,
): Promise<{ readonly set: LockedSet; readonly changes: readonly PinChange[] }> {
  checkRequest(request)
  const { present: before } = await lockedSet(context, request)
  if (context.offline) {
    throw new UserError({
      what: 'pins cannot be moved offline',
      fix: 'run `firmwright update` with the network',
    })
  }
  const set = await context.engine.step('update packages', (report) =>
    withAptRoot(context, request, report, async (root) => {
      await refreshIndex(root, context.engine.signal, report)
      return lockSolution(context, request, await solve(root, context.engine.signal, request, nothing))
    }),
  )
  return { set, changes: pinChanges(before?.packages ?? [], set.packages) }
}

/** What differs between two sets of pins, by name. */
export function pinChanges(
  before: readonly PinnedPackage[],
  after: readonly PinnedPackage[],
): readonly PinChange[] {
  const from = new Map(before.map((pin) => [pin.name, pin]))
  const to = new Map(after.map((pin) => [pin.name, pin]))
  return [...new Set([...from.keys(), ...to.keys()])].sort().flatMap((name) => {
    const [old, now] = [from.get(name), to.get(name)]
    if (old?.version === now?.version && old?.sha256 === now?.sha256) return []
    return [{ name, ...(old && { from: old }), ...(now && { to: now }) }]
  })
}

/**
 * The system's set in the lock, and the first of another system for the same target: one that is new beside others
 * gets the versions that they have.
 */
async function lockedSet(
  context: PackagesContext,
  request: PackageRequest,
): Promise<{ readonly present: LockedSet | undefined; readonly similar: LockedSet | undefined }> {
  const { release, architecture } = request
  const { sets } = await readLock(context.lockFile)
  const target = sets.filter((set) => set.release === release && set.architecture === architecture)
  return { present: target.find(({ name }) => name === setName(context)), similar: target[0] }
}

function setName(context: PackagesContext): string {
  return context.setName ?? 'system'
}

async function lockSolution(
  context: PackagesContext,
  request: PackageRequest,
  solution: Solution,
): Promise<LockedSet> {
  const set: LockedSet = {
    name: setName(context),
    release: request.release,
    architecture: request.architecture,
    request: requestNames(request),
    ...solution,
  }
  // Another architecture's set may be on its way into the same file.
  const guard = join(context.cacheFolder, 'lock-writer')
  const waiting = () => undefined
  await exclusively(guard, context.engine.signal, waiting, () => writeLockedSet(context.lockFile, set))
  return set
}

/** Opens the private root for a request, for this process alone. */
export async function withAptRoot<T>(
  context: PackagesContext,
  request: Pick<PackageRequest, 'release' | 'architecture'>,
  report: Reporter,
  work: (root: AptRoot) => Promise<T>,
): Promise<T> {
  const { release, architecture } = request
  const host = context.aptHost ?? (await readAptHost())
  const mirrors = chooseMirrors(host.sources, context.environment ?? process.env)
  if (mirrors.security.length === 0 && suitesOf(release, mirrors).length > 1) {
    report.warn(`no mirror of Debian's security updates is configured: packages come without them`)
  }
  const folder = join(context.cacheFolder, `${release}-${architecture}`)
  await mkdir(folder, { recursive: true })
  const waiting = () => report.note(`waiting for another Firmwright that uses ${folder}`)
  return exclusively(join(folder, 'exclusive'), context.engine.signal, waiting, async () =>
    work(await openAptRoot(folder, release, architecture, suitesOf(release, mirrors), host)),
  )
}

function sameNames(a: RequestNames, b: RequestNames): boolean {
  const same = (x: readonly string[], y: readonly string[]) =>
    x.length === y.length && x.every((name, index) => name === y[index])
  return same(a.install, b.install) && same(a.only, b.only)
}

function covers(pinned: RequestNames, wanted: RequestNames): boolean {
  return (
    wanted.install.every((name) => pinned.install.includes(name)) &&
    wanted.only.every((name) => pinned.only.includes(name))
  )
}

function describeDifference(pinned: RequestNames, wanted: RequestNames): string {
  const added = [
    ...wanted.install.filter((name) => !pinned.install.includes(name)),
    ...wanted.only.filter((name) => !pinned.only.includes(name)),
  ]
  return `not pinned yet: ${added.join(', ')}`
}

function describeChanges(lockFile: string, changes: readonly PinChange[]): string {
  const added = changes.filter(({ from }) => from === undefined).length
  const removed = changes.filter(({ to }) => to === undefined).length
  return `${lockFile} written: ${added} packages pinned${removed > 0 ? `, ${removed} dropped` : ''}`
}
