/**
 * `npm run bench kernel`: what building a kernel from source costs, against plain make on the same tree, with the same
 * configuration, goals and number of jobs, in the same run. Whole processes by the clock: what runs in a sandbox is not
 * among the children whose time of the processor the system adds up. Prints times and ratios; asserts nothing.
 *
 * (a) clean build, packages fetched, against unpacking the same archive and make; (b) clean build where the source is
 * unpacked already, against make alone; (c) one driver more; (d) nothing changed.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { objectsPrefix } from '../src/kernel/linux-tree.ts'
import { unpackedPackage } from '../test/material.ts'
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
  kernel: linuxSource({ package: 'linux-source-6.1' }, { patches: ['note.patch'] }),
  hostname: 'bench',
  setup(system) {
    system.kernel.require({ modules: ${JSON.stringify(modules)} })
  },
})
`,
  )
  const file = join(project, 'system.ts')
  const out = join(project, 'out')
  return seconds(process.execPath, program, 'build', file, 'kernel', '-o', out, '--cache', cache)
}

/** A patch that compiles nothing: a source with another one is unpacked and read anew, and its package is not fetched again. */
function writePatch(text: string): void {
  const patch = `--- /dev/null\n+++ b/Documentation/note\n@@ -0,0 +1 @@\n+${text}\n`
  writeFileSync(join(project, 'note.patch'), patch)
}

/** Fetches what there is to fetch; no kernel can be built as it is asked for here. */
function fetch(): void {
  writePatch('fetched')
  const unheard = 'no_module_is_called_this'
  try {
    build(unheard)
  } catch (error) {
    if (error instanceof Error && error.message.includes(unheard)) return
    throw error
  }
  throw new Error('a kernel was built with a module that there is none of')
}

/** What make has compiled is moved away: where much was deleted just now, ext4 is slow to make new files. */
function forgetObjects(): void {
  const kept = join(cache, 'store/kept')
  for (const source of readdirSync(kept)) {
    const linux = join(kept, source, 'folder/linux')
    for (const name of readdirSync(linux).filter((each) => each.startsWith(objectsPrefix)))
      renameSync(join(linux, name), join(folder, `forgotten-${name}`))
  }
}

function make(srctree: string, objects: string): number {
  mkdirSync(objects, { recursive: true })
  cpSync(join(project, 'out/kernel/config'), join(objects, '.config'))
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  const jobs = `-j${availableParallelism()}`
  const goals = ['Image', 'modules', 'dtbs']
  return seconds('make', '-s', jobs, '-C', srctree, `O=${objects}`, ...assignments, ...goals)
}

function tell(what: string, ours: number, theirs: number, against: string, wanted: string): void {
  process.stdout.write(
    `${what}: ${ours.toFixed(2)} s  ${against} ${theirs.toFixed(2)} s  ratio ${(ours / theirs).toFixed(3)} (wanted: ${wanted})\n`,
  )
}

try {
  mkdirSync(project)
  const archives = await unpackedPackage({
    release: 'bookworm',
    architecture: 'amd64',
    package: 'linux-source-6.1',
  })
  fetch()
  writePatch('built')
  const clean = build('tun')
  const srctree = join(folder, 'linux')
  mkdirSync(srctree)
  const archive = join(archives, 'usr/src/linux-source-6.1.tar.xz')
  const unpacking = seconds('tar', '-xf', archive, '--strip-components=1', '-C', srctree)
  const plain = make(srctree, join(folder, 'objects'))
  const more = build('tun', 'e1000e')
  const plainMore = make(srctree, join(folder, 'objects'))
  const same = build('tun', 'e1000e')
  forgetObjects()
  const unpacked = build('tun', 'e1000e', 'vxlan')
  const plainUnpacked = make(srctree, join(folder, 'objects-unpacked'))
  const config = readFileSync(join(project, 'out/kernel/config'), 'utf8')
  const count = (value: string): number =>
    config.split('\n').filter((line) => line.endsWith(`=${value}`)).length
  const version = execFileSync('make', ['--version'], { encoding: 'utf8' }).split('\n')[0]
  process.stdout.write(
    `Linux 6.1 for arm64, ${count('y')} symbols y and ${count('m')} m; ${version}, ${availableParallelism()} jobs\n`,
  )
  tell('clean build', clean, unpacking + plain, 'tar -xf and make', 'at most 1.05')
  process.stdout.write(`  of which tar -xf of the source: ${unpacking.toFixed(2)} s\n`)
  tell('clean build, source unpacked', unpacked, plainUnpacked, 'make', 'at most 1.05')
  tell('one driver more', more, clean, 'clean build', 'at most 0.3')
  tell('one driver more', more, plainMore, 'make', 'no target')
  process.stdout.write(`nothing changed: ${same.toFixed(2)} s (wanted: at most 0.5)\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
