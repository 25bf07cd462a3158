import { canonicalPath } from '../filetree/index.ts'
import type { PackageContent, PackageFile } from './content.ts'

/** A file and the package it is from. */
export interface Owned {
  readonly content: PackageContent
  readonly file: PackageFile
}

/** All packages of a solution laid over each other, as they would be installed. */
export interface Namespace {
  get(path: string): Owned | undefined
  /**
   * Follows a path through symbolic links, those on the way included, as the kernel does (path_resolution(7)).
   * `links` are the links passed, `end` is where it leads; undefined where nothing is.
   */
  resolve(path: string): { readonly links: readonly string[]; readonly end: string | undefined }
}

/** Linux follows at most 40 (MAXSYMLINKS). */
const maxLinks = 40

/**
 * @param contents in the order in which one hides another where two packages have a path that is no directory
 *   (dpkg would refuse them, unless one says that it replaces the other)
 */
export function layOver(contents: readonly PackageContent[]): Namespace {
  const files = new Map<string, Owned>()
  for (const content of contents) {
    for (const [path, file] of content.files) {
      const present = files.get(path)
      if (present === undefined || (present.file.type === 'directory' && file.type !== 'directory')) {
        files.set(path, { content, file })
      }
    }
  }
  return { get: (path) => files.get(path), resolve: (path) => resolvePath(files, path) }
}

function resolvePath(
  files: ReadonlyMap<string, Owned>,
  path: string,
): { readonly links: readonly string[]; readonly end: string | undefined } {
  const links: string[] = []
  let done = '/'
  let todo = path.split('/')
  while (todo.length > 0) {
    const [part = '', ...rest] = todo
    todo = rest
    if (part === '' || part === '.') continue
    const next = canonicalPath(part === '..' ? `${done}/..` : `${done}/${part}`)
    const file = files.get(next)?.file
    if (file?.type !== 'symlink') {
      done = next
      continue
    }
    if (links.length >= maxLinks) return { links, end: undefined }
    if (!links.includes(next)) links.push(next)
    todo = [...file.target.split('/'), ...rest]
    if (file.target.startsWith('/')) done = '/'
  }
  return { links, end: files.has(done) ? done : undefined }
}
