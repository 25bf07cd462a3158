/**
 * `npm run bench kernel`: what building a kernel from source costs, against plain make on the same tree, with the same
 * configuration, goals and number of jobs, in the same run. Whole processes by the clock: what runs in a sandbox is not
 * among the children whose time of the processor the system adds up. Prints times and ratios; asserts nothing.
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

/** Runs a command to its end. */
function seconds(program: string, ...args: readonly string[]): number {
  const { MAKEFLAGS: _, ...env } = process.env
  const begun = performance.now()
  const result = spawnSync(program, args, { encoding: 'utf8', env, maxBuffer: 1 << 28 })
  if (result.status !== 0)
    throw new Error(`${program} ${args.join(' ')} failed: ${result.stderr ?? result.error?.message}`)
  return (performance.now() - begun) / 1000
}

/** Builds a system that asks for these modules of a small kernel for arm64. */
function build(...modules: readonly string[]): number {
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
  return seconds(
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

function make(srctree: string, objects: string): number {
  mkdirSync(objects, { recursive: true })
  cpSync(join(project, 'out/kernel/config'), join(objects, '.config'))
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  const jobs = `-j${availableParallelism()}`
  return seconds(
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

function tell(what: string, ours: number, theirs: number, against: string, wanted: string): void {
  process.stdout.write(
    `${what}: ${ours.toFixed(2)} s  ${against} ${theirs.toFixed(2)} s  ratio ${(ours / theirs).toFixed(3)} (wanted: ${wanted})\n`,
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
  const copying = seconds('cp', '-a', srctree, join(folder, 'copy'))
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
    `  make is given a source that is unpacked: cp -a of it takes ${copying.toFixed(2)} s\n`,
  )
  tell('one driver more', more, clean, 'clean build', 'at most 0.3')
  tell('one driver more', more, plainMore, 'make', 'no target')
  process.stdout.write(`nothing changed: ${same.toFixed(2)} s (wanted: at most 0.5)\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
