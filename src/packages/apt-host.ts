import { readdir, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { UserError } from '../diagnostics/index.ts'
import { type HostSource, parseListFile, parseSourcesFile } from './host-sources.ts'

/** What this room takes from the host's apt: its sources, how it fetches, and Debian's keyring. */
export interface AptHost {
  readonly sources: readonly HostSource[]
  /** How the host's apt fetches (proxies, certificates, retries), as lines of apt.conf(5). */
  readonly acquire: readonly (readonly [name: string, value: string])[]
  /** The host's files of passwords for mirrors (apt_auth.conf(5)). */
  readonly netrc: string
  readonly netrcParts: string
  /** Keyring that every index must be signed with. */
  readonly keyring: string
}

const keyrings = [
  '/usr/share/keyrings/debian-archive-keyring.gpg',
  '/usr/share/keyrings/debian-archive-keyring.pgp',
]

/**
 * Settings below `Acquire::` that are not taken over: those that would let unsigned or weakly signed indexes
 * through, and those that say *which* files to fetch, which is ours to say.
 */
const ours =
  /^Acquire::(Allow|IndexTargets|Languages|GzipIndexes|Changelogs|CompressionTypes|cdrom|PDiffs)(?!-)/i

/**
 * Reads the host's apt configuration.
 *
 * @throws UserError when apt or Debian's keyring is not installed.
 */
export async function readAptHost(): Promise<AptHost> {
  const settings = parseAptConfigDump(await aptConfigDump())
  const setting = (name: string, fallback: string) =>
    settings.find(([known]) => known === name)?.[1] ?? fallback
  const etc = resolve(setting('Dir', '/'), setting('Dir::Etc', 'etc/apt'))
  return {
    sources: await readSources(
      resolve(etc, setting('Dir::Etc::sourcelist', 'sources.list')),
      resolve(etc, setting('Dir::Etc::sourceparts', 'sources.list.d')),
    ),
    acquire: settings.filter(([name]) => name.startsWith('Acquire::') && !ours.test(name)),
    netrc: resolve(etc, setting('Dir::Etc::netrc', 'auth.conf')),
    netrcParts: resolve(etc, setting('Dir::Etc::netrcparts', 'auth.conf.d')),
    keyring: await findKeyring(),
  }
}

async function aptConfigDump(): Promise<string> {
  try {
    const { execa } = await import('execa')
    const { stdout } = await execa('apt-config', ['dump'], { env: { LC_ALL: 'C.UTF-8' } })
    return stdout
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new UserError({
      what: 'apt is not installed on this host',
      why: "packages are fetched, verified and their dependencies solved by Debian's apt",
      fix: 'install the package apt (it works beside another package manager)',
    })
  }
}

/** The settings that have a value, in order. A value that apt.conf could not quote is left out. */
export function parseAptConfigDump(text: string): readonly (readonly [name: string, value: string])[] {
  return text.split('\n').flatMap((line) => {
    const [, name, value] = /^(\S+) "([^"]+)";$/.exec(line) ?? []
    return name === undefined || value === undefined ? [] : [[name, value] as const]
  })
}

async function readSources(list: string, parts: string): Promise<readonly HostSource[]> {
  const sources = [...parseListFile(await textOf(list))]
  for (const name of (await readdir(parts).catch(() => [])).sort()) {
    // apt takes names of letters, digits, `_`, `-` and `.` only, and these two endings (sources.list(5)).
    if (!/^[\w.-]+$/.test(name)) continue
    if (name.endsWith('.list')) sources.push(...parseListFile(await textOf(join(parts, name))))
    if (name.endsWith('.sources')) sources.push(...parseSourcesFile(await textOf(join(parts, name))))
  }
  return sources
}

/** A source file that is absent, or not ours to read, is like an empty one: what is left may do. */
async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}

async function findKeyring(): Promise<string> {
  for (const path of keyrings) {
    const found = await stat(path).catch(() => undefined)
    if (found?.isFile()) return path
  }
  throw new UserError({
    what: "Debian's archive keyring is not installed on this host",
    why: `every package index must be signed by a key in ${keyrings[0]}`,
    fix: 'install the package debian-archive-keyring',
  })
}
