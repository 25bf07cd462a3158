import { type Diagnostic, nearNames, type Origin, UserError } from '../diagnostics/index.ts'
import { canonicalPath, type Entry } from '../filetree/index.ts'
import { type Closure, type ClosureRoot, closureOf, entryOf } from './closure.ts'
import { type PackageContent, type PackageFile, readContent } from './content.ts'
import { fetchPackages } from './fetch.ts'
import type { LockedSet, PinnedPackage } from './lock.ts'
import { layOver } from './namespace.ts'
import type { PackageRequest } from './request.ts'
import { type PackagesContext, resolvePackages } from './resolve.ts'

/** A file that a feature refers to: `/usr/sbin/nft` from `nftables`. */
export interface FileReference {
  readonly package: string
  /** As Debian or the feature calls it: `/sbin/x` and `/usr/sbin/x` are one file. */
  readonly path: string
  readonly origin: Origin
}

/** The packages of a system, fetched: their files, by name, and what those need to run. */
export interface Packages {
  /** The pins that this is made of. */
  readonly pins: readonly PinnedPackage[]
  /** The package that a name of the request stands for: the same, but for kernel metapackages. */
  concreteName(name: string): string
  /** Everything in one package. @throws UserError when it is none of the system's */
  content(name: string): Promise<PackageContent>
  /** One file. @throws UserError with near names, and the packages that do have it */
  find(name: string, path: string, origin?: Origin): Promise<PackageFile>
  /** The same as an entry of the target's file system. */
  entry(name: string, path: string, origin: Origin): Promise<Entry>
  /** The bytes of one regular file; a symbolic link within the package is followed. */
  read(name: string, path: string): Promise<Buffer>
  /** Names of the packages that have a path. */
  whichPackage(path: string): Promise<readonly string[]>
  /**
   * The files that are needed to use what is referred to (see `closureOf`).
   *
   * @param provided whether the system has a path from elsewhere
   */
  closure(roots: readonly FileReference[], provided?: (path: string) => boolean): Promise<Closure>
}

/**
 * Resolves a request (see {@link resolvePackages}), fetches what is not in the store, and opens the packages.
 *
 * @throws UserError
 */
export async function openPackages(context: PackagesContext, request: PackageRequest): Promise<Packages> {
  const set = await resolvePackages(context, request)
  await fetchPackages(context, request, set.packages)
  return packagesOf(context, request, set)
}

function packagesOf(context: PackagesContext, request: PackageRequest, set: LockedSet): Packages {
  const { engine } = context
  const pins = new Map(set.packages.map((pin) => [pin.name, pin]))
  const opened = new Map<string, Promise<PackageContent>>()
  const open = (pin: PinnedPackage): Promise<PackageContent> => {
    const present = opened.get(pin.name)
    if (present !== undefined) return present
    const content = readContent(engine, pin)
    opened.set(pin.name, content)
    return content
  }
  const concreteName = (name: string) => set.metapackages[name] ?? name
  const content = async (name: string, origin?: Origin) => {
    const pin = pins.get(concreteName(name))
    if (pin === undefined) throw notInSystem(name, [...pins.keys()], origin)
    return open(pin)
  }
  /** Packages that were asked for alone take no part in the others' closures, unless referred to. */
  const alone = new Set(set.packages.filter((pin) => pin.alone === true).map((pin) => pin.name))
  const contents = (besides: ReadonlySet<string>) =>
    Promise.all(set.packages.filter(({ name }) => !alone.has(name) || besides.has(name)).map(open))
  const whichPackage = async (path: string) => {
    const wanted = canonicalPath(path)
    const all = await contents(new Set())
    return all.filter(({ files }) => files.has(wanted)).map((one) => one.package.name)
  }
  const find = async (name: string, path: string, origin?: Origin) => {
    const one = await content(name, origin)
    const file = one.files.get(canonicalPath(path))
    if (file === undefined) throw notInPackage(one, path, await whichPackage(path), origin)
    return file
  }
  return {
    pins: set.packages,
    concreteName,
    content: (name) => content(name),
    find,
    async entry(name, path, origin) {
      const file = await find(name, path, origin)
      return entryOf({ content: await content(name), file }, [origin])
    },
    async read(name, path) {
      const one = await content(name)
      const { end } = layOver([one]).resolve(canonicalPath(path))
      const file = end === undefined ? await find(name, path) : one.files.get(end)
      if (file?.type !== 'file') throw new Error(`${path} of ${name} is no regular file`)
      return engine.read(one.data, { offsetBytes: file.offsetBytes, sizeBytes: file.sizeBytes })
    },
    whichPackage,
    async closure(roots, provided = () => false) {
      const problems: Diagnostic[] = []
      const found: ClosureRoot[] = []
      for (const { package: name, path, origin } of roots) {
        try {
          found.push({ path: (await find(name, path, origin)).path, origins: [origin] })
        } catch (error) {
          if (!(error instanceof UserError)) throw error
          problems.push(...error.diagnostics)
        }
      }
      if (problems.length > 0) throw new UserError(...problems)
      const named = new Set(roots.map((root) => concreteName(root.package)))
      // What is referred to by name comes first where two packages have the same path.
      const all = await contents(named)
      const ordered = [
        ...all.filter((one) => named.has(one.package.name)),
        ...all.filter((one) => !named.has(one.package.name)),
      ]
      return closureOf(layOver(ordered), request.architecture, found, provided)
    },
  }
}

function notInSystem(name: string, known: readonly string[], origin: Origin | undefined): UserError {
  const near = nearNames(name, known)
  return new UserError({
    what: `the package ${name} is none of the system's packages`,
    ...(origin === undefined ? {} : { where: [origin] }),
    fix:
      near.length > 0
        ? `did you mean ${near.join(', ')}? Otherwise ask for it`
        : 'ask for the package before referring to its files',
  })
}

function notInPackage(
  content: PackageContent,
  path: string,
  others: readonly string[],
  origin: Origin | undefined,
): UserError {
  const wanted = canonicalPath(path)
  const base = wanted.slice(wanted.lastIndexOf('/') + 1)
  const files = [...content.files.values()]
    .filter((file) => file.type !== 'directory')
    .map((file) => file.path)
  const sameBase = files.filter((file) => file.endsWith(`/${base}`))
  const near = [...new Set([...sameBase, ...nearNames(wanted, files)])].slice(0, 4)
  const { name, version } = content.package
  return new UserError({
    what: `${path} is not in the package ${name} ${version}`,
    ...(origin === undefined ? {} : { where: [origin] }),
    ...(others.length > 0 ? { why: `it is in ${others.join(', ')}` } : {}),
    ...(near.length > 0 ? { fix: `did you mean ${near.join(', ')}?` } : {}),
  })
}
