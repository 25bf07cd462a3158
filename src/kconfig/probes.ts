/**
 * Running the commands of `$(shell,…)`: several at a time, and compiler probes only once for a compiler.
 *
 * Commands are given to a few shells that stay open, each command in a `sh -c` of its own (probes name their temporary
 * files by the process number `$$`). A result is kept under the command and the identity of every program and file that
 * the command names, so another compiler, or a changed script of the tree, gives other results. What answers differently
 * for no reason that a command shows, like `uname -r`, is asked every time.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { shellOutputToText } from './preprocess.ts'

export interface ProbeOptions {
  readonly environment: Readonly<Record<string, string>>
  /** where relative paths start and temporary files of probes go */
  readonly folder: string
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

const cacheVersion = 1

/** Programs whose answer is not the same every time, whatever they are given. */
const volatilePrograms =
  /(?:^|[\s;&|({`])(?:date|uname|hostname|whoami|id|nproc|git|pwd|ls|find|random)(?:$|[\s;&|)}`])/

export function createProbes(options: ProbeOptions): Probes {
  const { environment, folder } = options
  const kept = readCache(options.cacheFile)
  const results = new Map<string, string>()
  const keys = new Map<string, string | undefined>()
  let errors = ''
  let dirty = false

  const path = (environment.PATH ?? '/usr/bin:/bin').split(':')
  const identities = new Map<string, string>()
  /** What a word of a command stands for: the file with its size and time, or nothing. */
  function identityOf(word: string): string {
    const known = identities.get(word)
    if (known !== undefined) return known
    let identity = ''
    const candidates = word.includes('/')
      ? [resolve(folder, word)]
      : path.map((entry) => join(entry === '' ? folder : entry, word))
    for (const candidate of candidates) {
      const stat = statSync(candidate, { throwIfNoEntry: false })
      if (stat === undefined) continue
      // What a folder holds is not looked at: commands that list one are never kept.
      if (stat.isDirectory()) {
        if (!word.includes('/')) continue
        identity = 'folder'
      } else identity = `${realpathSync(candidate)}:${stat.size}:${stat.mtimeMs}`
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

  /** The key that a command's result is kept under; undefined for one whose result may not be kept. */
  function keyOf(command: string): string | undefined {
    if (keys.has(command)) return keys.get(command)
    let key: string | undefined
    if (!volatilePrograms.test(command)) {
      const words = command.split(/[\s"'`;|&<>(){}]+/).filter((word) => word !== '' && !word.startsWith('-'))
      const parts = [surroundings, command, ...words.map(identityOf)]
      key = createHash('sha256').update(parts.join('\n')).digest('base64url')
    }
    keys.set(command, key)
    return key
  }

  function recall(command: string): string | undefined {
    const known = results.get(command)
    if (known !== undefined) return known
    const key = keyOf(command)
    const output = key === undefined ? undefined : kept.get(key)
    if (output !== undefined) results.set(command, output)
    return output
  }

  async function run(commands: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const queue = commands.filter((command) => results.get(command) === undefined)
    const wanted = options.jobs ?? availableParallelism()
    const workers = Math.max(1, Math.min(wanted, queue.length))
    let next = 0
    const take = (): string | undefined => queue[next++]
    const record = (command: string, output: string): void => {
      const text = shellOutputToText(output)
      results.set(command, text)
      const key = keyOf(command)
      if (key === undefined) return
      kept.set(key, text)
      dirty = true
    }
    await Promise.all(
      Array.from({ length: workers }, () =>
        serve(folder, environment, take, record, (text) => {
          errors += text
        }),
      ),
    )
    return results
  }

  return {
    recall,
    run,
    get errors() {
      return errors
    },
    save() {
      if (!dirty || options.cacheFile === undefined) return
      dirty = false
      writeCache(options.cacheFile, kept)
    },
  }
}

/** One shell that works off commands. Between their outputs it writes a mark that no command can know. */
function serve(
  folder: string,
  environment: Readonly<Record<string, string>>,
  take: () => string | undefined,
  record: (command: string, output: string) => void,
  onError: (text: string) => void,
): Promise<void> {
  return new Promise((done, fail) => {
    const shell = spawn('/bin/sh', [], { cwd: folder, env: environment, stdio: ['pipe', 'pipe', 'pipe'] })
    const mark = `--${createHash('sha256').update(`${process.pid} ${Math.random()}`).digest('hex')}--`
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
        serve(folder, environment, take, record, onError).then(done, fail)
      }
    })
    next()
  })
}

function readCache(file: string | undefined): Map<string, string> {
  const empty = new Map<string, string>()
  if (file === undefined) return empty
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof content !== 'object' || content === null) return empty
    if (!('version' in content) || content.version !== cacheVersion || !('results' in content)) return empty
    const { results } = content
    if (typeof results !== 'object' || results === null) return empty
    return new Map(
      Object.entries(results).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    )
  } catch {
    // Missing or damaged: everything is probed again.
    return empty
  }
}

function writeCache(file: string, results: ReadonlyMap<string, string>): void {
  try {
    mkdirSync(dirname(file), { recursive: true })
    const temporary = `${file}.${process.pid}`
    const content = { version: cacheVersion, results: Object.fromEntries(results) }
    writeFileSync(temporary, JSON.stringify(content))
    renameSync(temporary, file)
  } catch {
    // Next time then.
  }
}
