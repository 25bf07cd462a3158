/**
 * Real inputs for tests and `npm run verify`: kernel source trees, kernels and whatever else Debian packages have,
 * fetched and checked by the project's own packages room and unpacked once into a folder that later runs find again.
 * What is in it is for reading only: two tests may look at one tree at the same time.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { openEngine } from '../src/engine/index.ts'
import { openPackages } from '../src/packages/index.ts'
import { cacheFolder } from './cache.ts'

const materialFolder = join(cacheFolder, 'material')

/** A package of Debian's. */
export interface MaterialPackage {
  /** Code name: `bookworm`, `trixie`. */
  readonly release: string
  /** Debian's name of the architecture that the package is for. */
  readonly architecture: string
  /** A kernel metapackage (`linux-image-arm64`) stands for the versioned package that it names. */
  readonly package: string
}

/** The folder of an unpacked package. */
export async function unpackedPackage(wanted: MaterialPackage): Promise<string> {
  const { release, architecture, package: name } = wanted
  return onceIn(`${release}-${architecture}-${name}`, async (folder) => {
    const archive = join(folder, '..', `${name}.tar`)
    await fetchData(wanted, archive)
    await execa('tar', ['--extract', '--no-same-owner', '--file', archive, '--directory', folder])
  })
}

/** The folder of a kernel source tree, unpacked from Debian's package. */
export async function linuxSource(version: '6.1' | '6.12'): Promise<string> {
  const name = `linux-source-${version}`
  return onceIn(name, async (folder) => {
    const release = version === '6.1' ? 'bookworm' : 'trixie'
    const archive = join(folder, '..', `${name}.tar`)
    await fetchData({ release, architecture: 'amd64', package: name }, archive)
    // The package holds the tree as an archive of its own.
    const unpack =
      'tar -xOf "$1" "./usr/src/$2.tar.xz" | xz --decompress --threads=0 | tar -x --strip-components=1 -C "$3"'
    await execa('bash', ['-o', 'pipefail', '-c', unpack, 'unpack', archive, name, folder])
  })
}

/** A source package as its authors published it, without Debian's patches. */
export async function upstreamSource(name: string, release = 'bookworm'): Promise<string> {
  return onceIn(`${name}-source-${release}`, async (folder) => {
    const work = join(folder, '..', 'source')
    mkdirSync(join(work, 'lists/partial'), { recursive: true })
    const root = await aptRootOf(release)
    const lines = readFileSync(join(root, 'etc/sources.list'), 'utf8')
    writeFileSync(join(work, 'sources.list'), lines.replace(/^deb \[arch=\S+ /gm, 'deb-src ['))
    const apt = (...args: readonly string[]) =>
      execa(
        'apt-get',
        ['-qq', `-oDir::Etc::sourcelist=${work}/sources.list`, `-oDir::State::lists=${work}/lists`, ...args],
        {
          cwd: work,
          env: { APT_CONFIG: join(root, 'apt.conf') },
        },
      )
    await apt('update')
    await apt('source', '--download-only', '--tar-only', name)
    const archive = readdirSync(work).find((file) => file.includes('.orig.tar.'))
    if (archive === undefined) throw new Error(`no archive came for the source package ${name}`)
    await execa('tar', ['-xf', join(work, archive), '--strip-components=1', '--no-same-owner', '-C', folder])
  })
}

/** A private root of apt's, which asking for any package of the release makes. */
async function aptRootOf(release: string): Promise<string> {
  await unpackedPackage({ release, architecture: 'amd64', package: 'hostname' })
  return join(cacheFolder, `${release}-amd64`)
}

async function fetchData(wanted: MaterialPackage, destination: string): Promise<void> {
  const { release, architecture, package: name } = wanted
  const folder = join(destination, '..')
  const engine = await openEngine({ storeFolder: join(folder, 'store') })
  try {
    const context = { engine, lockFile: join(folder, 'lock'), cacheFolder }
    const only = [{ name, origins: [{ feature: 'test material' }] }]
    const packages = await openPackages(context, { release, architecture, install: [], only })
    const { data } = await packages.content(name)
    await engine.export(data, destination)
  } finally {
    await engine.close()
  }
}

const making = new Map<string, Promise<string>>()

/**
 * The folder of this name, filled by whoever needs it first. It appears whole: what is cut short leaves nothing, and of
 * two processes that make the same one, one wins.
 */
export function onceIn(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const known = making.get(name) ?? make(name, fill)
  making.set(name, known)
  return known
}

async function make(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const place = join(materialFolder, name)
  if (existsSync(place)) return place
  mkdirSync(materialFolder, { recursive: true })
  const work = mkdtempSync(join(materialFolder, `.${name}-`))
  try {
    const folder = join(work, 'folder')
    mkdirSync(folder)
    await fill(folder)
    try {
      renameSync(folder, place)
    } catch (error) {
      if (!existsSync(place) || readdirSync(place).length === 0) throw error
    }
    return place
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
