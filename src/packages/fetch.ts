import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { UserError } from '../diagnostics/index.ts'
import type { FileArtifact, Report } from '../engine/index.ts'
import { refreshIndex } from './apt-index.ts'
import { type AptRoot, type AptRun, runApt } from './apt-root.ts'
import { parseDeb822 } from './deb822.ts'
import type { LockedSet, PinnedPackage } from './lock.ts'
import type { PackageRequest } from './request.ts'
import { originsOf } from './request.ts'
import { type PackagesContext, withAptRoot } from './resolve.ts'
import { pinGone } from './solve.ts'

/** The `.deb` of a pin as the store knows it: a pin's SHA-256 and size are its address. */
export function debArtifact(pin: PinnedPackage): FileArtifact {
  return { kind: 'file', digest: { sha256: pin.sha256, sizeBytes: pin.sizeBytes }, executable: false }
}

/**
 * Brings the `.deb` files of pins into the store, those that are not there yet: apt fetches and verifies them, and
 * their SHA-256 is compared with the pin once more.
 *
 * @throws UserError when a pin is gone from the mirror, cannot be fetched, or is missing and the build is offline
 */
export async function fetchPackages(
  context: PackagesContext,
  request: PackageRequest,
  pins: LockedSet['packages'],
): Promise<void> {
  const { engine } = context
  const present = await Promise.all(pins.map((pin) => engine.has(debArtifact(pin))))
  const missing = pins.filter((_, index) => present[index] !== true)
  if (missing.length === 0) return
  if (context.offline) {
    throw new UserError(
      ...missing.map((pin) => ({
        what: `${pin.name} ${pin.version} (${pin.architecture}) is not in the store, and the build is offline`,
        where: originsOf(request, pin.name),
        why: `firmwright.lock pins it with SHA-256 ${pin.sha256}`,
        fix: 'build once with the network to fetch it',
      })),
    )
  }
  await engine.step('fetch packages', (report) =>
    withAptRoot(context, request, report, async (root) => {
      if (!(await indexHas(root, engine.signal, missing))) await refreshIndex(root, engine.signal, report)
      let gone = await pinsGone(root, engine.signal, missing)
      if (gone.length > 0)
        throw new UserError(...gone.map(({ pin, now }) => pinGone(root, request, pin, now)))
      let run = await download(context, root, missing, report)
      if (run.exitCode !== 0) {
        // The index may be older than the pool: once more, with a new one.
        await refreshIndex(root, engine.signal, report)
        gone = await pinsGone(root, engine.signal, missing)
        if (gone.length > 0)
          throw new UserError(...gone.map(({ pin, now }) => pinGone(root, request, pin, now)))
        run = await download(context, root, missing, report)
      }
      const stillMissing: PinnedPackage[] = []
      for (const pin of missing) if (!(await engine.has(debArtifact(pin)))) stillMissing.push(pin)
      if (stillMissing.length > 0) {
        throw new UserError(
          ...stillMissing.map((pin) => ({
            what: `${pin.name} ${pin.version} (${pin.architecture}) cannot be fetched`,
            where: originsOf(request, pin.name),
            why: run.complaints
              .filter((line) => !line.startsWith('N:'))
              .slice(0, 4)
              .join('\n'),
            fix: 'check the network and the mirror; a mirror being updated is whole again minutes later',
          })),
        )
      }
    }),
  )
}

async function indexHas(
  root: AptRoot,
  signal: AbortSignal,
  pins: readonly PinnedPackage[],
): Promise<boolean> {
  return (await pinsGone(root, signal, pins)).length === 0
}

/** Pins whose version and SHA-256 no index has, with what the candidate is now. */
async function pinsGone(
  root: AptRoot,
  signal: AbortSignal,
  pins: readonly PinnedPackage[],
): Promise<readonly { readonly pin: PinnedPackage; readonly now: PinnedPackage | undefined }[]> {
  const { stdout } = await runApt(root, signal, 'apt-cache', ['show', '--', ...pins.map((pin) => pin.name)])
  const records = new Map<string, PinnedPackage[]>()
  for (const paragraph of parseDeb822(stdout)) {
    const name = paragraph.get('package') ?? ''
    const record = {
      name,
      version: paragraph.get('version') ?? '',
      architecture: paragraph.get('architecture') ?? '',
      sha256: paragraph.get('sha256') ?? '',
      sizeBytes: Number(paragraph.get('size')),
      filename: paragraph.get('filename') ?? '',
    }
    records.set(name, [...(records.get(name) ?? []), record])
  }
  return pins.flatMap((pin) => {
    const known = records.get(pin.name) ?? []
    const found = known.some(({ version, sha256 }) => version === pin.version && sha256 === pin.sha256)
    return found ? [] : [{ pin, now: known[0] }]
  })
}

/** Downloads into a folder of its own; what arrives whole goes into the store. */
async function download(
  context: PackagesContext,
  root: AptRoot,
  pins: readonly PinnedPackage[],
  report: Report,
): Promise<AptRun> {
  const { engine } = context
  const folder = await mkdtemp(join(root.folder, 'cache/fetch-'))
  const total = pins.reduce((sum, pin) => sum + pin.sizeBytes, 0)
  let watching = true
  const watch = setInterval(async () => {
    const size = await folderSize(folder)
    if (watching) report.progress(Math.min(size, total), total, 'bytes')
  }, 200)
  try {
    const names = pins.map((pin) => `${pin.name}=${pin.version}`)
    // apt keeps what is half there in its archives; below our folder it counts as progress, and goes with it.
    await mkdir(join(folder, 'archives/partial'), { recursive: true })
    const argv = ['download', '-q', '-o', `Dir::Cache::archives=${folder}/archives/`, '--', ...names]
    const run = await runApt(root, engine.signal, 'apt-get', argv, folder)
    for (const name of await readdir(folder)) {
      const path = join(folder, name)
      const found = await stat(path)
      if (!found.isFile()) continue
      const sha256 = await fileSha256(path)
      const pin = pins.find((candidate) => candidate.sha256 === sha256)
      if (pin === undefined) continue
      const plain = join(folder, `${pin.sha256}.deb`)
      await rename(path, plain)
      await engine.import(plain)
    }
    if (run.exitCode === 0) report.progress(total, total, 'bytes')
    return run
  } finally {
    watching = false
    clearInterval(watch)
    await rm(folder, { recursive: true, force: true })
  }
}

async function folderSize(folder: string): Promise<number> {
  let size = 0
  for (const name of await readdir(folder, { recursive: true }).catch(() => [])) {
    const found = await stat(join(folder, name)).catch(() => undefined)
    if (found?.isFile()) size += found.size
  }
  return size
}

async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
