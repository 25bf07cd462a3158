import { posix } from 'node:path'
import { canonicalPath, parentPath } from '../filetree/index.ts'
import type { PackageFile } from './content.ts'
import { defaultLibraryFolders, expandFolders } from './libraries.ts'
import type { Namespace, Owned } from './namespace.ts'
import { matchesPattern, packageData } from './package-data.ts'

/** Something that a file needs: another file, or a name that could not be found. */
export type Need =
  /** `rpath`: where the loader also looks for what this file needs, because of what loaded it. */
  | { readonly type: 'file'; readonly path: string; readonly rpath: readonly string[] }
  | { readonly type: 'missing-library'; readonly name: string }
  | { readonly type: 'missing-path'; readonly kind: 'interpreter' | 'link-target'; readonly path: string }

/** What is asked about: files of packages, for one architecture, beside what the system has from elsewhere. */
export interface Surroundings {
  readonly space: Namespace
  readonly architecture: string
  /** Canonical paths. */
  readonly provided: ReadonlySet<string>
}

/**
 * What one file needs, directly.
 *
 * @param inherited the rpaths of what loaded it (see {@link Need})
 */
export function needsOf(around: Surroundings, owned: Owned, inherited: readonly string[]): readonly Need[] {
  const { content, file } = owned
  return [
    ...dataNeeds(owned),
    ...(file.type === 'symlink'
      ? pathNeeds(around, posix.resolve(parentPath(file.path), file.target), 'link-target', inherited)
      : []),
    ...(file.type === 'directory'
      ? [...content.files.keys()].filter((path) => path.startsWith(`${file.path}/`)).map(fileNeed)
      : []),
    ...(file.type === 'file' ? programNeeds(around, file, inherited) : []),
  ]
}

function fileNeed(path: string): Need {
  return { type: 'file', path, rpath: [] }
}

/** A path that must lead somewhere: the links on the way to it, and what is there. */
function pathNeeds(
  around: Surroundings,
  wanted: string,
  kind: 'interpreter' | 'link-target',
  rpath: readonly string[] = [],
): readonly Need[] {
  const { links, end } = around.space.resolve(wanted)
  const path = canonicalPath(wanted)
  if (end !== undefined) return [...links.map(fileNeed), { type: 'file', path: end, rpath }]
  if (around.provided.has(path)) return links.map(fileNeed)
  return [...links.map(fileNeed), { type: 'missing-path', kind, path }]
}

function programNeeds(
  around: Surroundings,
  file: Extract<PackageFile, { type: 'file' }>,
  inherited: readonly string[],
): readonly Need[] {
  const { elf, shebang } = file
  const needs: Need[] = []
  if (elf?.interpreter !== undefined) needs.push(...pathNeeds(around, elf.interpreter, 'interpreter'))
  if (elf !== undefined) needs.push(...libraryNeeds(around, file.path, elf, inherited))
  if (shebang !== undefined) {
    needs.push(...pathNeeds(around, shebang.interpreter, 'interpreter'))
    const program = shebang.interpreter.endsWith('/env') ? envProgram(shebang.argument) : undefined
    if (program !== undefined) {
      needs.push(...pathNeeds(around, inSearchPath(around, program), 'interpreter'))
    }
  }
  return needs
}

function dataNeeds({ content, file }: Owned): readonly Need[] {
  return (packageData[content.package.name] ?? [])
    .filter(({ users }) => users.some((pattern) => matchesPattern(file.path, pattern)))
    .flatMap(({ needs }) =>
      [...content.files.keys()].filter((path) => needs.some((pattern) => matchesPattern(path, pattern))),
    )
    .map(fileNeed)
}

/** `#!/usr/bin/env [-S] [NAME=VALUE…] PROGRAM …` (env(1)). */
function envProgram(argument: string | undefined): string | undefined {
  return (argument ?? '')
    .split(/\s+/)
    .find((word) => word !== '' && !word.startsWith('-') && !word.includes('='))
}

function inSearchPath({ space, provided }: Surroundings, program: string): string {
  if (program.startsWith('/')) return program
  const inSbin = `/usr/sbin/${program}`
  return space.resolve(inSbin).end !== undefined || provided.has(inSbin) ? inSbin : `/usr/bin/${program}`
}

/**
 * The libraries of an ELF file, sought as the loader does (ld.so(8)): a name with a slash is a path; otherwise the
 * file's own rpath and those of what loaded it (unless it has a runpath, which then counts alone), then the default
 * directories. A file for another machine or word size is passed over.
 */
function libraryNeeds(
  { space, architecture, provided }: Surroundings,
  path: string,
  elf: NonNullable<Extract<PackageFile, { type: 'file' }>['elf']>,
  inherited: readonly string[],
): readonly Need[] {
  const folder = parentPath(path)
  const runpath = expandFolders(elf.runpath, folder, architecture)
  const rpath = [...expandFolders(elf.rpath, folder, architecture), ...inherited]
  const folders = [...(elf.runpath.length > 0 ? runpath : rpath), ...defaultLibraryFolders(architecture)]
  return elf.needed.flatMap((name): readonly Need[] => {
    const candidates = name.includes('/')
      ? expandFolders([name], folder, architecture)
      : folders.map((where) => `${where}/${name}`)
    for (const candidate of candidates) {
      const { links, end } = space.resolve(candidate)
      const library = end === undefined ? undefined : space.get(end)?.file
      if (end === undefined || library?.type !== 'file') {
        if (provided.has(canonicalPath(candidate))) return []
      } else if (library.elf?.class === elf.class && library.elf.machine === elf.machine) {
        return [...links.map(fileNeed), { type: 'file', path: end, rpath }]
      }
    }
    return [{ type: 'missing-library', name }]
  })
}
