/**
 * `npm run bench kernel`: what building a kernel from source costs, against plain make on the same tree, with the same
 * configuration, goals and number of jobs, in the same run. Whole processes, by the clock and by the time of the
 * processor, which other load disturbs less. Prints times and ratios; asserts nothing.
 *
 * (a) clean build, packages and source already fetched; (b) one driver more; (c) nothing changed.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { linuxSource } from '../test/material.ts'
import { variables } from '../verify/kernel/base-build.ts'

const program = fileURLToPath(new URL('../dist/bin/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'firmwright-bench-'))
const project = join(folder, 'project')
const cache = join(folder, 'cache')

interface Measured {
  readonly wallSeconds: number
  /** user and system, of all processes */
  readonly processorSeconds: number
}

/** Runs a command to its end under time(1). */
function measure(...argv: readonly string[]): Measured {
  const report = join(folder, 'time')
  const args = ['-o', report, '-f', '%e %U %S', ...argv]
  const { MAKEFLAGS: _, ...env } = process.env
  const result = spawnSync('/usr/bin/time', args, { encoding: 'utf8', env, maxBuffer: 1 << 28 })
  if (result.status !== 0)
    throw new Error(`${argv.join(' ')} failed: ${result.stderr ?? result.error?.message}`)
  const [wall = Number.NaN, user = Number.NaN, system = Number.NaN] = readFileSync(report, 'utf8')
    .trim()
    .split(' ')
    .map(Number)
  return { wallSeconds: wall, processorSeconds: user + system }
}

/** Builds a system that asks for these modules of a small kernel for arm64. */
function build(...modules: readonly string[]): Measured {
  writeFileSync(
    join(project, 'system.ts'),
    `import { defineSystem, linuxSource } from 'firmwright'
import { qemuAarch64 } from 'firmwright/devices'
export default defineSystem({
  device: qemuAarch64,
  kernel: linuxSource({ package: 'linux-source-6.1' }),
  hostname: 'bench',
  setup(system) {
    system.kernel.require({ modules: ${JSON.stringify(modules)} })
  },
})
`,
  )
  const file = join(project, 'system.ts')
  return measure(
    process.execPath,
    program,
    'build',
    file,
    'kernel',
    '-o',
    join(project, 'out'),
    '--cache',
    cache,
  )
}

function make(srctree: string, objects: string): Measured {
  mkdirSync(objects, { recursive: true })
  cpSync(join(project, 'out/kernel/config'), join(objects, '.config'))
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  const jobs = `-j${availableParallelism()}`
  return measure(
    'make',
    '-s',
    jobs,
    '-C',
    srctree,
    `O=${objects}`,
    ...assignments,
    'Image',
    'modules',
    'dtbs',
  )
}

function tell(what: string, ours: Measured, theirs: Measured, against: string, wanted: string): void {
  const ratio = (of: keyof Measured): string => (ours[of] / theirs[of]).toFixed(3)
  const shown = ({ wallSeconds, processorSeconds }: Measured): string =>
    `${wallSeconds.toFixed(2)} s (processor ${processorSeconds.toFixed(2)} s)`
  process.stdout.write(
    `${what}: ${shown(ours)}  ${against} ${shown(theirs)}  ratio ${ratio('wallSeconds')}, of the processor ${ratio('processorSeconds')} (wanted: ${wanted})\n`,
  )
}

try {
  mkdirSync(project)
  const srctree = await linuxSource('6.1')
  // Fetches what there is to fetch.
  build()
  for (const name of readdirSync(join(cache, 'store/kept')))
    rmSync(join(cache, 'store/kept', name), { recursive: true })
  const objects = join(folder, 'objects')
  const clean = build('tun')
  const plain = make(srctree, objects)
  const unpacking = measure('cp', '-a', srctree, join(folder, 'copy'))
  const more = build('tun', 'e1000e')
  const plainMore = make(srctree, objects)
  const same = build('tun', 'e1000e')
  const config = readFileSync(join(project, 'out/kernel/config'), 'utf8')
  const count = (value: string): number =>
    config.split('\n').filter((line) => line.endsWith(`=${value}`)).length
  const version = execFileSync('make', ['--version'], { encoding: 'utf8' }).split('\n')[0]
  process.stdout.write(
    `Linux 6.1 for arm64, ${count('y')} symbols y and ${count('m')} m; ${version}, ${availableParallelism()} jobs\n`,
  )
  tell('clean build', clean, plain, 'make', 'at most 1.05')
  process.stdout.write(
    `  of that, make needs no copy of the tree: cp -a of it takes ${unpacking.wallSeconds.toFixed(2)} s (processor ${unpacking.processorSeconds.toFixed(2)} s)\n`,
  )
  tell('one driver more', more, clean, 'clean build', 'at most 0.3')
  tell('one driver more', more, plainMore, 'make', 'no target')
  process.stdout.write(`nothing changed: ${same.wallSeconds.toFixed(2)} s (wanted: at most 0.5)\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
