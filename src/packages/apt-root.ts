import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../diagnostics/index.ts'
import type { AptHost } from './apt-host.ts'
import type { Suite } from './mirrors.ts'

/**
 * A private root for apt: its own configuration, lists, caches and (empty) state, for one release and one
 * architecture. The host's apt is neither changed nor asked, and no privileges are needed.
 */
export interface AptRoot {
  readonly folder: string
  readonly release: string
  readonly architecture: string
  readonly suites: readonly Suite[]
  readonly lists: string
  /** Whether an index past its Valid-Until is refused. The host's setting; on unless that says otherwise. */
  readonly checkValidUntil: boolean
}

export interface AptRun {
  readonly exitCode: number
  readonly stdout: string
  /** What apt complained about: its `E:`, `W:`, `Err:` and `N:` lines, without passwords in addresses. */
  readonly complaints: readonly string[]
}

/** Makes the root in `folder`, or brings its configuration up to date. */
export async function openAptRoot(
  folder: string,
  release: string,
  architecture: string,
  suites: readonly Suite[],
  host: AptHost,
): Promise<AptRoot> {
  if (/["\n\r\\]/.test(folder)) {
    throw new UserError({
      what: `apt cannot work in the folder ${JSON.stringify(folder)}`,
      why: 'its configuration cannot hold a path with quotes, backslashes or line ends',
      fix: 'take a cache folder with a plainer name',
    })
  }
  const lists = join(folder, 'lists')
  for (const name of ['apt.conf.d', 'preferences.d', 'sources.list.d', 'trusted.gpg.d']) {
    await mkdir(join(folder, 'etc', name), { recursive: true })
  }
  await mkdir(join(lists, 'partial'), { recursive: true })
  await mkdir(join(folder, 'cache/archives/partial'), { recursive: true })
  await writeAtomic(join(folder, 'status'), '')
  await writeAtomic(join(folder, 'apt.conf'), configuration(folder, architecture, host))
  await writeAtomic(join(folder, 'etc/sources.list'), sourcesText(architecture, suites, host.keyring))
  const validUntil = host.acquire.findLast(([name]) => name === 'Acquire::Check-Valid-Until')?.[1] ?? 'true'
  return {
    folder,
    release,
    architecture,
    suites,
    lists,
    checkValidUntil: !/^(no|false|without|off|disable|0)$/i.test(validUntil),
  }
}

/** Where the root's sources are configured. */
export function sourcesList(root: AptRoot): string {
  return join(root.folder, 'etc/sources.list')
}

/** The private apt.conf. `Dir::Etc::parts` names an empty folder, so the host's hooks do not run. */
function configuration(folder: string, architecture: string, host: AptHost): string {
  const settings: (readonly [string, string])[] = [
    ['Dir::Etc', join(folder, 'etc')],
    ['Dir::Etc::main', join(folder, 'etc/apt.conf')],
    ['Dir::Etc::parts', join(folder, 'etc/apt.conf.d')],
    ['Dir::Etc::sourcelist', join(folder, 'etc/sources.list')],
    ['Dir::Etc::sourceparts', join(folder, 'etc/sources.list.d')],
    ['Dir::Etc::preferences', join(folder, 'etc/preferences')],
    ['Dir::Etc::preferencesparts', join(folder, 'etc/preferences.d')],
    ['Dir::Etc::trusted', join(folder, 'etc/trusted.gpg')],
    ['Dir::Etc::trustedparts', join(folder, 'etc/trusted.gpg.d')],
    ['Dir::Etc::netrc', host.netrc],
    ['Dir::Etc::netrcparts', host.netrcParts],
    ['Dir::State', folder],
    ['Dir::State::lists', join(folder, 'lists')],
    ['Dir::State::status', join(folder, 'status')],
    ['Dir::Cache', join(folder, 'cache')],
    // Half of the cache's 70 MB, and nothing is slower without it.
    ['Dir::Cache::srcpkgcache', ''],
    ['Dir::Log', join(folder, 'log')],
    ['APT::Architecture', architecture],
    ['APT::Architectures::', architecture],
    ['APT::Install-Recommends', 'false'],
    ['APT::Install-Suggests', 'false'],
    // As root, apt would fetch as the user _apt, who cannot write here.
    ...(process.getuid?.() === 0 ? [['APT::Sandbox::User', 'root'] as const] : []),
    ...host.acquire,
    ['Acquire::AllowInsecureRepositories', 'false'],
    ['Acquire::AllowWeakRepositories', 'false'],
    ['Acquire::AllowDowngradeToInsecureRepositories', 'false'],
    ['APT::Get::AllowUnauthenticated', 'false'],
    ['Acquire::Languages', 'none'],
    ['Acquire::GzipIndexes', 'false'],
    ['Acquire::PDiffs', 'false'],
  ]
  return `#clear APT::Architectures;\n${settings.map(([name, value]) => `${name} "${value}";\n`).join('')}`
}

function sourcesText(architecture: string, suites: readonly Suite[], keyring: string): string {
  return suites
    .flatMap((suite) =>
      suite.mirrors.map(
        (uri) => `deb [arch=${architecture} signed-by=${keyring}] ${uri} ${suite.name} main\n`,
      ),
    )
    .join('')
}

/** Makes apt prefer these versions, down to a downgrade (apt_preferences(5)). */
export async function pinVersions(
  root: AptRoot,
  pins: readonly { readonly name: string; readonly version: string }[],
): Promise<void> {
  const text = pins.map(
    ({ name, version }) => `Package: ${name}\nPin: version ${version}\nPin-Priority: 1001\n`,
  )
  await writeAtomic(join(root.folder, 'etc/preferences'), text.join('\n'))
}

/** Replaces a file's text, so that a reader sees the old or the new; leaves one that has it already alone. */
async function writeAtomic(path: string, text: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text) return
  const temporary = `${path}.${process.pid}`
  await writeFile(temporary, text)
  await rename(temporary, path)
}

/** Runs one of apt's programs in the private root. Never throws for a failure of apt itself. */
export async function runApt(
  root: AptRoot,
  signal: AbortSignal,
  program: 'apt-get' | 'apt-cache',
  argv: readonly string[],
  folder: string = root.folder,
): Promise<AptRun> {
  const { execa } = await import('execa')
  const result = await execa(program, argv, {
    env: { APT_CONFIG: join(root.folder, 'apt.conf'), LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' },
    cwd: folder,
    cancelSignal: signal,
    reject: false,
    stdin: 'ignore',
    maxBuffer: 1 << 28,
  })
  signal.throwIfAborted()
  const complaints = `${result.stdout}\n${result.stderr}`
    .split('\n')
    .filter((line) => /^(E|W|Err|N)[:\s]/.test(line) || /^ {2}\S/.test(line))
    .map((line) => withoutPassword(line.trim()))
  if (result.exitCode === undefined) complaints.push(withoutPassword(result.shortMessage ?? program))
  return { exitCode: result.exitCode ?? -1, stdout: result.stdout, complaints: [...new Set(complaints)] }
}

function withoutPassword(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, '$1')
}
