/**
 * Boards whose device trees are in the kernel's source: a small system built for each, and what would be served and typed
 * held against programs that we did not write. The boards themselves are not here.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import {
  bananapiBpiR3,
  onionOmega2p,
  openwrtOne,
  tplinkHc220G5,
  turrisMox,
  turrisOmnia,
} from '../../src/devices/index.ts'
import { cacheFolder } from '../../test/cache.ts'
import type { Judgement, Verification, VerifyContext } from '../verification.ts'
import { type BoardCase, boardCases, boardSystem } from './boards.ts'
import { type Built, readBuilt } from './built.ts'
import { judgeImages } from './judge-image.ts'
import { judgeLayout } from './judge-layout.ts'
import { judgeTree } from './judge-tree.ts'

const devices = { bananapiBpiR3, onionOmega2p, openwrtOne, tplinkHc220G5, turrisMox, turrisOmnia }

const program = fileURLToPath(new URL('../../dist/bin/main.js', import.meta.url))

async function build(one: BoardCase, folder: string): Promise<Built> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'system.ts'), await boardSystem(one))
  const argv = [program, 'build', 'system.ts', 'tftpboot', 'rootfs', 'kernel', '--cache', cacheFolder]
  const device = devices[one.device]
  // The index of armhf's security updates is the one that mirrors most often have half of.
  const env = device.architecture === 'armhf' ? { FIRMWRIGHT_SECURITY_MIRROR: '' } : {}
  await execa(process.execPath, argv, { cwd: folder, env })
  const vmlinux = one.kernel === 'debian' ? undefined : await vmlinuxOf(join(folder, 'build/kernel'))
  return readBuilt(device, join(folder, 'build/tftpboot'), vmlinux)
}

/** The ELF file out of what the output `kernel` has of a kernel from source. */
async function vmlinuxOf(folder: string): Promise<string> {
  const place = './usr/lib/debug/boot'
  await execa('tar', ['--extract', '--file', 'kernel.tar', place], { cwd: folder })
  const [name = ''] = await readdir(join(folder, place))
  return join(folder, place, name)
}

async function judge(one: BoardCase, folder: string): Promise<readonly [string, ...string[]]> {
  const built = await build(one, folder)
  const work = join(folder, 'judged')
  await mkdir(work)
  const images = await judgeImages(built, work)
  const given = images.tree ?? join(built.folder, 'board.dtb')
  const tree = await judgeTree(given, built.device, work)
  const wrong = [...images.wrong, ...tree.wrong, ...judgeLayout(built, tree.reserved)]
  const { loader } = built.device.networkBoot ?? {}
  const long = built.lines.filter((line) => line.length > (loader?.lineLimitBytes ?? 0))
  if (long.length > 0) wrong.push(`${long.length} lines are longer than the loader takes`)
  const root = built.regions.some(({ name }) => name === 'root') ? 'phram' : 'initramfs'
  const kernel = `${images.kernel}${images.tree === undefined ? '' : ', tree appended'}`
  return [tree.compatible, kernel, root, String(built.regions.length), wrong.join('; ')]
}

async function verifyBoards({ folder, progress }: VerifyContext): Promise<Judgement> {
  const rows: (readonly (string | number)[])[] = []
  let failures = 0
  for (const [index, one] of boardCases.entries()) {
    const found = await judge(one, join(folder, String(index))).catch((error: unknown) => {
      return ['', '', '', '', error instanceof Error ? error.message : String(error)] as const
    })
    const trouble = found.at(-1) ?? ''
    if (trouble !== '') failures++
    progress(`${one.device}, ${one.kernel}: ${trouble === '' ? 'right' : trouble}`)
    const kernelSource = one.kernel === 'debian' ? `Debian's, ${one.release}` : one.kernel
    const result = trouble === '' ? 'right' : (trouble.split('\n')[0] ?? '')
    rows.push([devices[one.device].name, kernelSource, ...found.slice(0, -1), result])
  }
  return {
    columns: [
      'device',
      'kernel',
      'compatible',
      "the kernel's file (mkimage, file)",
      'root',
      'regions',
      'result',
    ],
    rows,
    failures,
    notes: [
      "Outputs `tftpboot`, `rootfs` and `kernel` of a small system; no board is booted. Right: the tree is, beside what a boot adds, what cpp and dtc make of the `.dts` in the kernel's source (of the same day as Debian's kernel), with the overlay of the device file by fdtoverlay, and the memory is what it says; `mkimage -l` and `file` know script, ramdisk and kernel for what they are; an arm64 Image has all that its header says it takes, on 2 MiB; of a MIPS kernel load address and entry point are those of readelf, the stream without its header (dumpimage) unpacks in xz to as much as it says, to what `objcopy -O binary` makes of vmlinux and behind it the tree, which is where `nm` has `__appended_dtb`, and `_end` is within its region; regions, transfers and the memory that the tree keeps for others are disjoint, and in the memory but for what the tree has elsewhere, by sums of their own; no line is longer than the loader takes.",
    ],
  }
}

export const verifications: readonly Verification[] = [
  {
    name: 'boards',
    title: 'Boards with device trees in the kernel: what would be served',
    run: verifyBoards,
  },
]
