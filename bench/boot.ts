/**
 * A built folder to running user space: `firmwright boot` against the same folder booted by hand, in turns, on QEMU's arm64
 * board under Debian's U-Boot; the median of the rounds. By hand: tftpd-hpa serves the folder (where this runs as root),
 * and a typist stops autoboot and types `boot.txt`, each line the moment the prompt is back. Both begin with power-on, and
 * end when the system says that it is up.
 *
 * Target: at most 1.15 times as long.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { openLink } from '../src/driver/index.ts'
import { openSerialLine } from '../src/machine/index.ts'
import { outputFolder, startBoard } from '../test/boot/board.ts'
import { boardSystem } from '../test/boot/board-system.ts'
import { cacheFolder } from '../test/cache.ts'
import { median } from './measure/median.ts'

const ROUNDS = 5
const SERVER = '192.0.2.1'
const LIMIT_MS = 120_000
const UP = /firmwright: up in [\d.]+ s/
const program = fileURLToPath(new URL('../dist/bin/main.js', import.meta.url))

// tftpd-hpa sets its groups, which only root may, and not in a user namespace: others have our server do it.
const isRoot = process.getuid?.() === 0
const namespaces = isRoot ? '-n' : '-Urn'
const served = isRoot
  ? `/usr/sbin/in.tftpd --foreground --user root --address ${SERVER}:69 --secure "$PWD"`
  : `'${process.execPath}' '${program}' tftp .`
const BY_HAND = `
ip link set lo up
ip addr add ${SERVER}/32 dev lo
cd build/tftpboot
${served} &
exec sh qemu.sh
`

const folder = mkdtempSync(join(tmpdir(), 'firmwright-bench-'))
try {
  writeFileSync(join(folder, 'system.ts'), boardSystem({ device: 'qemuAarch64' }))
  process.stdout.write(`by hand is with ${isRoot ? 'tftpd-hpa' : 'firmwright tftp'}; building …\n`)
  await execa(process.execPath, [program, 'build', 'system.ts', 'tftpboot', '--cache', cacheFolder], {
    cwd: folder,
  })
  const oursMs: number[] = []
  const handMs: number[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    handMs.push(await byHand())
    oursMs.push(await byFirmwright())
    process.stdout.write(
      `round ${round}: firmwright boot ${seconds(oursMs.at(-1) ?? 0)}, by hand ${seconds(handMs.at(-1) ?? 0)}\n`,
    )
  }
  const [ours, hand] = [median(oursMs), median(handMs)]
  process.stdout.write(
    `firmwright boot ${seconds(ours)}, by hand ${seconds(hand)}: ratio ${(ours / hand).toFixed(2)} (wanted: at most 1.15)\n`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function byFirmwright(): Promise<number> {
  const begun = performance.now()
  const board = startBoard({ folder, program, server: SERVER, arguments: ['--until-up'] })
  try {
    await board.console.expect(UP, LIMIT_MS)
    return performance.now() - begun
  } finally {
    board.kill()
    await board.ended
  }
}

async function byHand(): Promise<number> {
  const path = join(folder, outputFolder, 'serial')
  rmSync(path, { force: true })
  const begun = performance.now()
  const child = spawn('unshare', [namespaces, 'sh', '-euc', BY_HAND], {
    cwd: folder,
    stdio: 'ignore',
    detached: true,
  })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  try {
    while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 10))
    const line = openSerialLine((text) => link.write(text))
    const opened = await openLink({ type: 'unix', path }, 0, { onData: line.receive, onEnd: line.end })
    if (!opened.ok) throw new Error(opened.error.message)
    const link = opened.value
    await line.expect(/Hit any key/, LIMIT_MS)
    line.send('\n')
    for (const text of readFileSync(join(folder, outputFolder, 'boot.txt'), 'utf8')
      .trimEnd()
      .split('\n')) {
      await line.expect(/\n=> $/, LIMIT_MS)
      line.send(`${text}\n`)
    }
    await line.expect(UP, LIMIT_MS)
    return performance.now() - begun
  } finally {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    await ended
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}
