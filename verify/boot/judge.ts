/** Whether a board that is up has its root where the plan says, and leaves that memory alone. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { type Board, outputFolder } from '../../test/boot/board.ts'
import type { Case } from './cases.ts'

interface Plan {
  readonly regions: readonly { readonly name: string; readonly address: number; readonly sizeBytes: number }[]
}

/**
 * What is not filled of the memory that the kernel says is available: room for the shell and the programs that fill it. With
 * less of 2 GB the kernel throws out programs' pages again and again, to have what it keeps free (min_free_kbytes, CMA).
 */
const sparedKib = (availableKib: number): number => Math.max(8192, Math.ceil(availableKib / 32))

const hex = (number: number): string => number.toString(16).padStart(8, '0')

/** What is wrong; undefined where all is well. `folder` holds the system's build. */
export async function judge(one: Case, board: Board, folder: string): Promise<string | undefined> {
  const memoryKib = Number(/^Mem: +(\d+)/m.exec(await board.run('free'))?.[1])
  if (memoryKib < one.mebibytes * 1024 * 0.5) return `the kernel has ${memoryKib} KiB of ${one.mebibytes} MiB`
  const mounts = await board.run('cat /proc/mounts')
  const wanted = {
    cpio: /^(rootfs|none|tmpfs) \/ (rootfs|tmpfs|ramfs) /m,
    initramfs: /^\/dev\/loop0 \/ squashfs ro\b/m,
    phram: /^(\/dev\/root|\/dev\/mtdblock0) \/ squashfs ro\b/m,
  }
  if (!wanted[one.root].test(mounts)) return `the root is not where it should be:\n${mounts}`
  const plan = JSON.parse(await readFile(join(folder, outputFolder, 'boot.json'), 'utf8')) as Plan
  const bss = await judgeKernelPlace(one, board, plan)
  if (bss !== undefined || one.root === 'cpio') return bss
  const served = (name: string) => expanded(one, join(folder, outputFolder, name))
  if (one.root === 'initramfs') {
    const carrier = one.format === 'fit' ? 'image.fit' : 'initramfs.img'
    return judgeContent(one, board, '/dev/loop0', rootWithin(carrier, await served(carrier)))
  }
  const file = await served('rootfs.squashfs')
  return (await judgePhram(one, board, plan)) ?? (await judgeContent(one, board, '/dev/mtd0', file))
}

/** A file that is served, as the loader leaves it in memory. */
async function expanded({ compressed }: Case, file: string): Promise<Buffer> {
  if (compressed === undefined) return readFile(file)
  const [program, name] =
    compressed === 'gzip' ? (['gzip', `${file}.gz`] as const) : (['xz', `${file}.lzma`] as const)
  const { stdout } = await execa(program, ['--decompress', '--stdout', name], {
    encoding: 'buffer',
    stripFinalNewline: false,
  })
  return Buffer.from(stdout)
}

/** The root's image out of what carries it: a member of a cpio archive that is not compressed (buffer-format.rst). */
function rootWithin(carrier: string, bytes: Buffer): Uint8Array {
  const nameAt = bytes.indexOf('root.squashfs\0', 0, 'latin1')
  const headerAt = nameAt - 110
  const field = (index: number): number => {
    const at = headerAt + 6 + 8 * index
    return Number.parseInt(bytes.toString('latin1', at, at + 8), 16)
  }
  if (nameAt < 110 || bytes.toString('latin1', headerAt, headerAt + 6) !== '070701')
    throw new Error(`${carrier} has no root.squashfs`)
  const [sizeBytes, nameBytes] = [field(6), field(11)]
  const start = headerAt + Math.ceil((110 + nameBytes) / 4) * 4
  if (bytes.toString('latin1', start, start + 4) !== 'hsqs')
    throw new Error(`the root.squashfs in ${carrier} is no squashfs`)
  return bytes.subarray(start, start + sizeBytes)
}

