/**
 * Reading all modules of a kernel, against depmod in the same run, and planning one target, whole process. Medians of
 * five, warm. Prints times and ratios; asserts nothing, since a machine's mood is no property of the code.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openKmodFolder, readKmodGraph } from '../src/kmod/index.ts'
import { type IndexedKernel, indexedKernel } from '../verify/kmod/kernels.ts'
import { median } from './measure/median.ts'

const program = fileURLToPath(new URL('../dist/bin/main.js', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'firmwright-bench-'))
const rounds = [1, 2, 3, 4, 5]

async function seconds(work: () => Promise<unknown> | unknown): Promise<number> {
  const begun = performance.now()
  await work()
  return (performance.now() - begun) / 1000
}

function run(command: string, ...args: readonly string[]): void {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`)
}

/** In turns, so that a slow moment hits both. */
async function graphAgainstDepmod(
  what: string,
  kernel: IndexedKernel,
  target: number,
  options: { readonly index?: string } = {},
): Promise<void> {
  const ours: number[] = []
  const theirs: number[] = []
  let modules = 0
  const read = async (): Promise<void> => {
    const source = openKmodFolder(kernel.folder, options)
    if (!source.ok) throw new Error(source.error.message)
    modules = (await readKmodGraph(source.value)).depends.size
  }
  await read()
  for (const _ of rounds) {
    theirs.push(await seconds(() => run('depmod', '-n', '-b', kernel.root, kernel.version)))
    ours.push(await seconds(read))
  }
  const ratio = median(ours) / median(theirs)
  process.stdout.write(
    `${what}, ${modules} modules: ${median(ours).toFixed(3)} s  depmod -n ${median(theirs).toFixed(3)} s  ratio ${ratio.toFixed(2)} (wanted: at most ${target})\n`,
  )
}

async function planOf(target: string, kernel: IndexedKernel, ...options: readonly string[]): Promise<void> {
  process.env.FIRMWRIGHT_CACHE = join(scratch, 'cache')
  const argv = [program, 'kmod', 'plan', '--modules', kernel.folder, ...options, target]
  const ours: number[] = []
  const bare: number[] = []
  for (const _ of rounds) {
    bare.push(await seconds(() => run(process.execPath, '-e', '0')))
    ours.push(await seconds(() => run(process.execPath, ...argv)))
  }
  process.stdout.write(
    `kmod plan ${[...options, target].join(' ')}, whole process: ${median(ours).toFixed(3)} s, of which an empty Node takes ${median(bare).toFixed(3)} s (wanted: at most 0.15)\n`,
  )
}

try {
  const plain = await indexedKernel(
    { release: 'bookworm', architecture: 'arm64', package: 'linux-image-arm64' },
    scratch,
  )
  const compressed = await indexedKernel(
    { release: 'trixie', architecture: 'arm64', package: 'linux-image-arm64' },
    scratch,
  )
  await graphAgainstDepmod('graph of plain modules', plain, 0.7)
  await graphAgainstDepmod('the same from the index', plain, 0.3, { index: join(scratch, 'index') })
  await graphAgainstDepmod('graph of .ko.xz', compressed, 0.6)
  // No alias has to be looked up for the first; for the others every module is read.
  for (const target of ['virtio_net', 'nft_masq', 'nft-expr-1-fib']) await planOf(target, plain, '--no-index')
  await planOf('nft-expr-1-fib', plain)
  process.stdout.write(
    `peak ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB (wanted: at most 400)\n`,
  )
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
