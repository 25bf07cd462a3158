import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { openSerialLine, type SerialLine } from './serial.ts'

/** A virtual machine that runs, with its console. */
export interface Machine {
  readonly console: SerialLine
  /**
   * Runs one line at a shell prompt and returns what it printed and its exit status. The console must be at a
   * prompt; the line must be whole commands (no here-document, no comment).
   */
  run(command: string, timeoutMs?: number): Promise<{ readonly status: number; readonly output: string }>
  /** Resolves with QEMU's exit code once the machine is off. */
  readonly off: Promise<number>
  /** Pulls the plug. */
  kill(): void
}

export interface MachineOptions {
  /** Folder of a `vm` output. */
  readonly folder: string
  /** More environment for its run.sh (see the comment at its top). */
  readonly environment?: Readonly<Record<string, string>>
  /** More arguments for QEMU. */
  readonly arguments?: readonly string[]
  readonly signal?: AbortSignal
  /** Sees the console's bytes as they come. */
  readonly onOutput?: (bytes: Uint8Array) => void
}

/** Where setpriv(1) is there, the machine ends with this process even if that is killed: run.sh becomes QEMU. */
const launch =
  'if command -v setpriv > /dev/null; then exec setpriv --pdeathsig KILL sh "$@"; else exec sh "$@"; fi'

/** Starts the machine of a `vm` output, its console on pipes. */
export function startMachine(options: MachineOptions): Machine {
  const child = spawn(
    'sh',
    ['-c', launch, 'sh', join(options.folder, 'run.sh'), ...(options.arguments ?? [])],
    {
      env: { ...process.env, ...options.environment },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    },
  )
  const kill = (): void => {
    if (child.pid === undefined || child.exitCode !== null) return
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It went away by itself in the meantime.
    }
  }
  const serial = openSerialLine((text) => child.stdin.write(text))
  let complaints = ''
  child.stdout.on('data', (bytes: Uint8Array) => {
    serial.receive(bytes)
    options.onOutput?.(bytes)
  })
  child.stderr.on('data', (bytes: Buffer) => {
    complaints += bytes.toString()
  })
  child.stdin.on('error', () => {})
  const off = new Promise<number>((resolve) => {
    const ended = (code: number, reason: string): void => {
      process.off('exit', kill)
      options.signal?.removeEventListener('abort', kill)
      serial.end(complaints === '' ? reason : `${reason} (${complaints.trim()})`)
      resolve(code)
    }
    child.on('error', (error) => ended(-1, `the machine did not start: ${error.message}`))
    child.on('close', (code, signal) =>
      ended(code ?? -1, `the machine went off (${signal ?? `exit ${code}`})`),
    )
  })
  process.on('exit', kill)
  options.signal?.addEventListener('abort', kill, { once: true })

  let serialNumber = 0
  return {
    console: serial,
    off,
    kill,
    async run(command, timeoutMs = 60_000) {
      serialNumber++
      // The quotes keep the echo of the typed line from looking like the marks themselves.
      serial.send(`echo @''@begin ${serialNumber}; ${command}; echo @''@end ${serialNumber} $?\n`)
      await serial.expect(new RegExp(`@@begin ${serialNumber}\n`), timeoutMs)
      const match = await serial.expect(new RegExp(`([\\s\\S]*?)@@end ${serialNumber} (\\d+)\n`), timeoutMs)
      return { status: Number(match[2]), output: (match[1] ?? '').trim() }
    },
  }
}
