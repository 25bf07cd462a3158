/** Starting a command and making sure that it, and all that it started, is gone afterwards. */
import { spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

export interface ChildOptions {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly folder: string
  /** Standard output and standard error go here, in the order in which they were written. */
  readonly logPath: string
  readonly signal: AbortSignal
}

export type ChildOutcome =
  | { readonly type: 'exited'; readonly code: number }
  | { readonly type: 'killed'; readonly signal: NodeJS.Signals }
  | { readonly type: 'not-started'; readonly error: Error }
  | { readonly type: 'too-much-output' }
  | { readonly type: 'aborted' }

/** A command that writes more than this to its log is in a loop. */
const logLimitBytes = 256 * 1024 * 1024

export async function runChild(options: ChildOptions): Promise<ChildOutcome> {
  const log = openSync(options.logPath, 'a', 0o600)
  let watch: NodeJS.Timeout | undefined
  try {
    return await new Promise((resolve) => {
      let reason: 'aborted' | 'too-much-output' | undefined
      const [program = '', ...args] = options.argv
      const child = withUmask(() =>
        spawn(program, args, {
          cwd: options.folder,
          env: options.env,
          stdio: ['ignore', log, log],
          // A process group of its own, so that all of it can be killed, and so that Ctrl-C reaches only us.
          detached: true,
        }),
      )
      const { pid } = child

      function kill(): void {
        if (pid !== undefined) killAll(pid, options.folder)
      }
      function abort(): void {
        reason ??= 'aborted'
        kill()
      }
      watch = setInterval(() => {
        if (fstatSync(log).size <= logLimitBytes) return
        reason ??= 'too-much-output'
        kill()
      }, 500)

      options.signal.addEventListener('abort', abort, { once: true })
      if (options.signal.aborted) abort()
      child.on('error', (error) => {
        if (pid !== undefined) return
        options.signal.removeEventListener('abort', abort)
        resolve(reason === undefined ? { type: 'not-started', error } : { type: reason })
      })
      child.on('exit', (code, signal) => {
        options.signal.removeEventListener('abort', abort)
        // What the command left running in the background would write into its outputs while they are taken.
        kill()
        if (reason !== undefined) resolve({ type: reason })
        else if (signal !== null) resolve({ type: 'killed', signal })
        else resolve({ type: 'exited', code: code ?? 0 })
      })
    })
  } finally {
    clearInterval(watch)
    closeSync(log)
  }
}

/** Files that a command makes have the usual modes whatever the user's umask. */
function withUmask<T>(work: () => T): T {
  // Only the main thread may set it.
  if (!isMainThread) return work()
  const before = process.umask(0o022)
  try {
    return work()
  } finally {
    process.umask(before)
  }
}

/**
 * Kills a process group, and without a sandbox (whose processes die with it) also what has left the group:
 * descendants, and whatever has its working folder inside the command's.
 */
function killAll(leader: number, folder: string): void {
  const victims = [...descendants(leader), ...workingIn(folder)]
  for (const target of [-leader, ...victims]) {
    try {
      process.kill(target, 'SIGKILL')
    } catch {
      // Already gone.
    }
  }
}

function processes(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function descendants(ancestor: number): readonly number[] {
  const parents = new Map<number, number>()
  for (const pid of processes()) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      parents.set(pid, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
    } catch {
      // It ended while we looked.
    }
  }
  const found: number[] = []
  for (const pid of parents.keys()) {
    for (let parent = parents.get(pid); parent !== undefined && parent > 1; parent = parents.get(parent)) {
      if (parent !== ancestor) continue
      found.push(pid)
      break
    }
  }
  return found
}

function workingIn(folder: string): readonly number[] {
  return processes().filter((pid) => {
    try {
      const place = readlinkSync(`/proc/${pid}/cwd`)
      return place === folder || place.startsWith(`${folder}/`)
    } catch {
      return false
    }
  })
}
