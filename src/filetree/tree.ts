import { type Diagnostic, type Origin, UserError } from '../diagnostics/index.ts'
import type { FileArtifact } from '../engine/index.ts'

/** Where the bytes of a file come from. */
export type Content =
  /** Small generated text, UTF-8. */
  | { readonly type: 'text'; readonly text: string }
  /** A whole file of the store. */
  | { readonly type: 'artifact'; readonly artifact: FileArtifact }
  /** A part of a file of the store, for example one member of a package's data.tar. */
  | {
      readonly type: 'slice'
      readonly artifact: FileArtifact
      readonly offsetBytes: number
      readonly sizeBytes: number
    }

/** `mode` is the permission bits alone (0o755, with set-user-id and sticky bits where wanted). */
interface Owned {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** One name in the target file system. */
export type Node =
  | ({ readonly type: 'file'; readonly content: Content } & Owned)
  | ({ readonly type: 'directory' } & Owned)
  | { readonly type: 'symlink'; readonly target: string; readonly uid: number; readonly gid: number }
  /** Another name of the file at `target`, an absolute path in the same tree. */
  | { readonly type: 'hardlink'; readonly target: string }
  | ({
      readonly type: 'device'
      readonly kind: 'character' | 'block'
      readonly major: number
      readonly minor: number
    } & Owned)

/** The package that a file came from. */
export interface PackageIdentity {
  readonly name: string
  readonly version: string
  readonly architecture: string
}

/** A node, who asked for it, and what it was taken from. */
export type Entry = Node & {
  readonly origins: readonly Origin[]
  readonly package?: PackageIdentity
  /** The chain of files that made this one necessary, from the one that was asked for: `/usr/sbin/nft`. */
  readonly neededBy?: readonly string[]
}

/** Absolute, canonical paths; iteration order means nothing until {@link sortedEntries}. `/` itself is implied. */
export type FileTree = ReadonlyMap<string, Entry>

const merged = new Map([
  ['/bin', '/usr/bin'],
  ['/sbin', '/usr/sbin'],
  ['/lib', '/usr/lib'],
  ['/lib32', '/usr/lib32'],
  ['/lib64', '/usr/lib64'],
])

/**
 * The one name of a path on a usr-merged target: absolute, without `.`, `..`, doubled or trailing slashes, and
 * below `/usr` for what Debian still ships in `/bin`, `/sbin` and `/lib*`. A `..` at the root stays at the root,
 * as in POSIX path resolution.
 */
export function canonicalPath(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  const first = merged.get(`/${parts[0] ?? ''}`)
  return first === undefined ? `/${parts.join('/')}` : [first, ...parts.slice(1)].join('/')
}

/** The symbolic links that make a target usr-merged: `/bin` to `usr/bin` and so on, for the directories in use. */
export function usrMergeLinks(tree: FileTree, origin: Origin): FileTree {
  const links = new Map<string, Entry>()
  for (const [link, target] of merged) {
    const used = [...tree.keys()].some((path) => path.startsWith(`${target}/`))
    if (used) links.set(link, { type: 'symlink', target: target.slice(1), uid: 0, gid: 0, origins: [origin] })
  }
  return links
}

/** The directory that holds `path`; `/` for a top-level name. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash <= 0 ? '/' : path.slice(0, slash)
}

function describe(entry: Entry): string {
  const kind = entry.type === 'device' ? `${entry.kind} device` : entry.type
  return entry.package === undefined ? kind : `${kind} of package ${entry.package.name}`
}

function sameNode(a: Entry, b: Entry): boolean {
  const bare = ({ origins, neededBy, package: from, ...node }: Entry): string =>
    JSON.stringify(sortKeys(node))
  return bare(a) === bare(b)
}

function sortKeys(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function union(a: readonly Origin[], b: readonly Origin[]): readonly Origin[] {
  const seen = new Set(a.map((origin) => JSON.stringify(origin)))
  return [...a, ...b.filter((origin) => !seen.has(JSON.stringify(origin)))]
}

/**
 * Joins trees. The same node asked for twice is one entry with the origins of both; two different nodes at one
 * path are a conflict. All conflicts are reported at once.
 *
 * @throws UserError naming both origins of each conflict.
 */
export function mergeTrees(...trees: readonly FileTree[]): FileTree {
  const result = new Map<string, Entry>()
  const conflicts: Diagnostic[] = []
  for (const tree of trees) {
    for (const [path, entry] of tree) {
      const present = result.get(path)
      if (present === undefined) {
        result.set(path, entry)
      } else if (sameNode(present, entry)) {
        result.set(path, { ...present, origins: union(present.origins, entry.origins) })
      } else {
        conflicts.push({
          what: `two different things at ${path}: a ${describe(present)} and a ${describe(entry)}`,
          where: [...present.origins, ...entry.origins],
          fix: 'let only one of them provide this path',
        })
      }
    }
  }
  if (conflicts.length > 0) throw new UserError(...conflicts)
  return result
}

/**
 * Adds the directories that entries lie in and nobody asked for (0755, root). Fails where such a directory is
 * something else, and where a hard link points at nothing.
 *
 * @throws UserError
 */
export function completeTree(tree: FileTree): FileTree {
  const result = new Map(tree)
  const problems: Diagnostic[] = []
  for (const [path, entry] of tree) {
    for (let parent = parentPath(path); parent !== '/'; parent = parentPath(parent)) {
      const present = result.get(parent)
      if (present === undefined) {
        result.set(parent, { type: 'directory', mode: 0o755, uid: 0, gid: 0, origins: [] })
      } else if (present.type !== 'directory') {
        problems.push({
          what: `${path} cannot exist: ${parent} is a ${describe(present)}, not a directory`,
          where: [...entry.origins, ...present.origins],
        })
        break
      }
    }
    if (entry.type === 'hardlink' && tree.get(entry.target)?.type !== 'file') {
      problems.push({
        what: `${path} is a hard link to ${entry.target}, which is no file`,
        where: [...entry.origins],
      })
    }
  }
  if (problems.length > 0) throw new UserError(...problems)
  return result
}

/** Every entry in the order of its path's bytes; a directory comes before what it holds. */
export function sortedEntries(tree: FileTree): readonly (readonly [string, Entry])[] {
  return [...tree].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}

/** Bytes of content; 0 for what has none. */
export function contentSize(content: Content): number {
  switch (content.type) {
    case 'text':
      return Buffer.byteLength(content.text)
    case 'artifact':
      return content.artifact.digest.sizeBytes
    case 'slice':
      return content.sizeBytes
  }
}
