/**
 * Running the commands of `$(shell,…)`: several at a time, and compiler probes only once for a compiler.
 *
 * Commands are given to a few shells that stay open, each command in a `sh -c` of its own (probes name their temporary
 * files by the process number `$$`). A result is kept under the command and the identity of every program and file that
 * the command names, so another compiler, or a changed script of the tree, gives other results. What answers differently
 * for no reason that a command shows, like `uname -r`, is asked every time.
 */
import { spawn } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { shellOutputToText } from './preprocess.ts'

export interface ProbeOptions {
  readonly environment: Readonly<Record<string, string>>
  /** where relative paths start and temporary files of probes go; default: an empty folder, for as long as they run */
  readonly folder?: string | undefined
  /** file to keep results in; undefined: nothing is kept */
  readonly cacheFile?: string | undefined
  readonly jobs?: number
}

export interface Probes {
  /** @returns the output of a command if it is kept, as `$(shell,…)` sees it */
  recall(command: string): string | undefined
  /** Runs commands side by side. What they write to standard error is in `errors`. */
  run(commands: readonly string[]): Promise<ReadonlyMap<string, string>>
  readonly errors: string
  /** Writes the kept results. A cache that cannot be written is no error. */
  save(): void
}

const cacheVersion = 2
/** A cache with more results than this is started anew: compilers come and go. */
const MAX_KEPT = 20_000

/** Programs whose answer is not the same every time, whatever they are given. */
const volatilePrograms =
  /(?:^|[\s;&|({`])(?:date|uname|hostname|whoami|id|nproc|git|pwd|ls|find|random)(?:$|[\s;&|)}`])/

/** Undefined for what is not there, and for what may not be looked at: a shell passes over it in PATH as well. */
function fileIdentity(path: string): string | undefined {
  try {
    const stat = statSync(path)
    // What a folder holds is not looked at: commands that list one are never kept.
    return stat.isDirectory() ? 'folder' : `${realpathSync.native(path)}:${stat.size}:${stat.mtimeMs}`
  } catch {
    return undefined
  }
}

export function createProbes(options: ProbeOptions): Probes {
  const { environment } = options
  const kept = readCache(options.cacheFile)
  const results = new Map<string, string>()
  const identities = new Map<string, string>()
  const fresh: { readonly parts: readonly string[]; readonly command: string; readonly output: string }[] = []
  let errors = ''

  const path = (environment.PATH ?? '/usr/bin:/bin').split(':').filter((entry) => entry !== '')
  /** What a word of a command stands for: the file with its size and time, or nothing. */
  function identityOf(word: string): string {
    const known = identities.get(word)
    if (known !== undefined) return known
    let identity = ''
    const candidates = word.includes('/')
      ? word.startsWith('/') || options.folder !== undefined
        ? [resolve(options.folder ?? '/', word)]
        : []
      : path.map((entry) => `${entry}/${word}`)
    for (const candidate of candidates) {
      const found = fileIdentity(candidate)
      if (found === undefined || (found === 'folder' && !word.includes('/'))) continue
      identity = found
      break
    }
    identities.set(word, identity)
    return identity
  }

  const toolNames = ['CC', 'LD', 'AR', 'NM', 'OBJCOPY', 'HOSTCC', 'RUSTC', 'BINDGEN', 'PAHOLE', 'AS'] as const
  /** Everything that a probe can depend on without naming it. */
  const surroundings = (() => {
    const parts = [`PATH=${environment.PATH ?? ''}`, `LANG=${environment.LANG ?? ''}`]
    for (const name of [
      ...toolNames,
      'CLANG_FLAGS',
      'CROSS_COMPILE',
      'RUSTC_BOOTSTRAP',
      'CPATH',
      'LIBRARY_PATH',
    ]) {
      const value = environment[name]
      if (value !== undefined) parts.push(`${name}=${value}`, ...value.split(/\s+/).map(identityOf))
    }
    // The compiler runs the assembler and the linker of its own prefix.
    const prefix = /^(.*?)(?:gcc|clang)[^/]*$/.exec(environment.CC ?? '')?.[1] ?? ''
    parts.push(identityOf(`${prefix}as`), identityOf(`${prefix}ld`))
    return parts.join('\n')
  })()

  /** What a command's result depends on, besides the command; undefined for one whose result may not be kept. */
  function partsOf(command: string): readonly string[] | undefined {
    if (volatilePrograms.test(command)) return undefined
    const words = command.split(/[\s"'`;|&<>(){}]+/).filter((word) => word !== '' && !word.startsWith('-'))
    return [surroundings, ...new Set(words.map(identityOf).filter((identity) => identity !== ''))]
  }

  function recall(command: string): string | undefined {
    const known = results.get(command)
    if (known !== undefined || kept.size === 0) return known
    const parts = partsOf(command)
    const output = parts && kept.get(command, parts)
    if (output !== undefined) results.set(command, output)
    return output
  }

  function record(command: string, output: string): void {
    const text = shellOutputToText(output)
    results.set(command, text)
    const parts = partsOf(command)
    if (parts !== undefined) fresh.push({ parts, command, output: text })
  }

  async function run(commands: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const queue = commands.filter((command) => results.get(command) === undefined)
    if (queue.length === 0) return results
    const workers = Math.max(1, Math.min(options.jobs ?? availableParallelism(), queue.length))
    let next = 0
    const take = (): string | undefined => queue[next++]
    const onError = (text: string): void => {
      errors += text
    }
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'kconfig-'))
    try {
      const serving = { folder, environment, take, record, onError }
      await Promise.all(Array.from({ length: workers }, () => serve(serving)))
    } finally {
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true })
    }
    return results
  }

  return {
    recall,
    run,
    get errors() {
      return errors
    },
    save() {
      const { cacheFile } = options
      if (fresh.length === 0 || cacheFile === undefined) return
      // Another process may have written in the meantime: what it found out stays.
      const now = readCache(cacheFile)
      for (const { parts, command, output } of fresh.splice(0)) now.set(command, parts, output)
      now.write(cacheFile)
    },
  }
}

