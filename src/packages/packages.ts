import { type Diagnostic, nearNames, type Origin, UserError } from '../diagnostics/index.ts'
import { canonicalPath, type Entry, type FileTree } from '../filetree/index.ts'
import { type ClosureFacts, type ClosureLack, closureOf, nodeOf } from './closure.ts'
import { type PackageContent, type PackageFile, readContent } from './content.ts'
import { fetchPackages } from './fetch.ts'
import { defaultLibraryFolders } from './libraries.ts'
import type { LockedSet, PinnedPackage } from './lock.ts'
import { layOver } from './namespace.ts'
import { packageData } from './package-data.ts'
import type { PackageRequest } from './request.ts'
import { type PackagesContext, resolvePackages } from './resolve.ts'

/** A file that a feature refers to: `/usr/sbin/nft` from `nftables`. */
export interface FileReference {
  readonly package: string
  /**
   * As Debian or the feature calls it: `/sbin/x` and `/usr/sbin/x` are one file. A directory stands for everything
   * below it.
   */
  readonly path: string
  readonly origin: Origin
}

/** A path that the files of a closure refer to and that no package of the system has. */
export interface Expectation {
  readonly path: string
  readonly kind: 'interpreter' | 'link-target'
  /** From the file that was asked for to the one that needs `path`. */
  readonly neededBy: readonly string[]
  readonly origins: readonly Origin[]
}

export interface Closure {
  readonly tree: FileTree
  /**
   * What the rest of the system must have: the `/bin/sh` of scripts, say. A symbolic link that leads nowhere is
   * harmless if nobody follows it, and is listed too (`link-target`).
   */
  readonly expects: readonly Expectation[]
}

/** The packages of a system: their files, by name, and what those need to run. */
export interface Packages {
  /** The pins that this is made of, in the order of their names. */
  readonly pins: readonly PinnedPackage[]
  /** The package that a name of the request stands for: the same, but for kernel metapackages. */
  concreteName(name: string): string
  /** Everything in one package. Throws a UserError when it is none of the system's. */
  content(name: string): Promise<PackageContent>
  /** One file. Throws a UserError with near names, and the packages that do have it. */
  find(name: string, path: string, origin?: Origin): Promise<PackageFile>
  /** The same as an entry of the target's file system. */
  entry(name: string, path: string, origin: Origin): Promise<Entry>
  /** The bytes of one regular file; symbolic links within the package are followed. */
  read(name: string, path: string, origin?: Origin): Promise<Buffer>
  /** Names of the packages that have a path. */
  whichPackage(path: string): Promise<readonly string[]>
  /**
   * The files that are needed to use what is referred to: the files themselves, the links that lead to them, the
   * interpreters and shared libraries of programs, the interpreters of scripts, and the data that programs cannot do
   * without (`package-data.ts`), all of it recursively, and nothing else.
   *
   * @param provided canonical paths that the system has from elsewhere; they are neither sought nor missed
   * @throws UserError for every reference to nothing, and every library that is missing, with who needs it
   */
  closure(references: readonly FileReference[], provided?: ReadonlySet<string>): Promise<Closure>
}

/**
 * Resolves a request (see {@link resolvePackages}) and gives access to its packages. What is needed and not in the
 * store yet is fetched when it is first needed.
 *
 * @throws UserError
 */
export async function openPackages(context: PackagesContext, request: PackageRequest): Promise<Packages> {
  return packagesOf(context, request, await resolvePackages(context, request))
}

