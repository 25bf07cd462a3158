/**
 * Emulated boards for tests: powered on by the `qemu.sh` of a `tftpboot` folder and booted by `firmwright boot`, both in
 * a user and network namespace of their own, where port 69 and the server's address are free and theirs. So boards run
 * side by side, and nobody needs to be root.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { openSerialLine, type SerialLine } from '../../src/machine/index.ts'

export interface Board {
  /** What the board says, and keys for it, through `firmwright boot` as its console. */
  readonly console: SerialLine
  /** The program's own words, on standard error, as they have come so far. */
  messages(): string
  /** Runs a line at the shell prompt of the system. It may take two minutes, or as long as is said. */
  run(command: string, withinMs?: number): Promise<string>
  /** The exit code of `firmwright boot`. */
  readonly ended: Promise<number>
  kill(): void
}

export interface BoardOptions {
  /** Folder that holds build/tftpboot. */
  readonly folder: string
  readonly program: string
  /** Address that the server is to have. */
  readonly server: string
  /** More arguments of `firmwright boot`. */
  readonly arguments?: readonly string[]
  /** More arguments for QEMU. */
  readonly emulator?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

// The socket's name is relative: a path below a temporary folder may be longer than a socket's may be.
const script = `
ip link set lo up
ip addr add "$SERVER/32" dev lo
cd build/tftpboot
rm -f serial
sh qemu.sh $EMULATOR 2> qemu.log &
until [ -S serial ]; do sleep 0.05; done
cd ../..
exec "$NODE" "$PROGRAM" boot --no-build --serial unix:build/tftpboot/serial "$@"
`

/** Powers a board on that was built before, and boots it. */
export function startBoard(options: BoardOptions): Board {
  const child = spawn('unshare', ['-Urn', 'sh', '-euc', script, 'sh', ...(options.arguments ?? [])], {
    cwd: options.folder,
    env: {
      ...process.env,
      NODE: process.execPath,
      PROGRAM: options.program,
      SERVER: options.server,
      EMULATOR: (options.emulator ?? []).join(' '),
      ...options.environment,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own, so that QEMU ends with it.
    detached: true,
  })
  const console = openSerialLine((text) => void child.stdin.write(text))
  let messages = ''
  child.stdout.on('data', (bytes: Uint8Array) => console.receive(bytes))
  child.stderr.on('data', (bytes: Buffer) => {
    messages += bytes.toString()
  })
  child.stdin.on('error', () => {})
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // All of it has ended.
    }
  }
  process.once('exit', kill)
  const ended = new Promise<number>((resolve) => {
    // QEMU may hold the pipes open after that.
    child.on('exit', (code, signal) => {
      kill()
      process.off('exit', kill)
      console.end(`firmwright boot ended (${signal ?? `exit ${code}`}): ${messages.trim()}`)
      resolve(code ?? -1)
    })
  })
  let count = 0
  return {
    console,
    messages: () => messages,
    ended,
    kill,
    async run(command, withinMs = 120_000) {
      const mark = `@@${++count}`
      // The quotes keep the echo of the typed line from looking like the marks themselves.
      console.send(`echo @''@${count} begin; ${command}; echo @''@${count} end $?\n`)
      await console.expect(new RegExp(`${mark} begin\n`), 120_000)
      const [, output = '', status] = await console.expect(
        new RegExp(`([\\s\\S]*?)${mark} end (\\d+)\n`),
        withinMs,
      )
      if (status !== '0') throw new Error(`${command}: exit status ${status}\n${output}`)
      return output.trim()
    },
  }
}

/** Where a `tftpboot` output lies below a system's folder. */
export const outputFolder = join('build', 'tftpboot')
