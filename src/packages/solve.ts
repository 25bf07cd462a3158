import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { nearNames, UserError } from '../diagnostics/index.ts'
import { type AptRoot, pinVersions, runApt } from './apt-root.ts'
import { parseDeb822 } from './deb822.ts'
import type { LockedSet, PinnedPackage } from './lock.ts'
import { originsOf, type PackageRequest, requestNames } from './request.ts'

/** A package's record in a verified index. */
interface IndexRecord extends PinnedPackage {
  readonly depends: string
}

export type Solution = Pick<LockedSet, 'metapackages' | 'packages'>

/**
 * What apt's solver finds for a request, from the indexes in the root.
 *
 * @param keep pins that are to stay as they are; none means the newest of everything
 * @throws UserError when a package is unknown, a kept pin is gone, or there is no solution
 */
export async function solve(
  root: AptRoot,
  signal: AbortSignal,
  request: PackageRequest,
  keep: Solution,
): Promise<Solution> {
  const names = requestNames(request)
  await checkKnown(root, signal, request)
  await pinVersions(root, keep.packages)
  try {
    const solved = await solveInstall(root, signal, names.install, keep)
    const metapackages: Record<string, string> = {}
    const only: string[] = []
    for (const name of names.only) {
      const concrete = keep.metapackages[name] ?? (await concretePackage(root, signal, name))
      if (concrete !== undefined) metapackages[name] = concrete
      only.push(concrete ?? name)
    }
    const wanted = [...solved.map(({ name, version }) => `${name}=${version}`), ...only]
    const found = new Map((await show(root, signal, wanted)).map((record) => [record.name, record]))
    const packages = [...new Set([...solved.map(({ name }) => name), ...only])].sort().map((name) => {
      const record = found.get(name)
      if (record === undefined) throw unknown(root, request, [name], [])
      const { depends: _, ...pin } = record
      return solved.some((one) => one.name === name) ? pin : { ...pin, alone: true as const }
    })
    checkKept(root, request, packages, keep)
    return { metapackages, packages }
  } finally {
    await pinVersions(root, [])
  }
}

/** apt takes a name it does not know for a pattern, so names are looked up before it sees them. */
async function checkKnown(root: AptRoot, signal: AbortSignal, request: PackageRequest): Promise<void> {
  const names = requestNames(request)
  const { stdout } = await runApt(root, signal, 'apt-cache', ['pkgnames'])
  const known = new Set(stdout.split('\n'))
  // `pkgnames` has names that only others mention; those have no record.
  const wanted = [...new Set([...names.install, ...names.only])]
  const records = new Set(
    (
      await show(
        root,
        signal,
        wanted.filter((name) => known.has(name)),
      )
    ).map(({ name }) => name),
  )
  const missing = wanted.filter((name) => !records.has(name))
  if (missing.length > 0) throw unknown(root, request, missing, known)
}

function unknown(
  root: AptRoot,
  request: PackageRequest,
  missing: readonly string[],
  known: Iterable<string>,
): UserError {
  const names = [...known]
  return new UserError(
    ...missing.map((name) => {
      const near = nearNames(name, names)
      return {
        what: `there is no package ${name} for ${root.architecture} in Debian ${root.release}`,
        where: originsOf(request, name),
        ...(near.length > 0 ? { fix: `did you mean ${near.join(', ')}?` } : {}),
      }
    }),
  )
}

async function solveInstall(
  root: AptRoot,
  signal: AbortSignal,
  names: readonly string[],
  keep: Solution,
): Promise<readonly { readonly name: string; readonly version: string }[]> {
  if (names.length === 0) return []
  // What apt finds in its archives it does not list.
  const archives = await mkdtemp(join(root.folder, 'cache/solve-'))
  const argv = (...options: string[]) => [
    'install',
    '--print-uris',
    '-y',
    '-o',
    `Dir::Cache::archives=${archives}/`,
    ...options,
    '--',
    ...names,
  ]
  try {
    const run = await runApt(root, signal, 'apt-get', argv('-qq'))
    if (run.exitCode === 0) return parsePrintedUris(run.stdout)
    // What is in the way it tells only when it is less quiet.
    const { stdout, complaints } = await runApt(root, signal, 'apt-get', argv('-q=1'))
    const why = [...unmetDependencies(stdout), ...complaints.filter((line) => line.startsWith('E:'))].join(
      '\n',
    )
    if (keep.packages.length > 0) {
      const fresh = await runApt(
        root,
        signal,
        'apt-get',
        argv('-qq', '-o', 'Dir::Etc::preferences=/dev/null'),
      )
      if (fresh.exitCode === 0) {
        throw new UserError({
          what: `${names.join(', ')} cannot be installed together with the versions that firmwright.lock pins`,
          why,
          fix: 'run `firmwright update` to move the pins',
        })
      }
    }
    throw new UserError({
      what: `apt finds no way to install ${names.join(', ')} for ${root.architecture} from Debian ${root.release}`,
      why,
    })
  } finally {
    await rm(archives, { recursive: true, force: true })
  }
}

