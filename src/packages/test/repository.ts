/**
 * A Debian repository made in a folder, for tests: real packages, real indexes, signed with a key of its own, so that
 * the real apt can be driven without a network.
 */
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import type { AptHost } from '../apt-host.ts'

export interface TestPackage {
  readonly name: string
  readonly version?: string
  readonly architecture?: string
  /** Further control fields: `Depends: …`. */
  readonly control?: readonly string[]
  /** Path → content; a content that begins with `-> ` is a symbolic link. Scripts (`#!`) become executable. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
}

export interface TestKey {
  readonly keyring: string
  sign(text: string): Promise<string>
  close(): Promise<void>
}

/** A throw-away key, in a gpg home of its own. */
export async function makeKey(): Promise<TestKey> {
  const home = await mkdtemp(join(tmpdir(), 'gpg-'))
  const gpg = (argv: readonly string[], input?: string) =>
    execa('gpg', ['--homedir', home, '--batch', '--no-tty', '--passphrase', '', ...argv], {
      ...(input === undefined ? {} : { input }),
      encoding: 'buffer',
      stripFinalNewline: false,
    })
  await chmod(home, 0o700)
  await gpg(['--quick-gen-key', 'Test <test@example.invalid>', 'rsa2048', 'sign', 'never'])
  const keyring = join(home, 'debian-archive-test.gpg')
  await writeFile(keyring, (await gpg(['--export'])).stdout)
  return {
    keyring,
    async sign(text) {
      return Buffer.from((await gpg(['--clearsign', '--output', '-'], text)).stdout).toString('utf8')
    },
    async close() {
      await execa('gpgconf', ['--homedir', home, '--kill', 'all'], { reject: false })
      await rm(home, { recursive: true, force: true })
    },
  }
}

export interface TestSuite {
  readonly suite: string
  readonly packages: readonly TestPackage[]
  /** The suite's; an index is made for each. */
  readonly architectures: readonly string[]
  readonly validUntil?: Date
}

/** Writes (or replaces) a suite of the repository in `folder`. */
export async function publish(folder: string, key: TestKey, suite: TestSuite): Promise<void> {
  const dist = join(folder, 'dists', suite.suite)
  await rm(dist, { recursive: true, force: true })
  const records = await Promise.all(suite.packages.map((one) => addPackage(folder, one)))
  const sums: string[] = []
  for (const architecture of suite.architectures) {
    const index = records
      .filter((one) => [architecture, 'all'].includes(one.architecture))
      .map((one) => one.text)
    const name = `main/binary-${architecture}/Packages`
    const text = index.join('\n')
    await mkdir(dirname(join(dist, name)), { recursive: true })
    await writeFile(join(dist, name), text)
    sums.push(` ${sha256(Buffer.from(text))} ${Buffer.byteLength(text)} ${name}`)
  }
  const release = [
    'Origin: Test',
    `Suite: ${suite.suite}`,
    `Codename: ${suite.suite}`,
    `Date: ${new Date(Date.now() - 86_400_000 * 30).toUTCString()}`,
    ...(suite.validUntil === undefined ? [] : [`Valid-Until: ${suite.validUntil.toUTCString()}`]),
    `Architectures: ${suite.architectures.join(' ')}`,
    'Components: main',
    'SHA256:',
    ...sums,
    '',
  ].join('\n')
  await writeFile(join(dist, 'InRelease'), await key.sign(release))
}

async function addPackage(folder: string, one: TestPackage): Promise<{ architecture: string; text: string }> {
  const deb = await makeDeb(join(folder, 'pool'), one)
  const bytes = await readFile(join(folder, 'pool', deb))
  const text = [
    ...controlOf(one),
    `Filename: pool/${deb}`,
    `Size: ${bytes.length}`,
    `SHA256: ${sha256(bytes)}`,
    '',
  ].join('\n')
  return { architecture: one.architecture ?? 'amd64', text }
}

function controlOf({
  name,
  version = '1.0',
  architecture = 'amd64',
  control = [],
}: TestPackage): readonly string[] {
  return [
    `Package: ${name}`,
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    'Maintainer: Test <test@example.invalid>',
    'Description: a test',
    ...control,
  ]
}

/** Builds a .deb with dpkg-deb. @returns its name in `folder` */
export async function makeDeb(folder: string, one: TestPackage): Promise<string> {
  const { name, version = '1.0', architecture = 'amd64', files = {} } = one
  await mkdir(folder, { recursive: true })
  const root = await mkdtemp(join(folder, 'build-'))
  await chmod(root, 0o755)
  for (const [path, content] of Object.entries(files)) {
    const at = join(root, path)
    await mkdir(dirname(at), { recursive: true })
    if (typeof content === 'string' && content.startsWith('-> ')) await symlink(content.slice(3), at)
    else await writeFile(at, content, { mode: String(content).startsWith('#!') ? 0o755 : 0o644 })
  }
  await mkdir(join(root, 'DEBIAN'))
  await writeFile(join(root, 'DEBIAN/control'), `${controlOf(one).join('\n')}\n`)
  const deb = `${name}_${version.replace(':', '%3a')}_${architecture}.deb`
  await execa('dpkg-deb', ['--root-owner-group', '--build', root, join(folder, deb)], {
    env: { SOURCE_DATE_EPOCH: '1' },
  })
  await rm(root, { recursive: true })
  return deb
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** A host whose apt knows only the repository in `folder`. */
export function hostOf(folder: string, keyring: string, ...acquire: AptHost['acquire']): AptHost {
  const source = { uri: `copy:${folder}`, components: ['main'], signedBy: [keyring] }
  return {
    sources: [
      { ...source, suite: 'bookworm' },
      { ...source, suite: 'bookworm-security' },
    ],
    acquire,
    netrc: '/nonexistent',
    netrcParts: '/nonexistent',
    keyring,
  }
}

/** Names of what is below a folder, files only, sorted. */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
