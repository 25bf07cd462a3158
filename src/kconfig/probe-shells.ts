/**
 * A few shells that stay open and work off commands, each command in a `sh -c` of its own (probes name their temporary
 * files by the process number `$$`). A command is written to its shell as soon as it is known, so shells work while
 * whoever needs the results is still finding out what else it needs.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface ShellOptions {
  readonly environment: Readonly<Record<string, string>>
  /** where commands run; undefined: an empty folder, for as long as they do */
  readonly folder: string | undefined
  /** how many shells there are at most */
  readonly jobs: number
  /** what a command has written to standard output */
  onOutput(command: string, output: string): void
  /** what any has written to standard error */
  onError(text: string): void
}

export interface Shells {
  /** Gives a command to a shell. It runs while the caller goes on; its output is told of during `finish`. */
  begin(command: string): void
  /** Waits until all that was begun is through, and closes the shells. */
  finish(): Promise<void>
}

interface Shell {
  readonly process: ChildProcessWithoutNullStreams
  /** what it was given and has not answered */
  readonly pending: string[]
  /** of the first of these, what has come so far */
  received: string
  readonly closed: Promise<void>
}

export function createShells(options: ShellOptions): Shells {
  const { environment, jobs, onOutput, onError } = options
  /** Between outputs: no command can know it. */
  const mark = `--${process.pid}-${Math.random().toString(36).slice(2)}-${Math.random().toString(36).slice(2)}--\n`
  let temporary: string | undefined
  let shells: Shell[] = []

  function open(): Shell {
    if (options.folder === undefined) temporary ??= mkdtempSync(join(tmpdir(), 'kconfig-'))
    const child = spawn('/bin/sh', [], {
      cwd: options.folder ?? temporary,
      env: environment,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const closed = new Promise<void>((resolve, reject) => {
      child.on('close', () => resolve())
      child.on('error', reject)
    })
    // Whoever waits for it in `finish` is told.
    closed.catch(() => {})
    const shell: Shell = { process: child, pending: [], received: '', closed }
    child.stdin.on('error', () => {})
    child.stdout.setEncoding('latin1')
    child.stderr.setEncoding('latin1')
    child.stderr.on('data', onError)
    child.stdout.on('data', (text: string) => {
      shell.received += text
      for (let end = shell.received.indexOf(mark); end >= 0; end = shell.received.indexOf(mark)) {
        const command = shell.pending.shift()
        if (command !== undefined) onOutput(command, shell.received.slice(0, end))
        shell.received = shell.received.slice(end + mark.length)
      }
    })
    shells.push(shell)
    return shell
  }

  function begin(command: string): void {
    const shell =
      shells.length < jobs ? open() : shells.reduce((a, b) => (b.pending.length < a.pending.length ? b : a))
    const quoted = `'${command.replaceAll("'", "'\\''")}'`
    shell.pending.push(command)
    shell.process.stdin.write(Buffer.from(`/bin/sh -c ${quoted} </dev/null; echo ${mark}`, 'latin1'))
  }

  async function finish(): Promise<void> {
    try {
      while (shells.length > 0) {
        const ending = shells
        shells = []
        for (const { process } of ending) process.stdin.end()
        await Promise.all(ending.map(({ closed }) => closed))
        for (const { pending, received } of ending) {
          // A command that ended its shell has ended our stay in it: what came behind it is for a new one.
          const [last, ...others] = pending
          if (last !== undefined) onOutput(last, received)
          for (const command of others) begin(command)
        }
      }
    } finally {
      if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true })
      temporary = undefined
    }
  }

  return { begin, finish }
}