/** The lines after apt's "The following packages have unmet dependencies:". */
function unmetDependencies(stdout: string): readonly string[] {
  const [, told = ''] = stdout.split(/unmet dependencies:\n/)
  return told.split('\n').filter((line) => line.startsWith(' '))
}

/** Reads lines of `apt-get install --print-uris`: `'URI' NAME_VERSION_ARCHITECTURE.deb SIZE HASH`. */
export function parsePrintedUris(
  text: string,
): readonly { readonly name: string; readonly version: string }[] {
  return text.split('\n').flatMap((line) => {
    const [, name, version] = /^'[^']*' ([^\s_]+)_([^\s_]+)_[^\s_]+\.deb \d/.exec(line) ?? []
    if (name === undefined || version === undefined) return []
    // apt writes `_`, `:` and `%` of a version as %5f, %3a and %25.
    const plain = version.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(parseInt(hex, 16)),
    )
    return [{ name, version: plain }]
  })
}

/** The package that a kernel metapackage stands for; undefined when `name` is none. */
async function concretePackage(
  root: AptRoot,
  signal: AbortSignal,
  name: string,
): Promise<string | undefined> {
  const stem = /^linux-(image|headers)-/.exec(name)?.[0]
  if (stem === undefined) return undefined
  const record = (await show(root, signal, [name])).find((found) => found.name === name)
  return exactDependency(record?.depends ?? '', stem)
}

/** The one package with this beginning of a name that is depended on in exactly one version. */
export function exactDependency(depends: string, stem: string): string | undefined {
  const matches = depends.split(',').flatMap((clause) => {
    const [, name] = /^\s*(\S+)\s*\(=[^)]*\)\s*$/.exec(clause) ?? []
    return name?.startsWith(stem) && /\d/.test(name) ? [name] : []
  })
  return matches.length === 1 ? matches[0] : undefined
}

/** Records of packages, given as `name` (apt's candidate) or `name=version`. Unknown ones are left out. */
async function show(
  root: AptRoot,
  signal: AbortSignal,
  wanted: readonly string[],
): Promise<readonly IndexRecord[]> {
  if (wanted.length === 0) return []
  const { stdout } = await runApt(root, signal, 'apt-cache', ['show', '--no-all-versions', '--', ...wanted])
  return parseDeb822(stdout).flatMap((paragraph) => {
    const field = (name: string) => paragraph.get(name) ?? ''
    const record: IndexRecord = {
      name: field('package'),
      version: field('version'),
      architecture: field('architecture'),
      sha256: field('sha256'),
      sizeBytes: Number(field('size')),
      filename: field('filename').replace(/^(\.\/)+/, ''),
      depends: [field('pre-depends'), field('depends')].filter((value) => value !== '').join(', '),
    }
    return record.name === '' || record.sha256 === '' ? [] : [record]
  })
}

function checkKept(
  root: AptRoot,
  request: PackageRequest,
  packages: readonly PinnedPackage[],
  keep: Solution,
): void {
  const pins = new Map(keep.packages.map((pin) => [pin.name, pin]))
  const moved = packages.flatMap((found) => {
    const pin = pins.get(found.name)
    return pin === undefined || (pin.version === found.version && pin.sha256 === found.sha256)
      ? []
      : [{ pin, found }]
  })
  if (moved.length > 0)
    throw new UserError(...moved.map(({ pin, found }) => pinGone(root, request, pin, found)))
}

/** The diagnostic for a pin that the indexes no longer have. */
export function pinGone(
  root: AptRoot,
  request: PackageRequest,
  pin: PinnedPackage,
  now: PinnedPackage | undefined,
) {
  const why =
    now === undefined
      ? `Debian ${root.release} has no such version for ${root.architecture} any more; mirrors drop old versions`
      : now.version === pin.version
        ? `the mirror has another file under the same version: SHA-256 ${now.sha256}, pinned ${pin.sha256}`
        : `it has ${now.version} now; mirrors drop old versions`
  return {
    what: `${pin.name} ${pin.version} (${pin.architecture}), pinned in firmwright.lock, is gone from the mirror`,
    where: originsOf(request, pin.name),
    why,
    fix: 'run `firmwright update` to move the pins, or take a mirror that keeps old versions',
  }
}
