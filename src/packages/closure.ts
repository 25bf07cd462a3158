import { posix } from 'node:path'
import { type Diagnostic, formatOrigin, type Origin, UserError } from '../diagnostics/index.ts'
import { canonicalPath, type Entry, type FileTree, parentPath } from '../filetree/index.ts'
import type { PackageFile } from './content.ts'
import { defaultLibraryFolders, expandFolders } from './libraries.ts'
import type { Namespace, Owned } from './namespace.ts'
import { matchesPattern, packageData } from './package-data.ts'

/** A file that somebody refers to; a directory stands for everything below it. Canonical path. */
export interface ClosureRoot {
  readonly path: string
  readonly origins: readonly Origin[]
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
   * harmless if nobody follows it, and is listed too.
   */
  readonly expects: readonly Expectation[]
}

/** Something that a file needs: another file, or a name that could not be found. */
type Need =
  | { readonly type: 'file'; readonly path: string; readonly rpath: readonly string[] }
  | { readonly type: 'missing-library'; readonly name: string }
  | { readonly type: 'missing'; readonly kind: Expectation['kind']; readonly path: string }

/** A file being visited: how it was reached, and the rpaths of those that loaded it. */
interface Visit {
  readonly path: string
  readonly rpath: readonly string[]
  readonly chain: readonly string[]
}

/**
 * The files that are needed to use the roots, and nothing else: the roots, the links that lead to them, the
 * interpreters and shared libraries of programs, the interpreters of scripts, and the data in
 * {@link packageData}, all of it recursively.
 *
 * @param provided whether the system has this path from elsewhere
 * @throws UserError for each library that is missing, naming the chain of files that needs it
 */
export function closureOf(
  space: Namespace,
  architecture: string,
  roots: readonly ClosureRoot[],
  provided: (path: string) => boolean,
): Closure {
  const needs = memoNeeds(space, architecture, provided)
  const found = new Map<string, { origins: Set<Origin>; chain: readonly string[] }>()
  const expects = new Map<
    string,
    { kind: Expectation['kind']; chain: readonly string[]; origins: Set<Origin> }
  >()
  const missing = new Map<string, { name: string; chain: readonly string[]; origins: Set<Origin> }>()
  const note = <T extends { origins: Set<Origin> }>(
    map: Map<string, T>,
    key: string,
    value: Omit<T, 'origins'>,
    root: ClosureRoot,
  ) => {
    const present = map.get(key)
    if (present === undefined) map.set(key, { ...value, origins: new Set(root.origins) } as T)
    else for (const origin of root.origins) present.origins.add(origin)
  }
  for (const root of roots) {
    const queue: Visit[] = [{ path: root.path, rpath: [], chain: [] }]
    const seen = new Set<string>()
    for (let visit = queue.shift(); visit !== undefined; visit = queue.shift()) {
      const key = [visit.path, ...visit.rpath].join('\0')
      if (seen.has(key)) continue
      seen.add(key)
      note(found, visit.path, { chain: visit.chain }, root)
      const chain = [...visit.chain, visit.path]
      for (const need of needs(visit)) {
        if (need.type === 'file') queue.push({ ...need, chain })
        else if (need.type === 'missing') note(expects, need.path, { kind: need.kind, chain }, root)
        else note(missing, `${need.name}\0${visit.path}`, { name: need.name, chain }, root)
      }
    }
  }
  if (missing.size > 0) {
    throw new UserError(...[...missing.values()].map((lack) => missingLibrary(space, architecture, lack)))
  }
  const tree = new Map<string, Entry>()
  for (const [path, { origins, chain }] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) {
    addEntry(tree, space, path, [...origins], chain)
  }
  return {
    tree: withHardLinks(tree),
    expects: [...expects]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, { kind, chain, origins }]) => ({ path, kind, neededBy: chain, origins: [...origins] })),
  }
}

