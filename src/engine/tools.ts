/**
 * Programs of the host. The fingerprint of a program stands in the key of every command that uses it: the
 * SHA-256 of the file and of the shared libraries that it loads, for a script of the interpreter as well.
 * Paths are not part of it, so that two machines with the same packages have the same keys.
 */
import { createHash } from 'node:crypto'
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { basename } from 'node:path'
import { UserError } from '../diagnostics/index.ts'
import { executorPath } from './action.ts'
import { hashFile } from './hash.ts'
import { canonicalJson } from './json.ts'
import { sealedJson, unsealJson, writeDurably } from './record.ts'
import type { Store } from './store.ts'

export interface Toolbox {
  /** Throws a `UserError` when the host does not have the tool. */
  fingerprint(tool: string): Promise<string>
  /** Writes down what was found out, for the next process. */
  save(): void
}

/** What tells that a file is unchanged without reading it. */
interface KnownFile {
  readonly state: string
  readonly sha256: string
  /** Real paths of the shared libraries, when they were asked for; valid while `linkerState` is. */
  readonly libraries?: readonly string[]
}

interface Cache {
  readonly version: 1
  /** State of the dynamic linker's own cache: what a library name stands for depends on it. */
  readonly linkerState: string
  readonly files: Readonly<Record<string, KnownFile>>
}

function fileState(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (stat === undefined) return 'absent'
  return `${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.ino}:${stat.dev}`
}

export function createToolbox(store: Store): Toolbox {
  const cachePath = `${store.folder}/cache/tools`
  const linkerState = fileState('/etc/ld.so.cache')
  const known = new Map(Object.entries(readCache(cachePath, linkerState)))
  const fingerprints = new Map<string, Promise<string>>()
  let changed = false

  async function fileHash(path: string, state: string): Promise<KnownFile> {
    const remembered = known.get(path)
    if (remembered?.state === state) return remembered
    const file = { state, sha256: (await hashFile(path)).sha256 }
    known.set(path, file)
    changed = true
    return file
  }

  async function librariesOf(path: string, state: string): Promise<readonly string[]> {
    const file = await fileHash(path, state)
    if (file.libraries !== undefined) return file.libraries
    const libraries = await listLibraries(path)
    known.set(path, { ...file, libraries })
    changed = true
    return libraries
  }

  /** Adds to `parts`, by real path, every file that makes up the program at `path`. */
  async function describe(path: string, parts: Map<string, string>): Promise<void> {
    const real = realpathSync(path)
    if (parts.has(real)) return
    const state = fileState(real)
    parts.set(real, (await fileHash(real, state)).sha256)
    const interpreter = interpreterOf(real)
    if (interpreter !== undefined) {
      for (const program of interpreter) await describe(findTool(program, basename(path)), parts)
      return
    }
    for (const library of await librariesOf(real, state)) {
      parts.set(library, (await fileHash(library, fileState(library))).sha256)
    }
  }

  async function compute(tool: string): Promise<string> {
    const parts = new Map<string, string>()
    await describe(findTool(tool), parts)
    const lines = [...parts].map(([path, sha256]) => `${basename(path)} ${sha256}`).sort()
    return createHash('sha256').update(canonicalJson(lines)).digest('hex')
  }

  return {
    fingerprint(tool) {
      let fingerprint = fingerprints.get(tool)
      if (fingerprint === undefined) {
        fingerprint = compute(tool)
        fingerprints.set(tool, fingerprint)
        // It may be installed by the next time that somebody asks.
        fingerprint.catch(() => fingerprints.delete(tool))
      }
      return fingerprint
    },
    save() {
      if (!changed) return
      const cache: Cache = { version: 1, linkerState, files: Object.fromEntries(known) }
      writeDurably(store, cachePath, sealedJson(cache))
      changed = false
    },
  }
}

/** Whatever is wrong with a cache, the answer is to do without it. */
function readCache(path: string, linkerState: string): Readonly<Record<string, KnownFile>> {
  try {
    const cache = unsealJson(readFileSync(path, 'utf8')) as Cache | undefined
    if (cache?.version !== 1) return {}
    if (cache.linkerState === linkerState) return cache.files
    return Object.fromEntries(
      Object.entries(cache.files).map(([file, { state, sha256 }]) => [file, { state, sha256 }]),
    )
  } catch {
    return {}
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** Absolute path of a program. `neededBy` is the script whose interpreter it is. */
function findTool(tool: string, neededBy?: string): string {
  const candidates = tool.startsWith('/')
    ? [tool]
    : executorPath.split(':').map((folder) => `${folder}/${tool}`)
  const found = candidates.find(isProgram)
  if (found !== undefined) return found
  const name = basename(tool)
  const debianPackage = packageOf(name)
  throw new UserError({
    what: `The program ${name} is not installed`,
    why: `${neededBy === undefined ? 'it' : `${neededBy} needs it; it`} was looked for in ${tool.startsWith('/') ? tool : executorPath}`,
    fix: debianPackage === undefined ? `install ${name}` : `install the Debian package ${debianPackage}`,
  })
}

/** Which Debian package has a program, from the lists that come with Firmwright. */
export function packageOf(tool: string): string | undefined {
  try {
    const lists = JSON.parse(
      readFileSync(new URL('../../host-tools.json', import.meta.url), 'utf8'),
    ) as Readonly<Record<string, Readonly<Record<string, string>>>>
    return Object.values(lists).find((list) => Object.hasOwn(list, tool))?.[tool]
  } catch {
    return undefined
  }
}

/**
 * The programs that the `#!` line of a script starts, or undefined when the file is not a script. Linux reads
 * 256 bytes of it (BINPRM_BUF_SIZE); `env` starts its own first argument that is no option or assignment.
 */
function interpreterOf(path: string): readonly string[] | undefined {
  const buffer = Buffer.alloc(256)
  const descriptor = openSync(path, 'r')
  try {
    readSync(descriptor, buffer, 0, buffer.length, 0)
  } finally {
    closeSync(descriptor)
  }
  const text = buffer.toString('latin1')
  if (!text.startsWith('#!')) return undefined
  const words = (text.slice(2).split(/[\n\0]/)[0] ?? '').trim().split(/\s+/)
  const [interpreter = '', ...rest] = words
  if (interpreter === '') return undefined
  if (basename(interpreter) !== 'env') return [interpreter]
  const started = rest.find((word) => !word.startsWith('-') && !word.includes('='))
  return started === undefined ? [interpreter] : [interpreter, started]
}

/** What `ldd` says that a program loads; nothing for a static one. */
async function listLibraries(path: string): Promise<readonly string[]> {
  const { execFile } = await import('node:child_process')
  return new Promise((resolve) => {
    const env = { PATH: executorPath, LC_ALL: 'C' }
    execFile(findTool('ldd'), [path], { env, timeout: 30_000 }, (_error, stdout) => {
      // "\tlibc.so.6 => /lib/…/libc.so.6 (0x…)" and, for the loader itself, "\t/lib64/ld-… (0x…)".
      const found = [...stdout.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/gm)]
      const libraries = found.map(([, library = '']) => realpathSync(library))
      resolve([...new Set(libraries)].sort())
    })
  })
}
