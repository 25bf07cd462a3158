// Drives the real program, as a child process, on system files in temporary folders. All tests share one warm cache of
// fetched packages and one lock that pins whatever any of them asks for; only few of them touch the network.
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { freemem, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll } from 'vitest'
import { cacheFolder } from './cache.ts'

export const repository = dirname(dirname(fileURLToPath(import.meta.url)))
export const program = join(repository, 'dist/bin/main.js')

/** Debian's kernel for virtual machines is a third of the full one, and reading it is most of a small build. */
export const kernelPackage = 'linux-image-cloud-arm64'

export interface Outcome {
  /** `undefined` when a signal ended it. */
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** what is typed; nothing otherwise */
  readonly input?: string
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** The environment of the program under test: no colours, no debugging, the shared cache. */
export const environment = { FIRMWRIGHT_CACHE: cacheFolder, NO_COLOR: '1', DEBUG: '' }

export async function firmwright(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [program, ...args], {
    cwd: options.cwd ?? repository,
    env: { ...environment, ...options.env },
    reject: false,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
  })
  return { exitCode, stdout, stderr }
}

const made: string[] = []

/** Stores sync what they write, which waits for everything else that a busy disk has to do: memory, where there is much. */
function temporaryBase(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm')
    if (bavail * bsize > 2e9 && freemem() > 4e9) return '/dev/shm'
  } catch {
    // There is no such folder everywhere.
  }
  return tmpdir()
}

/** A temporary folder, removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(temporaryBase(), 'firmwright-test-'))
  made.push(folder)
  return folder
}

afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true })
})

/** A temporary folder with these files. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder()
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

/** Line of the first statement of `setup` in {@link systemText}. */
export const setupLine = 11

/** A small system file; `setup` is the lines of its function of that name. */
export function systemText(setup: readonly string[] = [], options: readonly string[] = []): string {
  return [
    "import { debianKernel, defineFeature, defineSystem } from 'firmwright'",
    "import { qemuAarch64 } from 'firmwright/devices'",
    "import * as features from 'firmwright/features'",
    '',
    'export default defineSystem({',
    '  device: qemuAarch64,',
    "  hostname: 'edge',",
    `  kernel: debianKernel({ package: '${kernelPackage}' }),`,
    `  ${options.join(' ')}`,
    '  setup(system) {',
    ...setup.map((line) => `    ${line}`),
    '  },',
    '})',
    '',
  ].join('\n')
}

/** What any test asks of Debian, so that one lock answers all of them. */
const everyPackage = [
  "system.packages.file('nftables', '/usr/sbin/nft')",
  "system.packages.file('dropbear-bin', '/usr/sbin/dropbear')",
  "system.packages.file('dnsmasq-base', '/usr/sbin/dnsmasq')",
]

let warmed: Promise<string> | undefined

/** The text of a lock whose packages are all in the shared cache; made and fetched where it is not there yet. */
export function warmLock(): Promise<string> {
  warmed ??= warm()
  return warmed
}

async function warm(): Promise<string> {
  const folder = join(cacheFolder, 'tests')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'system.ts'), systemText(everyPackage))
  const build = '"$0" "$1" build system.ts vm -o out'
  // Other test files may be here at the same time. A lock whose pins are gone from the mirror is made anew.
  const script = `${build} --offline || { rm -f firmwright.lock; ${build}; }`
  const argv = ['--exclusive', join(folder, 'warming'), 'sh', '-c', script, process.execPath, program]
  const { exitCode, stderr } = await execa('flock', argv, { cwd: folder, env: environment, reject: false })
  if (exitCode !== 0) throw new Error(`the packages of the tests cannot be had:\n${stderr}`)
  return readFileSync(join(folder, 'firmwright.lock'), 'utf8')
}

/** A folder with this system file and a lock that answers it. */
export async function systemFolder(
  text: string = systemText(),
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  return folderWith({ 'system.ts': text, 'firmwright.lock': await warmLock(), ...files })
}

/** A cache folder that holds the pinned packages and nothing that was made of them. */
export async function freshCache(folder: string = join(temporaryFolder(), 'cache')): Promise<string> {
  const lock = JSON.parse(await warmLock()) as { sets: { packages: { sha256: string }[] }[] }
  mkdirSync(join(folder, 'store'), { recursive: true })
  writeFileSync(join(folder, 'store/format'), '1\n')
  for (const { sha256 } of lock.sets.flatMap((set) => set.packages)) {
    const path = join('store/blobs', sha256.slice(0, 2), sha256)
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    placeCopy(join(cacheFolder, path), join(folder, path))
  }
  return folder
}

/** A blob never changes, so another name of it is as good as a copy, where both are on one file system. */
function placeCopy(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch {
    copyFileSync(from, to)
  }
}
