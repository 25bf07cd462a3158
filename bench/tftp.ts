/**
 * 64 MB over loopback from our server and from tftpd-hpa, by the same client (curl), in turns.
 * Target: at least the throughput of tftpd-hpa.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'

const SIZE_BYTES = 64e6
const ROUNDS = 3
const program = fileURLToPath(new URL('../dist/bin/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'firmwright-bench-'))
const file = join(folder, 'image')
writeFileSync(file, randomBytes(SIZE_BYTES))

const servers = {
  ours: {
    port: 36_069,
    argv: [process.execPath, program, 'tftp', folder, '--address', '127.0.0.1', '--port', '36069'],
  },
  'tftpd-hpa': {
    port: 36_070,
    // Its own user may not be changed in a user namespace, where this runs for those who are not root.
    argv: [
      '/usr/sbin/in.tftpd',
      '--foreground',
      '--user',
      'root',
      '--address',
      '127.0.0.1:36070',
      '--secure',
      folder,
    ],
  },
} as const
type Server = keyof typeof servers

const running = Object.values(servers).map(({ argv: [command, ...args] }) =>
  spawn(command, args, { stdio: 'ignore' }),
)
try {
  await new Promise((resolve) => setTimeout(resolve, 2000))
  process.stdout.write('blksize   ours MB/s   tftpd-hpa MB/s   ratio   target\n')
  for (const blockBytes of [512, 1468, 8192]) {
    const best: Record<Server, number> = { ours: 0, 'tftpd-hpa': 0 }
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of ['ours', 'tftpd-hpa'] as const)
        best[name] = Math.max(best[name], await fetch(name, blockBytes))
    }
    const ratio = best.ours / best['tftpd-hpa']
    const columns = [
      blockBytes,
      best.ours.toFixed(1),
      best['tftpd-hpa'].toFixed(1),
      ratio.toFixed(2),
      '>= 1.00',
    ]
    process.stdout.write(
      `${columns.map((column, index) => String(column).padStart([7, 12, 17, 8, 9][index] ?? 0)).join('')}\n`,
    )
  }
} finally {
  for (const child of running) child.kill()
  rmSync(folder, { recursive: true, force: true })
}

/** Megabytes a second. */
async function fetch(server: Server, blockBytes: number): Promise<number> {
  const url = `tftp://127.0.0.1:${servers[server].port}/image`
  const begun = performance.now()
  await execa('curl', [
    '--silent',
    '--show-error',
    '--tftp-blksize',
    String(blockBytes),
    '--output',
    '/dev/null',
    url,
  ])
  return SIZE_BYTES / 1e3 / (performance.now() - begun)
}
