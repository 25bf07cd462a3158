/**
 * 64 MB over loopback from our server and from tftpd-hpa, by the same client (curl), in turns: the median of the rounds.
 * Target: at least the throughput of tftpd-hpa. Windows are one block: neither curl nor tftpd-hpa knows others.
 *
 * The third server is the least that a server can be in Node: a socket that answers every packet with the next block out
 * of memory. What it takes is what `node:dgram` takes, whatever a server does besides.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { median } from './measure/median.ts'

const SIZE_BYTES = 64e6
const ROUNDS = 5
const program = fileURLToPath(new URL('../dist/bin/main.js', import.meta.url))
const bare = fileURLToPath(new URL('./tftp/bare-socket.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'firmwright-bench-'))
writeFileSync(join(folder, 'image'), randomBytes(SIZE_BYTES))

const servers = {
  ours: {
    port: 36_069,
    argv: [process.execPath, program, 'tftp', folder, '--address', '127.0.0.1', '--port', '36069'],
  },
  'tftpd-hpa': {
    port: 36_070,
    // Its own user may not be changed in a user namespace, where this runs for those who are not root.
    argv: [
      ...['/usr/sbin/in.tftpd', '--foreground', '--user', 'root'],
      ...['--address', '127.0.0.1:36070', '--secure', folder],
    ],
  },
  'bare socket': { port: 36_071, argv: [process.execPath, bare, '36071', String(SIZE_BYTES)] },
} as const
type Server = keyof typeof servers
const names = Object.keys(servers) as readonly Server[]

const running = names.map((name): ChildProcess => {
  const [command = '', ...args] = servers[name].argv
  return spawn(command, args, { stdio: 'ignore' })
})
try {
  await new Promise((resolve) => setTimeout(resolve, 2000))
  const print = (...columns: readonly string[]): void => {
    process.stdout.write(
      `${columns.map((column, index) => column.padStart(index === 0 ? 7 : 18)).join('')}\n`,
    )
  }
  print('blksize', ...names.map((name) => `${name} MB/s`), 'ours/tftpd-hpa', 'target', 'bare/tftpd-hpa')
  for (const blockBytes of [512, 1468, 8192]) {
    const speeds: Record<Server, number[]> = { ours: [], 'tftpd-hpa': [], 'bare socket': [] }
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of names) speeds[name].push(await fetch(name, blockBytes))
    }
    const ratio = (name: Server) => (median(speeds[name]) / median(speeds['tftpd-hpa'])).toFixed(2)
    const columns = names.map((name) => median(speeds[name]).toFixed(1))
    print(String(blockBytes), ...columns, ratio('ours'), '>= 1.00', ratio('bare socket'))
  }
} finally {
  for (const child of running) child.kill()
  rmSync(folder, { recursive: true, force: true })
}

/** Megabytes a second. */
async function fetch(server: Server, blockBytes: number): Promise<number> {
  const url = `tftp://127.0.0.1:${servers[server].port}/image`
  const options = ['--silent', '--show-error', '--tftp-blksize', String(blockBytes), '--output', '/dev/null']
  const begun = performance.now()
  await execa('curl', [...options, url])
  return SIZE_BYTES / 1e3 / (performance.now() - begun)
}
