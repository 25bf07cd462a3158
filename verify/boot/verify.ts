/**
 * Every way to boot an emulated board over the network that its loader and its kernel have, one after the other:
 * architecture, whose device tree, kernel format, how the root travels, amount of memory. Each ends with user space up,
 * the root mounted from where the plan says, and unchanged after all free memory was written to.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { type Board, outputFolder, startBoard } from '../../test/boot/board.ts'
import { cacheFolder } from '../../test/cache.ts'
import type { Judgement, Verification, VerifyContext } from '../verification.ts'
import { bootByEmulator } from './by-emulator.ts'
import { type Case, caseSystem, debianCases, formCases, phramCases } from './cases.ts'
import { judge } from './judge.ts'

const program = fileURLToPath(new URL('../../dist/bin/main.js', import.meta.url))

/** What is wrong with a boot; undefined where all is well. */
async function tryCase(one: Case, folder: string): Promise<string | undefined> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'system.ts'), caseSystem(one))
  const argv = [program, 'build', 'system.ts', 'tftpboot', '--cache', cacheFolder]
  // The index of armhf's security updates is the one that mirrors most often have half of.
  const env = { FIRMWRIGHT_SECURITY_MIRROR: '' }
  const built = await execa(process.execPath, argv, { cwd: folder, env, reject: false })
  if (built.exitCode !== 0) return built.stderr.trim()
  let told: number | undefined
  const trouble = await onBoard(folder, async (board) => {
    if (one.tree === 'built-in' && one.root === 'phram') told = availableKib(await board.run('dmesg'))
    return judge(one, board, folder)
  })
  return trouble ?? (told === undefined ? undefined : await judgeMemoryTotal(folder, told))
}

/** What a kernel says it has when it begins to run. */
const AVAILABLE = /Memory: (\d+)K\/\d+K available/

function availableKib(messages: string): number {
  const kib = AVAILABLE.exec(messages)?.[1]
  if (kib === undefined) throw new Error('the kernel does not say how much memory it has')
  return Number(kib)
}

/**
 * Where /proc/iomem says nothing of it: the kernel begins with exactly the root's region less than when it is told nothing
 * of the root's memory. Without that word its root may be gone before it is mounted, so what counts is said before.
 */
async function judgeMemoryTotal(folder: string, told: number): Promise<string | undefined> {
  const file = join(folder, outputFolder, 'boot.json')
  const plan = await readFile(file, 'utf8')
  const memmap = / memmap=0x([0-9a-f]+)\$0x[0-9a-f]+/
  await writeFile(file, plan.replace('loglevel=4', 'loglevel=7').replace(memmap, ''))
  const board = startBoard({ folder, program, server: '192.0.2.1' })
  try {
    const untold = availableKib((await board.console.expect(AVAILABLE, 300_000))[0])
    const regionKib = Number.parseInt(memmap.exec(plan)?.[1] ?? '', 16) / 1024
    if (untold - told === regionKib) return undefined
    return `the kernel begins with ${told} KiB, and with ${untold} without memmap=: the root has ${regionKib}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    board.kill()
    await board.ended
    await writeFile(file, plan)
  }
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

async function bootAll(
  cases: readonly Case[],
  notes: readonly string[],
  { folder, progress }: VerifyContext,
): Promise<Judgement> {
  const rows: (readonly (string | number)[])[] = []
  let failures = 0
  for (const [index, one] of cases.entries()) {
    const place = join(folder, String(index))
    const trouble = await tryCase(one, place)
    if (trouble !== undefined) failures++
    const { device, format, mebibytes, wrapped, appended, compressed } = one
    const tree = appended === true ? `${one.tree}, appended` : one.tree
    const wrapping = wrapped === true ? ', in an image' : compressed === undefined ? '' : `, ${compressed}`
    const root = `${one.root}${wrapping}`
    progress(`${[device, tree, format, root, mebibytes].join(' ')}: ${trouble ?? 'up'}`)
    const map = await readFile(join(place, outputFolder, 'memory-map.txt'), 'utf8').catch(() => '')
    const regions = Math.max(0, map.trim().split('\n').length - 1)
    rows.push([device, tree, format, root, mebibytes, regions, trouble?.split('\n')[0] ?? 'up'])
  }
  const columns = ['device', 'device tree', 'format', 'root', 'MiB', 'regions', 'result']
  return { columns, rows, notes, failures }
}

const HOW =
  "Debian's U-Boot (u-boot-qemu), our own TFTP server and serial driver, in a user and network namespace. `emulator`: a tree of ours, as QEMU makes it. Up: user space runs, the root is mounted from where the plan has it, and its checksum is the same after all but a 32nd, and at least 8 MiB, of the memory that the kernel says is available was written to (but for cpio, where it is the memory)."

export const verifications: readonly Verification[] = [
  {
    name: 'boot',
    title: "Boots over the network, Debian's kernels",
    run: (context) =>
      bootAll(
        debianCases(),
        [
          `${HOW} Debian's Arm kernels have no phram; that of Malta has. There, MemTotal is also lower by exactly the root's region than without \`memmap=\`, and the kernel's bss ends within its region.`,
        ],
        context,
      ),
  },
  {
    name: 'boot-phram',
    title: 'Boots over the network, kernels built with the phram driver',
    run: (context) =>
      bootAll(
        phramCases(),
        [
          `${HOW} Linux 6.1 built for the system by \`linuxSource\`, no initramfs. Also seen in each: the flash device and its size in /proc/mtd, the memory left out in /proc/iomem (arm64: \`reserved\`; armv7: a hole in System RAM), the node in /sys/firmware/devicetree.`,
        ],
        context,
      ),
  },
  {
    name: 'boot-forms',
    title: 'Boots over the network, trees appended to the kernel and roots that the loader expands',
    run: async (context) => {
      const made = await bootAll(
        formCases(),
        [
          `${HOW} The last row is by QEMU's own \`-kernel\`: it is given the kernel with its tree and nothing else, and the initramfs is put into memory where that tree says.`,
        ],
        context,
      )
      const { row, trouble } = await bootByEmulator(join(context.folder, 'emulator'), program)
      context.progress(`-kernel: ${trouble ?? 'up'}`)
      return {
        ...made,
        rows: [...made.rows, [...row, trouble?.split('\n')[0] ?? 'up']],
        failures: made.failures + (trouble === undefined ? 0 : 1),
      }
    },
  },
]