function missingLibrary(
  space: Namespace,
  architecture: string,
  lack: { readonly name: string; readonly chain: readonly string[]; readonly origins: ReadonlySet<Origin> },
): Diagnostic {
  const who = lack.chain.at(-1) ?? ''
  const owner = space.get(who)?.content.package
  const asked = [...lack.origins].map((origin) => formatOrigin(origin)).join(', ')
  return {
    what: `${who} needs the shared library ${lack.name}, which no package of the system has`,
    where: [...lack.origins],
    why: [
      ...(owner === undefined ? [] : [`${who} is from the package ${owner.name} ${owner.version}`]),
      ...(lack.chain.length > 1 ? [`needed through ${lack.chain.join(' → ')}`] : []),
      ...(asked === '' ? [] : [`${lack.chain[0]} was asked for by ${asked}`]),
      `looked in ${defaultLibraryFolders(architecture).join(', ')} and where the file itself says`,
    ].join('\n'),
    fix: `ask for the package that has ${lack.name} as well`,
  }
}

/** What a file needs depends on the file and on the rpaths above it; most files are needed by many. */
function memoNeeds(space: Namespace, architecture: string, provided: (path: string) => boolean) {
  const known = new Map<string, readonly Need[]>()
  return (visit: Visit): readonly Need[] => {
    const key = [visit.path, ...visit.rpath].join('\0')
    const present = known.get(key)
    if (present !== undefined) return present
    const needs = needsOf(space, architecture, provided, visit)
    known.set(key, needs)
    return needs
  }
}

function needsOf(
  space: Namespace,
  architecture: string,
  provided: (path: string) => boolean,
  visit: Visit,
): readonly Need[] {
  const owned = space.get(visit.path)
  if (owned === undefined) return []
  const { file } = owned
  const needs: Need[] = [...dataNeeds(owned)]
  const path = (wanted: string, kind: Expectation['kind'], rpath: readonly string[] = []) => {
    const { links, end } = space.resolve(wanted)
    for (const link of links) needs.push({ type: 'file', path: link, rpath: [] })
    if (end !== undefined) needs.push({ type: 'file', path: end, rpath })
    else if (!provided(canonicalPath(wanted)))
      needs.push({ type: 'missing', kind, path: canonicalPath(wanted) })
  }
  switch (file.type) {
    case 'symlink':
      path(posix.resolve(parentPath(file.path), file.target), 'link-target', visit.rpath)
      break
    case 'directory':
      for (const below of owned.content.files.values()) {
        if (below.path.startsWith(`${file.path}/`)) needs.push({ type: 'file', path: below.path, rpath: [] })
      }
      break
    case 'file': {
      if (file.elf?.interpreter !== undefined) path(file.elf.interpreter, 'interpreter')
      needs.push(...libraryNeeds(space, architecture, provided, file, visit.rpath))
      if (file.shebang !== undefined) {
        path(file.shebang.interpreter, 'interpreter')
        const program = /\/env$/.test(file.shebang.interpreter)
          ? envProgram(file.shebang.argument)
          : undefined
        if (program !== undefined) path(inSearchPath(space, provided, program), 'interpreter')
      }
      break
    }
    case 'device':
      break
  }
  return needs
}

function dataNeeds({ content, file }: Owned): readonly Need[] {
  return (packageData[content.package.name] ?? [])
    .filter(({ users }) => users.some((pattern) => matchesPattern(file.path, pattern)))
    .flatMap(({ needs }) =>
      [...content.files.values()].filter((other) =>
        needs.some((pattern) => matchesPattern(other.path, pattern)),
      ),
    )
    .map(({ path }) => ({ type: 'file', path, rpath: [] }))
}

/** `#!/usr/bin/env [-S] [NAME=VALUE…] PROGRAM …` (env(1)). */
function envProgram(argument: string | undefined): string | undefined {
  return (argument ?? '')
    .split(/\s+/)
    .find((word) => word !== '' && !word.startsWith('-') && !word.includes('='))
}

function inSearchPath(space: Namespace, provided: (path: string) => boolean, program: string): string {
  const candidates = program.startsWith('/') ? [program] : [`/usr/sbin/${program}`, `/usr/bin/${program}`]
  return (
    candidates.find((path) => space.resolve(path).end !== undefined || provided(path)) ??
    candidates.at(-1) ??
    program
  )
}

/**
 * The libraries of an ELF file, sought as the loader does (ld.so(8)): a name with a slash is a path; otherwise the
 * file's own rpath and those of what loaded it (unless it has a runpath, which then counts alone), then the default
 * directories. A file for another machine or word size is passed over.
 */
