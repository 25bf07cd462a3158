/** Starting a command and making sure that it, and all that it started, is gone afterwards. */
import { spawn } from 'node:child_process'
import { closeSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

export interface ChildOptions {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly folder: string
  /** For standard output and standard error; closed here. */
  readonly output: number
  readonly signal: AbortSignal
  /** Its processes die with it, so that nobody has to be looked for. */
  readonly sandboxed: boolean
}

export type ChildOutcome =
  | { readonly type: 'exited'; readonly code: number }
  | { readonly type: 'killed'; readonly signal: NodeJS.Signals }
  | { readonly type: 'not-started'; readonly error: Error }
  | { readonly type: 'aborted' }

export function runChild(options: ChildOptions): Promise<ChildOutcome> {
  const { folder, output, signal } = options
  return new Promise((resolve, reject) => {
    const [program = '', ...args] = options.argv
    // A process group of its own, so that all of it can be killed, and so that Ctrl-C reaches only us.
    const start = () =>
      spawn(program, args, {
        cwd: folder,
        env: options.env,
        stdio: ['ignore', output, output],
        detached: true,
      })
    let child: ReturnType<typeof start>
    try {
      child = withUmask(start)
    } catch (error) {
      // Arguments that no process can have: too many, or with a zero byte.
      reject(error)
      return
    } finally {
      closeSync(output)
    }
    const { pid } = child

    function kill(): void {
      if (pid === undefined) return
      const victims = options.sandboxed ? [] : [...descendants(pid), ...workingIn(folder)]
      for (const target of [-pid, ...victims]) {
        try {
          process.kill(target, 'SIGKILL')
        } catch {
          // Already gone.
        }
      }
    }

    signal.addEventListener('abort', kill, { once: true })
    if (signal.aborted) kill()
    child.on('error', (error) => {
      if (pid !== undefined) return
      signal.removeEventListener('abort', kill)
      resolve({ type: 'not-started', error })
    })
    child.on('exit', (code, killer) => {
      signal.removeEventListener('abort', kill)
      // What the command left running in the background would write into its outputs while they are taken.
      kill()
      if (signal.aborted) resolve({ type: 'aborted' })
      else if (killer !== null) resolve({ type: 'killed', signal: killer })
      else resolve({ type: 'exited', code: code ?? 0 })
    })
  })
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

function processes(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** Even those that have left the process group. */
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

/** Even those whose parents are gone, as long as they stay where they were started. */
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