interface Serving {
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  /** the next command; undefined when there is none left */
  take(): string | undefined
  record(command: string, output: string): void
  onError(text: string): void
}

/** One shell that works off commands. Between their outputs it writes a mark that no command can know. */
function serve(serving: Serving): Promise<void> {
  const { folder, environment, take, record, onError } = serving
  return new Promise((done, fail) => {
    const shell = spawn('/bin/sh', [], { cwd: folder, env: environment, stdio: ['pipe', 'pipe', 'pipe'] })
    const mark = `--${process.pid}-${Math.random().toString(36).slice(2)}-${Math.random().toString(36).slice(2)}--`
    let current: string | undefined
    let pending = ''
    const next = (): void => {
      current = take()
      if (current === undefined) {
        shell.stdin.end()
        return
      }
      const quoted = `'${current.replaceAll("'", "'\\''")}'`
      shell.stdin.write(Buffer.from(`/bin/sh -c ${quoted} </dev/null; echo ${mark}\n`, 'latin1'))
    }
    shell.stdout.setEncoding('latin1')
    shell.stderr.setEncoding('latin1')
    shell.stderr.on('data', onError)
    shell.stdout.on('data', (text: string) => {
      pending += text
      const end = pending.indexOf(`${mark}\n`)
      if (end < 0 || current === undefined) return
      record(current, pending.slice(0, end))
      pending = pending.slice(end + mark.length + 1)
      next()
    })
    shell.stdin.on('error', () => {})
    shell.on('error', fail)
    shell.on('close', () => {
      // A command that ended its shell has ended our stay in it: the rest is for a new one.
      if (current === undefined) done()
      else {
        record(current, pending)
        serve(serving).then(done, fail)
      }
    })
    next()
  })
}

interface KeptResults {
  readonly size: number
  get(command: string, parts: readonly string[]): string | undefined
  set(command: string, parts: readonly string[], output: string): void
  write(file: string): void
}

/**
 * The results in a cache file: `texts` holds everything that a result can depend on once, and the key of a result is the
 * positions of its own there, a space, and the command. A file that is missing or damaged is an empty cache.
 */
function readCache(file: string | undefined): KeptResults {
  const stored = file === undefined ? undefined : storedResults(file)
  const texts = new Map((stored?.texts ?? []).map((text, position) => [text, position]))
  const results = new Map(Object.entries(stored?.results ?? {}))
  return {
    size: results.size,
    get(command, parts) {
      const positions: number[] = []
      for (const part of parts) {
        const position = texts.get(part)
        if (position === undefined) return undefined
        positions.push(position)
      }
      return results.get(`${positions.join()} ${command}`)
    },
    set(command, parts, output) {
      const positions = parts.map((part) => {
        const position = texts.get(part) ?? texts.size
        texts.set(part, position)
        return position
      })
      results.set(`${positions.join()} ${command}`, output)
    },
    write(to) {
      try {
        mkdirSync(dirname(to), { recursive: true })
        const temporary = `${to}.${process.pid}`
        const content = {
          version: cacheVersion,
          texts: [...texts.keys()],
          results: Object.fromEntries(results),
        }
        writeFileSync(temporary, JSON.stringify(content))
        renameSync(temporary, to)
      } catch {
        // Next time then.
      }
    },
  }
}

function storedResults(file: string) {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof content !== 'object' || content === null) return undefined
    if (!('version' in content) || content.version !== cacheVersion) return undefined
    if (!('texts' in content) || !('results' in content)) return undefined
    const { texts, results } = content
    if (!Array.isArray(texts) || typeof results !== 'object' || results === null) return undefined
    const isText = (value: unknown): value is string => typeof value === 'string'
    if (!texts.every(isText) || !Object.values(results).every(isText)) return undefined
    if (Object.keys(results).length > MAX_KEPT) return undefined
    return { texts, results: results as Readonly<Record<string, string>> }
  } catch {
    return undefined
  }
}