/** A kernel of MIPS says where it is; a stripped vmlinuz does not tell how much it clears behind itself. */
async function judgeKernelPlace(one: Case, board: Board, plan: Plan): Promise<string | undefined> {
  if (one.device !== 'qemuMipsel') return undefined
  const memory = await board.run('cat /proc/iomem')
  const bss = Number.parseInt(/-([0-9a-f]+) : Kernel bss/.exec(memory)?.[1] ?? '', 16)
  const kernel = plan.regions.find(({ name }) => name === 'kernel')
  const isInside = kernel !== undefined && bss < kernel.address + kernel.sizeBytes
  return isInside ? undefined : `the kernel reaches beyond its region:\n${memory}`
}

/** The flash device, the memory that the kernel leaves out of its own, and the node in its tree. */
async function judgePhram(one: Case, board: Board, plan: Plan): Promise<string | undefined> {
  const root = plan.regions.find(({ name }) => name === 'root')
  if (root === undefined) return 'the plan has no root'
  const last = root.address + root.sizeBytes - 1
  const mtd = await board.run('cat /proc/mtd')
  if (!mtd.includes(`mtd0: ${hex(root.sizeBytes)} 00001000 "rootfs"`))
    return `/proc/mtd has another root:\n${mtd}`
  if (one.tree === 'built-in') return undefined
  const memory = await board.run('cat /proc/iomem')
  const isLeftOut =
    one.device === 'qemuAarch64'
      ? memory.split('\n').includes(`${hex(root.address)}-${hex(last)} : reserved`)
      : isHole(memory, root.address, last)
  if (!isLeftOut) return `/proc/iomem does not leave out ${hex(root.address)}-${hex(last)}:\n${memory}`
  const node = `/sys/firmware/devicetree/base/reserved-memory/rootfs@${root.address.toString(16)}`
  await board.run(`ls ${node}/no-map`)
  return undefined
}

/** Whether RAM ends right below a range, begins again right above it, and has nothing of it. */
function isHole(iomem: string, first: number, last: number): boolean {
  const banks = [...iomem.matchAll(/^([0-9a-f]+)-([0-9a-f]+) : System RAM$/gm)].map((match) =>
    match.slice(1).map((digits) => Number.parseInt(digits, 16)),
  )
  return (
    banks.some(([, end]) => end === first - 1) &&
    banks.some(([start]) => start === last + 1) &&
    banks.every(([start = 0, end = 0]) => end < first || start > last)
  )
}

/** The root's bytes are what was built, and the same after all free memory was written to. */
async function judgeContent(
  one: Case,
  board: Board,
  device: string,
  file: Uint8Array,
): Promise<string | undefined> {
  const sum = `head -c ${file.length} ${device} | sha256sum | cut -d ' ' -f 1`
  const before = await board.run(sum)
  const expected = createHash('sha256').update(file).digest('hex')
  if (before !== expected) return `the root has another checksum before anything was written: ${before}`
  const available = Number(/^MemAvailable: +(\d+) kB/m.exec(await board.run('cat /proc/meminfo'))?.[1])
  const sizeKib = available - sparedKib(available)
  if (!(sizeKib > 0)) return `the kernel says that ${available} KiB of memory are available`
  const filledBytes = Number(
    await board.run(
      `mkdir /tmp/fill && mount -t tmpfs -o size=${sizeKib}k tmpfs /tmp/fill && { dd if=/dev/zero of=/tmp/fill/all bs=64k 2> /dev/null; stat -c %s /tmp/fill/all; }`,
      // An emulated board on a busy machine writes 10 MB a second.
      120_000 + sizeKib / 10,
    ),
  )
  if (filledBytes < Math.max(sizeKib * 1024 - 2 ** 16, one.mebibytes * 2 ** 20 * 0.4))
    return `only ${filledBytes} bytes of memory could be filled, of ${sizeKib} KiB`
  await board.run('rm /tmp/fill/all')
  const after = await board.run(sum)
  return after === expected ? undefined : `the root has another checksum after memory was filled: ${after}`
}
