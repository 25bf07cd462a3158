/**
 * `npm run bench router`: what the router example costs, each time against the tool that a user would reach for, in the same
 * run. Prints times and ratios; asserts nothing, since a machine's mood is no property of the code.
 *
 * (a) cold build, packages already fetched, against `mmdebstrap --variant=extract` + `sqfstar` of the same packages;
 * (b) nothing changed, whole process; (c) one line changed, against `sqfstar` alone on that tree;
 * (d) 50 systems that differ in host name only, against one.
 */
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const program = join(root, 'dist/bin/main.js')
const folder = mkdtempSync(join(tmpdir(), 'firmwright-bench-'))
const fetched = join(folder, 'fetched')
const example = readFileSync(join(root, 'examples/router/system.ts'), 'utf8')

interface Measured {
  readonly seconds: number
  readonly peakMegabytes: number
}

/** Runs a command to its end under time(1). */
function measure(argv: readonly string[], input?: string): Measured {
  const report = join(folder, 'time')
  const [shell, ...rest] = ['/usr/bin/time', '-o', report, '-f', '%e %M', ...argv]
  const result = spawnSync(shell ?? '', rest, { encoding: 'utf8', input, maxBuffer: 1 << 26 })
  if (result.status !== 0)
    throw new Error(`${argv.join(' ')} failed: ${result.stderr ?? result.error?.message}`)
  const [seconds, kilobytes] = readFileSync(report, 'utf8').trim().split(' ').map(Number)
  return { seconds: seconds ?? Number.NaN, peakMegabytes: (kilobytes ?? 0) / 1024 }
}

function build(project: string, cache: string, ...outputs: readonly string[]): Measured {
  const file = join(project, 'system.ts')
  return measure([
    process.execPath,
    program,
    'build',
    file,
    ...outputs,
    '-o',
    join(project, 'out'),
    '--cache',
    cache,
  ])
}

function project(name: string, text: string): string {
  const path = join(folder, name)
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'system.ts'), text)
  const lock = join(folder, 'first', 'firmwright.lock')
  if (name !== 'first' && existsSync(lock)) cpSync(lock, join(path, 'firmwright.lock'))
  return path
}

/** A store that has the packages and nothing that was made of them. */
function storeWithPackages(name: string): string {
  const cache = join(folder, name)
  cpSync(fetched, cache, { recursive: true, preserveTimestamps: true })
  rmSync(join(cache, 'store/results'), { recursive: true, force: true })
  return cache
}

function row(what: string, ours: Measured, theirs: Measured, against: string, limit: number): void {
  const ratio = ours.seconds / theirs.seconds
  process.stdout.write(
    `${what.padEnd(34)} ${ours.seconds.toFixed(2).padStart(7)} s  ${against} ${theirs.seconds.toFixed(2)} s  ratio ${ratio.toFixed(2)} (wanted: at most ${limit})  peak ${ours.peakMegabytes.toFixed(0)} MB\n`,
  )
}

interface Lock {
  readonly sets: readonly {
    readonly packages: readonly { readonly name: string; readonly version: string }[]
  }[]
}

/** The same packages unpacked whole and compressed, with the tools a user has. */
function byHand(): Measured {
  const lock = JSON.parse(readFileSync(join(folder, 'first', 'firmwright.lock'), 'utf8')) as Lock
  // The two kinds of busybox cannot be installed side by side; ours are not installed.
  const names = (lock.sets[0]?.packages ?? [])
    .map(({ name }) => name)
    .filter((name) => name !== 'busybox-static')
  const mirror = spawnSync(
    'apt-get',
    ['indextargets', '--format', '$(SITE) $(RELEASE)', 'Created-By: Packages'],
    {
      encoding: 'utf8',
    },
  ).stdout
  const lines = [
    ...new Set(
      mirror.split('\n').filter((line) => / (bookworm|bookworm-security|bookworm-updates)$/.test(line)),
    ),
  ]
  const sources = lines.map((line) => {
    const [site = '', release = ''] = line.split(' ')
    return `deb ${site} ${release} main`
  })
  const tar = join(folder, 'whole.tar')
  const first = measure([
    'mmdebstrap',
    '--variant=extract',
    '--architectures=arm64',
    '--skip=check/empty',
    `--include=${names.join(',')}`,
    'bookworm',
    tar,
    ...sources,
  ])
  const second = measure([
    'sh',
    '-c',
    `sqfstar -quiet -no-progress -comp xz ${join(folder, 'whole.squashfs')} < ${tar}`,
  ])
  return {
    seconds: first.seconds + second.seconds,
    peakMegabytes: Math.max(first.peakMegabytes, second.peakMegabytes),
  }
}

/** Compressing the tree of the image alone. */
function compressAlone(): Measured {
  const tree = join(folder, 'tree')
  const image = join(folder, 'first/out/rootfs/rootfs.squashfs')
  spawnSync('unsquashfs', ['-q', '-n', '-d', tree, image])
  const tar = join(folder, 'tree.tar')
  spawnSync('tar', ['-C', tree, '-cf', tar, 'usr', 'etc', 'root'])
  rmSync(tree, { recursive: true, force: true })
  const target = join(folder, 'tree.squashfs')
  return measure(['sh', '-c', `sqfstar -quiet -no-progress -comp xz -b 524288 ${target} < ${tar}`])
}

try {
  const first = project('first', example)
  process.stdout.write('fetching the packages …\n')
  build(first, fetched, 'rootfs')
  row(
    '(a) cold build',
    build(first, storeWithPackages('cold'), 'rootfs'),
    byHand(),
    'mmdebstrap + sqfstar',
    1.0,
  )

  build(first, fetched, 'rootfs', 'vm')
  const warm = [1, 2, 3, 4, 5]
    .map(() => build(first, fetched, 'rootfs', 'vm'))
    .sort((a, b) => a.seconds - b.seconds)
  row(
    '(b) nothing changed',
    warm[2] ?? { seconds: 0, peakMegabytes: 0 },
    { seconds: 1, peakMegabytes: 0 },
    'one second:',
    0.5,
  )

  const changed = project('first', example.replace('192.168.8.199', '192.168.8.150'))
  row('(c) one line changed', build(changed, fetched, 'rootfs'), compressAlone(), 'sqfstar alone', 1.2)

  const fleet = example
    .replace(
      'export default defineSystem({',
      'export default Array.from({ length: 50 }, (_, index) => defineSystem({',
    )
    .replace("hostname: 'edge'", 'hostname: `edge-${index}`')
    .replace(/\}\)\s*$/, '}))\n')
  const one = build(project('one', example), storeWithPackages('one-cache'), 'rootfs')
  const fifty = build(project('fifty', fleet), storeWithPackages('fifty-cache'), 'rootfs')
  row('(d) 50 systems', fifty, one, 'one system', 10)
  process.stdout.write(
    `image: ${(statSync(join(folder, 'first/out/rootfs/rootfs.squashfs')).size / 1e6).toFixed(2)} MB\n`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