function libraryNeeds(
  space: Namespace,
  architecture: string,
  provided: (path: string) => boolean,
  file: Extract<PackageFile, { type: 'file' }>,
  inherited: readonly string[],
): readonly Need[] {
  const { elf } = file
  if (elf === undefined) return []
  const origin = parentPath(file.path)
  const own = expandFolders(elf.rpath, origin, architecture)
  const rpath = elf.runpath.length > 0 ? [] : [...own, ...inherited]
  const folders = [
    ...rpath,
    ...expandFolders(elf.runpath, origin, architecture),
    ...defaultLibraryFolders(architecture),
  ]
  return elf.needed.flatMap((name): readonly Need[] => {
    const candidates = name.includes('/')
      ? expandFolders([name], origin, architecture)
      : folders.map((folder) => `${folder}/${name}`)
    for (const candidate of candidates) {
      const { links, end } = space.resolve(candidate)
      const library = end === undefined ? undefined : space.get(end)?.file
      if (end === undefined || library?.type !== 'file') {
        if (provided(canonicalPath(candidate))) return []
        continue
      }
      if (library.elf?.class !== elf.class || library.elf.machine !== elf.machine) continue
      return [...links, end].map((path) => ({ type: 'file', path, rpath }))
    }
    return [{ type: 'missing-library', name }]
  })
}

/** The entry of a file, and its directories where those are not what a missing one becomes (0755, root). */
function addEntry(
  tree: Map<string, Entry>,
  space: Namespace,
  path: string,
  origins: readonly Origin[],
  neededBy: readonly string[],
): void {
  const owned = space.get(path)
  if (owned === undefined) return
  tree.set(path, entryOf(owned, origins, neededBy))
  for (let parent = parentPath(path); parent !== '/'; parent = parentPath(parent)) {
    const folder = space.get(parent)
    if (folder?.file.type !== 'directory' || tree.has(parent)) continue
    const { mode, uid, gid } = folder.file
    if (mode !== 0o755 || uid !== 0 || gid !== 0)
      tree.set(parent, entryOf(folder, origins, [...neededBy, path]))
  }
}

/** A file of a package as an entry of the target's file system. */
export function entryOf(
  { content, file }: Owned,
  origins: readonly Origin[],
  neededBy: readonly string[] = [],
): Entry {
  const { name, version, architecture } = content.package
  const about = {
    origins,
    package: { name, version, architecture },
    ...(neededBy.length > 0 ? { neededBy } : {}),
  }
  const { mode, uid, gid } = file
  switch (file.type) {
    case 'file': {
      const { offsetBytes, sizeBytes } = file
      const slice = { type: 'slice' as const, artifact: content.data, offsetBytes, sizeBytes }
      return { type: 'file', mode, uid, gid, content: slice, ...about }
    }
    case 'directory':
      return { type: 'directory', mode, uid, gid, ...about }
    case 'symlink':
      return { type: 'symlink', target: file.target, uid, gid, ...about }
    case 'device':
      return {
        type: 'device',
        kind: file.kind,
        major: file.major,
        minor: file.minor,
        mode,
        uid,
        gid,
        ...about,
      }
  }
}

/** Names of one file (the same range of the same data.tar) are one file here too: the first, and links to it. */
function withHardLinks(tree: ReadonlyMap<string, Entry>): FileTree {
  const first = new Map<string, string>()
  const result = new Map<string, Entry>()
  for (const [path, entry] of tree) {
    if (entry.type !== 'file' || entry.content.type !== 'slice' || entry.content.sizeBytes === 0) {
      result.set(path, entry)
      continue
    }
    const key = `${entry.content.artifact.digest.sha256} ${entry.content.offsetBytes}`
    const target = first.get(key)
    if (target === undefined) {
      first.set(key, path)
      result.set(path, entry)
    } else {
      const { origins, neededBy } = entry
      result.set(path, {
        type: 'hardlink',
        target,
        origins,
        ...(entry.package && { package: entry.package }),
        ...(neededBy && { neededBy }),
      })
    }
  }
  return result
}
