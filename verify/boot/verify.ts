/**
 * Every way to boot an emulated board over the network that its loader and its kernel have, one after the other:
 * architecture, whose device tree, kernel format, how the root travels, amount of memory. Each ends with user space up
 * and the root mounted from where the plan says.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { type Board, outputFolder, startBoard } from '../../test/boot/board.ts'
import { boardSystem } from '../../test/boot/board-system.ts'
import { cacheFolder } from '../../test/cache.ts'
import type { Judgement, Verification, VerifyContext } from '../verification.ts'
import { buildKernel, buildPhramSystem, judgePhram } from './phram.ts'

const program = fileURLToPath(new URL('../../dist/bin/main.js', import.meta.url))

interface Case {
  readonly device: string
  readonly tree: 'platform' | 'emulator'
  readonly format: string
  readonly root: 'initramfs' | 'cpio'
  readonly mebibytes: number
}

const FORMATS: Readonly<Record<string, readonly string[]>> = {
  qemuAarch64: ['image', 'image-compressed', 'uimage-none', 'uimage-gzip', 'fit'],
  qemuArmv7l: ['zimage', 'uimage-none', 'fit'],
}

/** Every format with either tree, the other way of the root once for each tree, and the other amounts of memory once. */
function cases(): readonly Case[] {
  return Object.entries(FORMATS).flatMap(([device, formats]) => {
    const [first = ''] = formats
    const usual = { device, tree: 'platform', format: first, root: 'initramfs', mebibytes: 512 } as const
    return [
      ...(['platform', 'emulator'] as const).flatMap((tree) => [
        ...formats.map((format): Case => ({ ...usual, tree, format })),
        { ...usual, tree, root: 'cpio' } as const,
      ]),
      { ...usual, mebibytes: 128 },
      { ...usual, mebibytes: 2048 },
    ]
  })
}

/** What is wrong with a boot; undefined where all is well. */
async function tryCase(one: Case, folder: string): Promise<string | undefined> {
  await mkdir(folder, { recursive: true })
  const text = boardSystem({
    device: one.device,
    expression: `{ ...withMemory(${one.device}, ${one.mebibytes}), deviceTree: { source: '${one.tree}' } }`,
    boot: `{ format: '${one.format}', root: '${one.root}' }`,
  })
  await writeFile(join(folder, 'system.ts'), text)
  const argv = [program, 'build', 'system.ts', 'tftpboot', '--cache', cacheFolder]
  const built = await execa(process.execPath, argv, { cwd: folder, reject: false })
  if (built.exitCode !== 0) return built.stderr.trim()
  return onBoard(folder, (board) => judge(one, board))
}

/** Boots what was built in a folder, and has it judged; what the board said stays in `console.txt`. */
async function onBoard(
  folder: string,
  judged: (board: Board) => Promise<string | undefined>,
): Promise<string | undefined> {
  const board = startBoard({ folder, program, server: '192.0.2.1' })
  try {
    await board.console.expect(/firmwright: up in [\d.]+ s\n/, 300_000)
    await board.console.expect(/board:\/?[^\n]*# $/, 60_000)
    return await judged(board)
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${board.messages()}`
  } finally {
    board.kill()
    await board.ended
    await writeFile(join(folder, 'console.txt'), board.console.transcript())
  }
}

async function judge(one: Case, board: Board): Promise<string | undefined> {
  const mounts = await board.run('cat /proc/mounts')
  const wanted =
    one.root === 'cpio' ? /^(rootfs|none|tmpfs) \/ (rootfs|tmpfs|ramfs) /m : /^\/dev\/loop0 \/ squashfs ro\b/m
  if (!wanted.test(mounts)) return `the root is not where it should be:\n${mounts}`
  const memory = Number(/^Mem: +(\d+)/m.exec(await board.run('free'))?.[1])
  if (memory < one.mebibytes * 1024 * 0.5) return `the kernel has ${memory} KiB of ${one.mebibytes} MiB`
  return undefined
}

async function verifyBoots({ folder, progress }: VerifyContext): Promise<Judgement> {
  const rows: (readonly (string | number)[])[] = []
  let failures = 0
  for (const [index, one] of cases().entries()) {
    const place = join(folder, String(index))
    const trouble = await tryCase(one, place)
    if (trouble !== undefined) failures++
    const summary = trouble === undefined ? 'up' : (trouble.split('\n')[0] ?? '')
    progress(`${Object.values(one).join(' ')}: ${trouble ?? 'up'}`)
    const map = await readFile(join(place, outputFolder, 'memory-map.txt'), 'utf8').catch(() => '')
    rows.push([
      one.device,
      one.tree,
      one.format,
      one.root,
      one.mebibytes,
      map.split('\n').length - 2,
      summary,
    ])
  }
  return {
    columns: ['device', 'device tree', 'format', 'root', 'MiB', 'regions', 'result'],
    rows,
    notes: [
      "Debian's U-Boot (u-boot-qemu) and Debian's kernels, which have no phram; our own TFTP server and serial driver, in a user and network namespace. `emulator`: a tree of ours, as QEMU makes it.",
    ],
    failures,
  }
}

/** Formats and trees with a root that stays where it was loaded. */
const PHRAM_FORMATS = ['image', 'uimage-gzip', 'fit'] as const

async function verifyPhram({ folder, progress }: VerifyContext): Promise<Judgement> {
  progress('building a kernel that has phram')
  const kernel = await buildKernel(folder)
  const rows: (readonly (string | number)[])[] = []
  let failures = 0
  for (const source of ['platform', 'emulator'] as const) {
    for (const format of PHRAM_FORMATS) {
      const place = join(folder, `${source}-${format}`)
      await buildPhramSystem(place, kernel, { deviceTree: { source } }, { format, root: 'phram' })
      const trouble = await onBoard(place, (board) => judgePhram(board, place, 0x4040_0000))
      if (trouble !== undefined) failures++
      progress(`${source} ${format}: ${trouble ?? 'the root is where it was loaded, and unchanged'}`)
      rows.push(['qemuAarch64', source, format, 512, trouble === undefined ? 'unchanged' : 'failed'])
    }
  }
  return {
    columns: ['device', 'device tree', 'format', 'MiB', 'the root after 80 % of memory was written to'],
    rows,
    notes: [
      'A kernel of Linux 6.1 with the phram driver built in, no initramfs. Seen in each: the flash device and its size in /proc/mtd, the memory `reserved` in /proc/iomem, the node in /sys/firmware/devicetree.',
    ],
    failures,
  }
}

export const verifications: readonly Verification[] = [
  { name: 'boot', title: 'Boots over the network, by U-Boot in QEMU', run: verifyBoots },
  { name: 'boot-phram', title: 'Roots that stay where they were loaded', run: verifyPhram },
]
