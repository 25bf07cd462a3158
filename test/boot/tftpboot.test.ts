import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { cacheFolder } from '../cache.ts'
import { program } from '../firmwright.ts'
import { type Board, outputFolder, startBoard } from './board.ts'
import { type BoardSystem, boardSystem } from './board-system.ts'

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
async function build(
  name: string,
  system: BoardSystem,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const place = join(folder, name)
  await mkdir(place)
  await writeFile(join(place, 'system.ts'), boardSystem(system))
  const argv = [program, 'build', 'system.ts', 'tftpboot', '--cache', cacheFolder]
  await execa(process.execPath, argv, { cwd: place, env: environment })
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
    place = await build('arm64', { device: 'qemuAarch64' })
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

describe("qemu-armv7l under Debian's U-Boot, with a device tree of ours", () => {
  it('boots a zImage that unpacks itself below the root', async () => {
    const expression = "{ ...qemuArmv7l, deviceTree: { source: 'emulator' } }"
    // The index of armhf's security updates is the one that mirrors most often have half of.
    const place = await build(
      'armv7',
      { device: 'qemuArmv7l', expression },
      { FIRMWRIGHT_SECURITY_MIRROR: '' },
    )
    const board = power(place)
    await board.console.expect(/firmwright: up in [\d.]+ s\n/, 280_000)
    await board.console.expect(/board:\/?[^\n]*# $/, 60_000)
    expect(board.console.transcript()).toContain('board.dtb')
    expect(await board.run('uname -m')).toBe('armv7l')
    expect(await board.run('cat /proc/mounts')).toMatch(/^\/dev\/loop0 \/ squashfs ro\b/m)
  })
})

describe("qemu-mipsel under Debian's U-Boot, with the tree that is built into the kernel", () => {
  it('boots a vmlinuz whose root stays where it was loaded', async () => {
    const place = await build('mipsel', { device: 'qemuMipsel' })
    const board = power(place)
    await board.console.expect(/firmwright: up in [\d.]+ s\n/, 280_000)
    await board.console.expect(/board:\/?[^\n]*# $/, 60_000)
    expect(await board.run('cat /proc/mounts')).toMatch(/^\/dev\/mtdblock0 \/ squashfs ro\b/m)
    expect(await board.run('cat /proc/mtd')).toMatch(/"rootfs"/)
    expect(await board.run('cat /proc/cmdline')).toMatch(/ memmap=0x[0-9a-f]+\$0x4000000 rd_start=0x8/)
    // A squashfs of the region's size: whole, to the last block.
    expect(await board.run('find / -xdev -type f -exec sha256sum {} + > /dev/null && echo whole')).toBe(
      'whole',
    )
  })
})
