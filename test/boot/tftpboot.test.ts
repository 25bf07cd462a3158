import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { cacheFolder } from '../cache.ts'
import { program } from '../firmwright.ts'
import { type Board, outputFolder, startBoard } from './board.ts'

/** As a system file declares it, with what differs between the tests. */
const systemText = (device: string, boot: string): string => `
import { defineSystem } from 'firmwright'
import { ${device} } from 'firmwright/devices'
import { consoleLogin, dhcpClient, networkInterface } from 'firmwright/features'

export default defineSystem({
  device: ${device},
  hostname: 'board',
  boot: ${boot},
  setup(system) {
    const wan = networkInterface(system, { name: 'eth0' })
    dhcpClient(system, { interface: wan })
    system.applets('find', 'sha256sum', 'losetup')
    consoleLogin(system, { login: { type: 'open' } })
  },
})
`

let folder = ''
const boards: Board[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fw-board-'))
})
afterEach(({ task }) => {
  if (task.result?.state !== 'fail') return
  for (const { console, messages } of boards)
    process.stderr.write(`\n--- board ---\n${console.transcript()}\n--- messages ---\n${messages()}\n`)
})
afterAll(async () => {
  for (const board of boards) board.kill()
  await Promise.all(boards.map(({ ended }) => ended))
  await rm(folder, { recursive: true, force: true })
})

/** Builds `tftpboot` of a system in a folder of its own. */
async function build(name: string, device: string, boot = '{}'): Promise<string> {
  const place = join(folder, name)
  await mkdir(place)
  await writeFile(join(place, 'system.ts'), systemText(device, boot))
  await execa(process.execPath, [program, 'build', 'system.ts', 'tftpboot', '--cache', cacheFolder], {
    cwd: place,
  })
  return place
}

function power(
  place: string,
  environment: Readonly<Record<string, string>> = {},
  ...args: readonly string[]
): Board {
  const board = startBoard({
    folder: place,
    program,
    cacheFolder,
    server: '192.0.2.1',
    arguments: args,
    environment,
  })
  boards.push(board)
  return board
}

async function manifest(place: string) {
  return JSON.parse(await readFile(join(place, outputFolder, 'manifest.json'), 'utf8')) as {
    readonly boot: { readonly root: { readonly transport: string; readonly why: string } }
  }
}

describe("qemu-aarch64 under Debian's U-Boot, with Debian's kernel", () => {
  let place = ''
  let board: Board

  beforeAll(async () => {
    place = await build('arm64', 'qemuAarch64')
    board = power(place)
    await board.console.expect(/firmwright: up in [\d.]+ s\n/, 240_000)
    await board.console.expect(/board:\/?[^\n]*# $/, 60_000)
  })

  it('says why the root travels as it does', async () => {
    expect((await manifest(place)).boot.root).toMatchObject({
      transport: 'initramfs',
      why: expect.stringContaining('CONFIG_MTD_PHRAM'),
    })
  })

  it('has a script that mkimage takes for one, and a memory map', async () => {
    const { stdout } = await execa('mkimage', ['-l', join(place, outputFolder, 'boot.scr')])
    expect(stdout).toMatch(/AArch64 Linux Script/)
    expect(await readFile(join(place, outputFolder, 'memory-map.txt'), 'utf8')).toMatch(
      /0x40400000 .* initramfs\n/,
    )
    expect(await readFile(join(place, outputFolder, 'memory-map.svg'), 'utf8')).toMatch(/^<svg/)
  })

  it('boots over our own TFTP server to a root from the initramfs', async () => {
    expect(board.messages()).toContain("the loader's memory is as the plan has it")
    expect(await board.run('cat /proc/mounts')).toMatch(/^\/dev\/loop0 \/ squashfs ro\b/m)
    expect(await board.run('losetup -a')).toContain('root.squashfs')
    expect(await board.run('uname -m')).toBe('aarch64')
  })

  it('can read the whole of its root', async () => {
    expect(await board.run('find / -xdev -type f -exec sha256sum {} + > /dev/null && echo whole')).toBe(
      'whole',
    )
  })

  it('keeps the console after that, until the machine is off', async () => {
    board.console.send('poweroff\n')
    expect(await board.ended).toBe(0)
  })

  it('is refused where the board has other memory than the device file, with both numbers', async () => {
    const other = power(place, { MEMORY: '128' }, '--until-up')
    expect(await other.ended).toBe(1)
    expect(other.messages()).toContain('0x40000000+0x10000000')
    expect(other.messages()).toContain('0x40000000+0x8000000')
    expect(other.console.transcript()).not.toContain('tftpboot 0x')
  })
})
