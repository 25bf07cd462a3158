/**
 * `npm run bench kernel`: what a kernel from source costs, against plain make on the same source and configuration, in
 * the same run. Prints times and ratios; asserts nothing.
 *
 * (a) a clean build, packages fetched, against unpacking the same archive and running make;
 * (b) one driver more, against (a); (c) nothing changed, whole process.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const program = join(root, 'dist/bin/main.js')
const folder = mkdtempSync(join(tmpdir(), 'firmwright-bench-'))
const example = readFileSync(join(root, 'examples/router-source/system.ts'), 'utf8')

/** Seconds that a command takes. */
function measure(argv: readonly string[], cwd = folder): number {
  const [command = '', ...args] = argv
  const begun = performance.now()
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0) throw new Error(`${argv.join(' ')} failed: ${error?.message ?? stderr}`)
  return (performance.now() - begun) / 1000
}

function project(name: string, text: string): string {
  const path = join(folder, name)
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'system.ts'), text)
  return path
}

const build = (path: string, cache: string): number =>
  measure([process.execPath, program, 'build', 'system.ts', 'kernel', '--cache', cache], path)

function row(what: string, ours: number, theirs: number, against: string, limit: number): void {
  process.stdout.write(
    `${what.padEnd(24)} ${ours.toFixed(2).padStart(7)} s  ${against} ${theirs.toFixed(2)} s  ratio ${(ours / theirs).toFixed(2)} (wanted: at most ${limit})\n`,
  )
}

/** The example with one line more in its setup. */
const withLine = (line: string): string =>
  example.replace('  setup(system) {', `  setup(system) {\n    ${line}`)

/** A build that is refused, for a module that there is not, has fetched its packages by then. */
function fetchPackages(cache: string): string {
  const path = project('router', withLine("system.kernel.require({ modules: ['no_such_module'] })"))
  const argv = [program, 'build', 'system.ts', 'kernel', '--cache', cache]
  const { stderr } = spawnSync(process.execPath, argv, { cwd: path, encoding: 'utf8' })
  if (!stderr.includes('no_such_module')) throw new Error(`the packages cannot be fetched: ${stderr}`)
  return project('router', example)
}

/** Debian's archive of the source, out of the package that the lock names. */
function sourceArchive(path: string, cache: string): string {
  const lock = JSON.parse(readFileSync(join(path, 'firmwright.lock'), 'utf8')) as {
    readonly sets: readonly {
      readonly packages: readonly { readonly name: string; readonly sha256: string }[]
    }[]
  }
  const found = lock.sets.flatMap((set) => set.packages).find(({ name }) => name === 'linux-source-6.1')
  if (found === undefined) throw new Error('the lock names no linux-source-6.1')
  const { sha256 } = found
  const blob = join(cache, 'store/blobs', sha256.slice(0, 2), sha256)
  mkdirSync(join(folder, 'source'))
  measure(['dpkg-deb', '-x', blob, join(folder, 'source')])
  const sources = join(folder, 'source/usr/src')
  const archive = readdirSync(sources).find((name) => name.endsWith('.tar.xz'))
  if (archive === undefined) throw new Error('no archive in the package')
  return join(sources, archive)
}

/** As by hand: unpack, copy the configuration, make. */
function byHand(archive: string, config: string): number {
  const work = join(folder, 'by-hand')
  mkdirSync(work)
  const variables = 'ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- PAHOLE=no-pahole RUSTC=no-rustc'
  const script = `tar -xf ${archive} --strip-components=1 && cp ${config} .config && make -j"$(nproc)" ${variables} Image modules dtbs`
  const seconds = measure(['sh', '-c', script], work)
  rmSync(work, { recursive: true, force: true })
  return seconds
}

try {
  const fetched = join(folder, 'fetched')
  process.stdout.write('fetching the packages …\n')
  const path = fetchPackages(fetched)
  const cache = join(folder, 'cache')
  cpSync(fetched, cache, { recursive: true, preserveTimestamps: true })
  rmSync(join(cache, 'store/results'), { recursive: true, force: true })
  const clean = build(path, cache)
  const plain = byHand(sourceArchive(path, fetched), join(path, 'build/kernel/config'))
  row('(a) clean build', clean, plain, 'make', 1.05)
  project('router', withLine("system.kernel.require({ modules: ['e1000e'] })"))
  row('(b) one driver more', build(path, cache), clean, '(a)', 0.3)
  const nothing = [1, 2, 3].map(() => build(path, cache)).sort((a, b) => a - b)[1] ?? Number.NaN
  row('(c) nothing changed', nothing, 1, 'one second:', 0.5)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
