import { type Node, type PackageIdentity, parentPath } from '../filetree/index.ts'
import type { Owned } from './namespace.ts'
import { type Need, needsOf, type Surroundings } from './needs.ts'

/** A node of the target, where it came from, and what made it necessary. JSON, so that the engine can remember it. */
export interface ClosureFile {
  readonly path: string
  readonly node: Node
  readonly package: PackageIdentity
  /** The chain of files from a root to what needs this one; empty for a root. */
  readonly neededBy: readonly string[]
  /** All roots that need it, by their place in the list of roots, in order. */
  readonly roots: readonly number[]
}

/** A name that something in the closure needs and that is not there. */
export interface ClosureLack {
  readonly kind: 'library' | 'interpreter' | 'link-target'
  /** Canonical path, or the bare name of a library. */
  readonly name: string
  /** From a root to the file that needs it. */
  readonly neededBy: readonly string[]
  readonly roots: readonly number[]
}

export interface ClosureFacts {
  /** In the order of their paths. */
  readonly files: readonly ClosureFile[]
  readonly lacks: readonly ClosureLack[]
}

interface Reached {
  readonly chain: readonly string[]
  readonly roots: Set<number>
}

/**
 * The files that are needed to use the roots, and nothing else: the roots (a directory stands for everything below
 * it), the links that lead to them, the interpreters and shared libraries of programs, the interpreters of scripts,
 * and the data of `package-data.ts`, all of it recursively.
 *
 * @param roots canonical paths that exist
 */
export function closureOf(around: Surroundings, roots: readonly string[]): ClosureFacts {
  const needs = rememberNeeds(around)
  const files = new Map<string, Reached>()
  const lacks = new Map<string, Reached & Pick<ClosureLack, 'kind' | 'name'>>()
  for (const [index, root] of roots.entries()) {
    const queue: { path: string; rpath: readonly string[]; chain: readonly string[] }[] = []
    const seen = new Set<string>()
    const visit = (path: string, rpath: readonly string[], chain: readonly string[]) => {
      const key = [path, ...rpath].join('\0')
      if (seen.has(key)) return
      seen.add(key)
      reach(files, path, { chain, roots: new Set() }, index)
      queue.push({ path, rpath, chain: [...chain, path] })
    }
    visit(root, [], [])
    // Breadth first: the chain that is told is a shortest one.
    for (const { path, rpath, chain } of queue) {
      for (const need of needs(path, rpath)) {
        if (need.type === 'file') {
          visit(need.path, need.rpath, chain)
        } else if (need.type === 'missing-path') {
          const lack = { kind: need.kind, name: need.path, chain, roots: new Set<number>() }
          reach(lacks, `${need.kind}\0${need.path}`, lack, index)
        } else {
          const lack = { kind: 'library' as const, name: need.name, chain, roots: new Set<number>() }
          reach(lacks, `library\0${need.name}\0${path}`, lack, index)
        }
      }
    }
  }
  return {
    files: withHardLinks(withFolders(around, files)),
    lacks: [...lacks]
      .sort(byFirst)
      .map(([, { kind, name, chain, roots }]) => ({ kind, name, neededBy: chain, roots: [...roots] })),
  }
}

function reach<T extends Reached>(map: Map<string, T>, key: string, first: T, root: number): void {
  const present = map.get(key) ?? first
  present.roots.add(root)
  map.set(key, present)
}

function byFirst([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Most files are needed by many roots; what they need is found out once. */
function rememberNeeds(around: Surroundings) {
  const known = new Map<string, readonly Need[]>()
  return (path: string, rpath: readonly string[]): readonly Need[] => {
    const key = [path, ...rpath].join('\0')
    const owned = around.space.get(path)
    const needs = known.get(key) ?? (owned === undefined ? [] : needsOf(around, owned, rpath))
    known.set(key, needs)
    return needs
  }
}

/** The files, and the directories above them where those are not what a missing one becomes (0755, root). */
function withFolders({ space }: Surroundings, files: ReadonlyMap<string, Reached>): readonly ClosureFile[] {
  const result = new Map<string, ClosureFile>()
  for (const [path, { chain, roots }] of [...files].sort(byFirst)) {
    const owned = space.get(path)
    if (owned === undefined) continue
    result.set(path, { path, ...nodeOf(owned), neededBy: chain, roots: [...roots] })
    for (let parent = parentPath(path); parent !== '/'; parent = parentPath(parent)) {
      const folder = space.get(parent)
      if (folder?.file.type !== 'directory' || files.has(parent)) continue
      const { mode, uid, gid } = folder.file
      if (mode === 0o755 && uid === 0 && gid === 0) continue
      const all = new Set([...(result.get(parent)?.roots ?? []), ...roots])
      const neededBy = result.get(parent)?.neededBy ?? [...chain, path]
      result.set(parent, { path: parent, ...nodeOf(folder), neededBy, roots: [...all].sort((a, b) => a - b) })
    }
  }
  return [...result].sort(byFirst).map(([, file]) => file)
}

/** A file of a package as a node of the target's file system. */
export function nodeOf({ content, file }: Owned): { readonly node: Node; readonly package: PackageIdentity } {
  const { name, version, architecture } = content.package
  const from = { name, version, architecture }
  const { mode, uid, gid } = file
  switch (file.type) {
    case 'file': {
      const { offsetBytes, sizeBytes } = file
      const slice = { type: 'slice' as const, artifact: content.data, offsetBytes, sizeBytes }
      return { node: { type: 'file', mode, uid, gid, content: slice }, package: from }
    }
    case 'directory':
      return { node: { type: 'directory', mode, uid, gid }, package: from }
    case 'symlink':
      return { node: { type: 'symlink', target: file.target, uid, gid }, package: from }
    case 'device': {
      const { kind, major, minor } = file
      return { node: { type: 'device', kind, major, minor, mode, uid, gid }, package: from }
    }
  }
}

/** Names of one file (the same range of the same data.tar) are one file here too: the first, and links to it. */
function withHardLinks(files: readonly ClosureFile[]): readonly ClosureFile[] {
  const first = new Map<string, string>()
  return files.map((file) => {
    const { node } = file
    if (node.type !== 'file' || node.content.type !== 'slice' || node.content.sizeBytes === 0) return file
    const key = `${node.content.artifact.digest.sha256} ${node.content.offsetBytes}`
    const target = first.get(key)
    if (target !== undefined) return { ...file, node: { type: 'hardlink', target } }
    first.set(key, file.path)
    return file
  })
}