function packagesOf(context: PackagesContext, request: PackageRequest, set: LockedSet): Packages {
  const { engine } = context
  const { architecture } = request
  const pins = new Map(set.packages.map((pin) => [pin.name, pin]))
  const fetched = once(() => fetchPackages(context, request, set.packages))
  const opened = new Map<string, Promise<PackageContent>>()
  const open = (pin: PinnedPackage): Promise<PackageContent> => {
    const content = opened.get(pin.name) ?? readContent(engine, pin, fetched)
    opened.set(pin.name, content)
    return content
  }
  const concreteName = (name: string) => set.metapackages[name] ?? name
  const pinOf = (name: string, origin?: Origin) => {
    const pin = pins.get(concreteName(name))
    if (pin === undefined) throw notInSystem(name, [...pins.keys()], origin)
    return pin
  }
  /** What was asked for alone takes no part in the others' closures, unless referred to. */
  const together = (named: ReadonlySet<string>) => {
    const part = set.packages.filter((pin) => pin.alone !== true || named.has(pin.name))
    // What is referred to by name comes first where two packages have the same path.
    return [...part.filter((pin) => named.has(pin.name)), ...part.filter((pin) => !named.has(pin.name))]
  }
  const content = (name: string, origin?: Origin) => open(pinOf(name, origin))
  const whichPackage = async (path: string) => {
    const all = await Promise.all(together(new Set()).map(open))
    return all.filter(({ files }) => files.has(canonicalPath(path))).map((one) => one.package.name)
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
    async content(name) {
      return content(name)
    },
    find,
    async entry(name, path, origin) {
      const file = await find(name, path, origin)
      const { node, package: from } = nodeOf({ content: await content(name), file })
      return { ...node, package: from, origins: [origin] }
    },
    async read(name, path, origin) {
      const one = await content(name, origin)
      const { end } = layOver([one]).resolve(path)
      const file = end === undefined ? await find(name, path, origin) : one.files.get(end)
      if (file?.type !== 'file') {
        throw new UserError({
          what: `${path} of the package ${name} is no regular file`,
          ...(origin === undefined ? {} : { where: [origin] }),
        })
      }
      return engine.read(one.data, { offsetBytes: file.offsetBytes, sizeBytes: file.sizeBytes })
    },
    whichPackage,
    async closure(references, provided = new Set()) {
      const named = new Set(references.map(({ package: name, origin }) => pinOf(name, origin).name))
      const part = together(named)
      const wanted = references.map((reference) => ({
        package: concreteName(reference.package),
        path: canonicalPath(reference.path),
      }))
      // Origins are no part of this: a line added above changes none of it.
      const facts = await engine.compute<ClosureFacts & { readonly absent: readonly number[] }>({
        kind: 'function',
        name: 'find the files that are needed',
        function: { id: 'packages.closure', version: 1 },
        input: {
          architecture,
          packages: part.map(({ name, version, sha256 }) => ({ name, version, sha256 })),
          wanted,
          provided: [...provided].sort(),
          packageData,
        },
        run: async () => {
          const contents = await Promise.all(part.map(open))
          const files = new Map(contents.map((one) => [one.package.name, one.files]))
          const absent = [...wanted.keys()].filter((index) => {
            const { package: name = '', path = '' } = wanted[index] ?? {}
            return files.get(name)?.has(path) !== true
          })
          if (absent.length > 0) return { files: [], lacks: [], absent }
          const around = { space: layOver(contents), architecture, provided }
          return {
            ...closureOf(
              around,
              wanted.map(({ path }) => path),
            ),
            absent,
          }
        },
      })
      if (facts.absent.length > 0)
        throw await absentReferences(references.filter((_, index) => facts.absent.includes(index)))
      return closureWithOrigins(architecture, facts, references)
    },
  }

  async function absentReferences(references: readonly FileReference[]): Promise<UserError> {
    const problems: Diagnostic[] = []
    for (const { package: name, path, origin } of references) {
      const one = await content(name, origin)
      problems.push(...notInPackage(one, path, await whichPackage(path), origin).diagnostics)
    }
    return new UserError(...problems)
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined
  return () => {
    result ??= work()
    return result
  }
}

function closureWithOrigins(
  architecture: string,
  { files, lacks }: ClosureFacts,
  references: readonly FileReference[],
): Closure {
  const originsOf = (roots: readonly number[]) => {
    const distinct = new Map<string, Origin>()
    for (const root of roots) {
      const origin = references[root]?.origin
      if (origin !== undefined) distinct.set(JSON.stringify(origin), origin)
    }
    return [...distinct.values()]
  }
  const missing = lacks.filter(({ kind }) => kind === 'library')
  if (missing.length > 0) {
    const owners = new Map(files.map((file) => [file.path, file.package]))
    throw new UserError(
      ...missing.map((lack) => {
        const owner = owners.get(lack.neededBy.at(-1) ?? '')
        return missingLibrary(architecture, lack, originsOf(lack.roots), owner)
      }),
    )
  }
  const tree = new Map<string, Entry>()
  for (const { path, node, package: from, neededBy, roots } of files) {
    const origins = originsOf(roots)
    tree.set(path, { ...node, origins, package: from, ...(neededBy.length > 0 ? { neededBy } : {}) })
  }
  const expects = lacks.flatMap(({ kind, name, neededBy, roots }) =>
    kind === 'library' ? [] : [{ path: name, kind, neededBy, origins: originsOf(roots) }],
  )
  return { tree, expects }
}

function missingLibrary(
  architecture: string,
  { name, neededBy }: ClosureLack,
  origins: readonly Origin[],
  owner: { readonly name: string; readonly version: string } | undefined,
): Diagnostic {
  const who = neededBy.at(-1) ?? ''
  return {
    what: `${who} needs the shared library ${name}, which no package of the system has`,
    where: origins,
    why: [
      ...(owner === undefined ? [] : [`${who} is from the package ${owner.name} ${owner.version}`]),
      ...(neededBy.length > 1 ? [`it is needed through ${neededBy.join(' → ')}`] : []),
      `looked in ${defaultLibraryFolders(architecture).join(', ')}, and where the file itself says`,
    ].join('\n'),
    fix: `ask for the package that has ${name} as well`,
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
    .filter(({ type }) => type !== 'directory')
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
