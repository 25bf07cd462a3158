/**
 * Running the commands of `$(shell,…)`: several at a time, and compiler probes only once for a compiler.
 *
 * A result is kept under the command and the identity of every program and file that the command names, so another
 * compiler, or a changed script of the tree, gives other results. What answers differently for no reason that a command
 * shows, like `uname -r`, is asked every time.
 */
import { mkdirSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, resolve } from 'node:path'
import { shellOutputToText } from './preprocess.ts'
import { createShells } from './probe-shells.ts'

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
  /** Starts a command whose result will be needed, while the caller goes on; `run` waits for it. */
  begin(command: string): void
  /** Runs commands side by side: their results can then be recalled. What they write to standard error is in `errors`. */
  run(commands: readonly string[]): Promise<void>
  readonly errors: string
  /** how many commands have been given to a shell so far */
  readonly ran: number
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
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined) return undefined
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

  const begun = new Set<string>()
  const shells = createShells({
    environment,
    folder: options.folder,
    jobs: options.jobs ?? availableParallelism(),
    onOutput: record,
    onError(text) {
      errors += text
    },
  })
  function begin(command: string): void {
    if (begun.has(command)) return
    begun.add(command)
    shells.begin(command)
  }
  function run(commands: readonly string[]): Promise<void> {
    for (const command of commands) begin(command)
    return shells.finish()
  }

  return {
    recall,
    begin,
    run,
    get errors() {
      return errors
    },
    get ran() {
      return begun.size
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
