/** Folders as trees of `Directory` messages: building them, reading them, taking them from a disk. */
import {
  chmodSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { UserError } from '../diagnostics/index.ts'
import { type Artifact, type Digest, digestOf, type TreeArtifact } from './artifact.ts'
import { errorCode } from './failure.ts'
import type { Intake, Staged } from './intake.ts'
import { type Directory, decodeDirectory, encodeDirectory } from './messages.ts'
import { checkRelativePath } from './paths.ts'
import { blobPath, type Store } from './store.ts'

/** Reads `Directory` messages of the store; undefined when it is absent or not one. */
export type DirectoryReader = (digest: Digest) => Directory | undefined

/** Remembers what it has read: the content behind a digest never changes. */
export function createDirectoryReader(store: Pick<Store, 'folder'>): DirectoryReader {
  const known = new Map<string, Directory>()
  return (digest) => {
    const remembered = known.get(digest.sha256)
    if (remembered !== undefined) return remembered
    let bytes: Buffer
    try {
      bytes = readFileSync(blobPath(store, digest.sha256))
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined
      throw error
    }
    const directory = bytes.length === digest.sizeBytes ? decodeDirectory(bytes) : undefined
    if (directory !== undefined) known.set(digest.sha256, directory)
    return directory
  }
}

/** The same, where the absence of a message means that somebody has harmed the store. */
export function readWhole(read: DirectoryReader, digest: Digest): Directory {
  const directory = read(digest)
  if (directory !== undefined) return directory
  throw new UserError({
    what: `The store has lost a folder (${digest.sha256})`,
    why: 'its description is missing or damaged',
    fix: 'run `firmwright store verify --repair`, then build again',
  })
}

/** Everything that a tree consists of, each once and by SHA-256: its messages and the content of its files. */
export function treeDigests(
  read: DirectoryReader,
  digest: Digest,
  found: Map<string, Digest> = new Map(),
): Map<string, Digest> {
  if (found.has(digest.sha256)) return found
  found.set(digest.sha256, digest)
  const directory = readWhole(read, digest)
  for (const file of directory.files) found.set(file.digest.sha256, file.digest)
  for (const child of directory.directories) treeDigests(read, child.digest, found)
  return found
}

/** A tree as `Directory` messages that are not in the store yet. */
export interface TreeMessages {
  readonly root: Digest
  /** By SHA-256. */
  readonly messages: ReadonlyMap<string, Buffer>
}

/** A folder under construction: a file, a finished tree, or a folder still open to additions. */
type Draft = Map<string, Draft | Artifact | { readonly kind: 'symlink'; readonly target: string }>

/**
 * Puts artifacts at paths into one tree. A path inside a tree artifact adds to a copy of that tree; two
 * artifacts for one path are an error.
 */
export function composeTree(
  entries: Readonly<Record<string, Artifact>>,
  read: DirectoryReader,
): TreeMessages {
  const root: Draft = new Map()
  for (const [path, artifact] of Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1))) {
    checkRelativePath(path, 'the path')
    const parts = path.split('/')
    const name = parts.pop() ?? ''
    let folder = root
    for (const [depth, part] of parts.entries()) {
      let next = folder.get(part)
      if (next === undefined) next = new Map()
      else if (!(next instanceof Map)) {
        if (next.kind !== 'tree') {
          throw new Error(`${path} cannot be placed: ${parts.slice(0, depth + 1).join('/')} is not a folder`)
        }
        next = openDraft(readWhole(read, next.digest))
      }
      folder.set(part, next)
      folder = next
    }
    if (folder.has(name)) throw new Error(`there are two artifacts for ${path}`)
    folder.set(name, artifact)
  }
  const messages = new Map<string, Buffer>()
  return { root: encodeDraft(root, messages), messages }
}

function openDraft(directory: Directory): Draft {
  const draft: Draft = new Map()
  for (const { name, digest, executable } of directory.files)
    draft.set(name, { kind: 'file', digest, executable })
  for (const { name, digest } of directory.directories) draft.set(name, { kind: 'tree', digest })
  for (const { name, target } of directory.symlinks) draft.set(name, { kind: 'symlink', target })
  return draft
}

