/** Whether a board that is up has its root where the plan says, and leaves that memory alone. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Board, outputFolder } from '../../test/boot/board.ts'
import type { Case } from './cases.ts'

interface Plan {
  readonly regions: readonly { readonly name: string; readonly address: number; readonly sizeBytes: number }[]
}

/** What is not filled of the memory that the kernel says is available: room for the shell and the programs that fill it. */
const SPARED_KIB = 8192

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
  if (one.root === 'initramfs') return judgeContent(one, board, '/dev/loop0', undefined)
  const file = await readFile(join(folder, outputFolder, 'rootfs.squashfs'))
  return (await judgePhram(one, board, plan)) ?? (await judgeContent(one, board, '/dev/mtd0', file))
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
      : memory.includes(`-${hex(root.address - 1)} : System RAM`) && memory.includes(`${hex(last + 1)}-`)
  if (!isLeftOut) return `/proc/iomem does not leave out ${hex(root.address)}-${hex(last)}:\n${memory}`
  const node = `/sys/firmware/devicetree/base/reserved-memory/rootfs@${root.address.toString(16)}`
  await board.run(`ls ${node}/no-map`)
  return undefined
}

/** The root's bytes are what was built (where that is given), and the same after all free memory was written to. */
async function judgeContent(
  one: Case,
  board: Board,
  device: string,
  file: Uint8Array | undefined,
): Promise<string | undefined> {
  const sum = `${file === undefined ? `cat ${device}` : `head -c ${file.length} ${device}`} | sha256sum | cut -d ' ' -f 1`
  const before = await board.run(sum)
  const expected = file === undefined ? before : createHash('sha256').update(file).digest('hex')
  if (before !== expected) return `the root has another checksum before anything was written: ${before}`
  const available = Number(/^MemAvailable: +(\d+) kB/m.exec(await board.run('cat /proc/meminfo'))?.[1])
  const sizeKib = available - SPARED_KIB
  if (!(sizeKib > 0)) return `the kernel says that ${available} KiB of memory are available`
  const filledBytes = Number(
    await board.run(
      `mkdir /tmp/fill && mount -t tmpfs -o size=${sizeKib}k tmpfs /tmp/fill && { dd if=/dev/zero of=/tmp/fill/all bs=64k 2> /dev/null; stat -c %s /tmp/fill/all; }`,
    ),
  )
  if (filledBytes < Math.max(sizeKib * 1024 - 2 ** 16, one.mebibytes * 2 ** 20 * 0.4))
    return `only ${filledBytes} bytes of memory could be filled, of ${sizeKib} KiB`
  await board.run('rm /tmp/fill/all')
  const after = await board.run(sum)
  return after === expected ? undefined : `the root has another checksum after memory was filled: ${after}`
}
