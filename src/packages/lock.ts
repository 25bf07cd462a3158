import { readFile, rename, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { UserError } from '../diagnostics/index.ts'
import { lineOfJsonError, lineOfJsonPath } from './json-line.ts'
import type { RequestNames } from './request.ts'

/**
 * `firmwright.lock`: which bytes a system's packages are. It lies beside the system file and belongs in version
 * control. It names no mirror: any mirror that has the pinned version, with the pinned SHA-256, will do.
 *
 * A lock holds *sets*. A set answers one request, of one system, for one release and architecture.
 */
export interface Lock {
  readonly sets: readonly LockedSet[]
}

export interface LockedSet {
  /** Tells the sets of several systems that share a lock apart. */
  readonly name: string
  readonly release: string
  readonly architecture: string
  readonly request: RequestNames
  /** Kernel metapackages of the request, and the package that each stood for: `linux-image-arm64`. */
  readonly metapackages: Readonly<Record<string, string>>
  /** Sorted by name. */
  readonly packages: readonly PinnedPackage[]
}

export interface PinnedPackage {
  readonly name: string
  readonly version: string
  /** The target's architecture, or `all`. */
  readonly architecture: string
  readonly sha256: string
  readonly sizeBytes: number
  /** Path below a mirror's base address. */
  readonly filename: string
  /** Asked for without what it depends on, and no other package of the set depends on it. */
  readonly alone?: true
}

export const emptyLock: Lock = { sets: [] }

const name = z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, 'not a package name')
const word = z.string().regex(/^[a-z0-9][a-z0-9.-]*$/, 'not a word of small letters, digits, dots and dashes')
const pinned = z.strictObject({
  name,
  version: z.string().regex(/^[A-Za-z0-9.+:~-]+$/, 'not a package version'),
  architecture: word,
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'not a SHA-256'),
  sizeBytes: z.number().int().nonnegative(),
  filename: z
    .string()
    .regex(/^[^/\s][^\s]*\.deb$/, 'not a path of a .deb file')
    .refine((path) => !path.split('/').includes('..') && !path.includes('://'), 'not a path below a mirror'),
  alone: z.literal(true).exactOptional(),
})
const lockedSet = z.strictObject({
  name: z.string().min(1),
  release: word,
  architecture: word,
  request: z.strictObject({ install: z.array(name), only: z.array(name) }),
  metapackages: z.record(name, name),
  packages: z.array(pinned),
})
const lockFile = z.strictObject({
  comment: z.string().optional(),
  version: z.literal(1),
  sets: z.array(lockedSet),
})

const comment = 'Pins of Debian packages. Keep it in version control; `firmwright update` moves the pins.'

/**
 * Reads the text of a lock.
 *
 * @param file as the user knows it, for messages
 * @throws UserError naming the place; a lock is never replaced because it could not be read.
 */
export function parseLock(text: string, file: string): Lock {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (error) {
    throw badLock(file, lineOfJsonError(text), 'it is not JSON', (error as Error).message)
  }
  const version = (data as { version?: unknown } | null)?.version
  if (typeof version === 'number' && version !== 1) {
    throw new UserError({
      what: `${file} is a lock of format ${version}, and this Firmwright knows format 1`,
      where: [{ file }],
      fix: version > 1 ? 'use a newer Firmwright' : 'restore it from version control',
    })
  }
  const parsed = lockFile.safeParse(data)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const path = issue?.path ?? []
    throw badLock(
      file,
      lineOfJsonPath(text, path),
      `${jsonPath(path)}: ${issue?.message ?? 'wrong'}`,
      undefined,
    )
  }
  const keys = parsed.data.sets.map(setKey)
  const twice = keys.find((key, index) => keys.indexOf(key) !== index)
  if (twice !== undefined) {
    throw badLock(file, undefined, `the set ${twice} is there twice`, 'a merge may have kept both sides')
  }
  for (const set of parsed.data.sets) {
    const names = set.packages.map((entry) => entry.name)
    const double = names.find((entry, index) => names.indexOf(entry) !== index)
    if (double !== undefined) {
      const why = 'a merge may have kept both sides'
      throw badLock(file, undefined, `the set ${setKey(set)} pins ${double} twice`, why)
    }
  }
  return { sets: parsed.data.sets }
}

export function setKey(set: Pick<LockedSet, 'name' | 'release' | 'architecture'>): string {
  return `${set.name} ${set.release}/${set.architecture}`
}

function badLock(file: string, line: number | undefined, what: string, why: string | undefined): UserError {
  return new UserError({
    what: `${file} is not a usable lock: ${what}`,
    where: [line === undefined ? { file } : { file, line }],
    ...(why === undefined ? {} : { why }),
    fix: 'restore it from version control, or delete it and run `firmwright update` to pin afresh',
  })
}

function jsonPath(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the top'
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '')
}

/** The text of a lock: the same lock, the same bytes; one package a line, so that a change reads well. */
export function printLock(lock: Lock): string {
  const sets = [...lock.sets].sort((a, b) => compare(setKey(a), setKey(b))).map(printSet)
  const body = sets.length === 0 ? '[]' : `[\n${sets.join(',\n')}\n  ]`
  return `{\n  "comment": ${JSON.stringify(comment)},\n  "version": 1,\n  "sets": ${body}\n}\n`
}

function printSet(set: LockedSet): string {
  const line = (key: string, value: unknown) => `      ${JSON.stringify(key)}: ${JSON.stringify(value)}`
  const metapackages = Object.fromEntries(Object.entries(set.metapackages).sort(([a], [b]) => compare(a, b)))
  const packages = [...set.packages]
    .sort((a, b) => compare(a.name, b.name))
    .map(({ name, version, architecture, sha256, sizeBytes, filename, alone }) =>
      JSON.stringify({ name, version, architecture, sha256, sizeBytes, filename, ...(alone && { alone }) }),
    )
  return [
    '    {',
    [
      line('name', set.name),
      line('release', set.release),
      line('architecture', set.architecture),
      line('request', { install: set.request.install, only: set.request.only }),
      line('metapackages', metapackages),
      `      "packages": ${packages.length === 0 ? '[]' : `[\n        ${packages.join(',\n        ')}\n      ]`}`,
    ].join(',\n'),
    '    }',
  ].join('\n')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Reads a lock file; an absent one is an empty lock. */
export async function readLock(file: string): Promise<Lock> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return emptyLock
    throw new UserError({
      what: `${file} cannot be read: ${(error as Error).message}`,
      where: [{ file }],
    })
  }
  return parseLock(text, file)
}

/**
 * Puts a set in the place of the one with the same name, release and architecture. Atomic. A set of a whole file
 * (`router`) and sets of single systems in it (`router/edge`) take each other's place.
 */
export async function writeLockedSet(file: string, set: LockedSet): Promise<void> {
  const lock = await readLock(file)
  const others = lock.sets.filter(
    (other) =>
      setKey(other) !== setKey(set) &&
      !other.name.startsWith(`${set.name}/`) &&
      !set.name.startsWith(`${other.name}/`),
  )
  const temporary = `${file}.${process.pid}.tmp`
  try {
    await writeFile(temporary, printLock({ sets: [...others, set] }))
    await rename(temporary, file)
  } catch (error) {
    throw new UserError({
      what: `${file} cannot be written: ${(error as Error).message}`,
      where: [{ file }],
      fix: 'make the folder writable, or build with a lock that already answers the request',
    })
  }
}