function encodeDraft(draft: Draft, messages: Map<string, Buffer>): Digest {
  const files = []
  const directories = []
  const symlinks = []
  for (const [name, entry] of draft) {
    if (entry instanceof Map) directories.push({ name, digest: encodeDraft(entry, messages) })
    else if (entry.kind === 'tree') directories.push({ name, digest: entry.digest })
    else if (entry.kind === 'symlink') symlinks.push({ name, target: entry.target })
    else files.push({ name, digest: entry.digest, executable: entry.executable })
  }
  const bytes = encodeDirectory({ files, directories, symlinks })
  const digest = digestOf(bytes)
  messages.set(digest.sha256, bytes)
  return digest
}

/** After this many files the event loop gets a turn. */
const filesPerTurn = 64

export interface StageOptions {
  /** Files are moved into the store instead of copied where that is possible. */
  readonly adopt?: boolean
  /** Rights that a command has taken away from its own files are given back. */
  readonly reclaim?: boolean
  /** By inode, places where a sandbox had an artifact: what is taken there is that, not what lies below. */
  readonly places?: ReadonlyMap<number, Artifact>
  readonly signal: AbortSignal
}

/** Stages a file or folder from a disk and everything in it. */
export async function stagePath(
  intake: Intake,
  path: string,
  { adopt = false, reclaim = false, places = new Map(), signal }: StageOptions,
): Promise<{ artifact: Artifact; staged: Staged[] }> {
  const staged: Staged[] = []
  let turn = 0

  /** What the owner must be allowed to for the file or folder to be taken; root may anyway. */
  function ensureRights(place: string, mode: number, rights: number): void {
    if (reclaim && (mode & rights) !== rights) chmodSync(place, (mode & 0o7777) | rights)
  }

  async function stageFile(file: string, sizeBytes: number, links: number): Promise<Digest> {
    if (++turn % filesPerTurn === 0) await setImmediate(undefined, { signal })
    const item = await intake.stageFile(file, sizeBytes, adopt && links === 1)
    staged.push(item)
    return item.digest
  }

  async function stageFolder(folder: string): Promise<TreeArtifact> {
    const files = []
    const directories = []
    const symlinks = []
    for (const name of readdirSync(folder)) {
      const child = `${folder}/${name}`
      if (name.includes('\ufffd')) {
        throw new UserError({ what: `The name of ${child} is not UTF-8`, fix: 'rename it' })
      }
      const stat = lstatSync(child)
      const place = places.get(stat.ino)
      if (place?.kind === 'tree') directories.push({ name, digest: place.digest })
      else if (place !== undefined) files.push({ name, ...place })
      else if (stat.isDirectory()) {
        ensureRights(child, stat.mode, 0o700)
        directories.push({ name, digest: (await stageFolder(child)).digest })
      } else if (stat.isSymbolicLink()) symlinks.push({ name, target: readlinkSync(child) })
      else if (stat.isFile()) {
        ensureRights(child, stat.mode, 0o400)
        const digest = await stageFile(child, stat.size, stat.nlink)
        files.push({ name, digest, executable: (stat.mode & 0o111) !== 0 })
      } else {
        throw new UserError({
          what: `${child} cannot be taken into the store`,
          why: 'it is a device, a pipe or a socket; a tree holds files, folders and symbolic links',
        })
      }
    }
    const message = intake.stageBytes(encodeDirectory({ files, directories, symlinks }))
    staged.push(message)
    return { kind: 'tree', digest: message.digest }
  }

  async function stage(): Promise<Artifact> {
    const real = realpathSync(path)
    const stat = statSync(real)
    const place = places.get(stat.ino)
    if (place !== undefined) return place
    ensureRights(real, stat.mode, stat.isDirectory() ? 0o700 : 0o400)
    if (stat.isDirectory()) return stageFolder(real)
    if (!stat.isFile()) {
      throw new UserError({
        what: `${path} cannot be taken into the store`,
        why: 'it is neither a file nor a folder',
      })
    }
    const digest = await stageFile(real, stat.size, stat.nlink)
    return { kind: 'file', digest, executable: (stat.mode & 0o111) !== 0 }
  }

  try {
    return { artifact: await stage(), staged }
  } catch (error) {
    // The disk may be full: give back what has been taken of it.
    for (const item of staged) if (item.path !== undefined) rmSync(item.path, { force: true })
    throw error
  }
}
