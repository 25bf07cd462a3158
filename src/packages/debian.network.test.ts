import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Engine, openEngine } from '../engine/index.ts'
import type { FileTree } from '../filetree/index.ts'
import { busyboxApplets } from './applets.ts'
import { type FileReference, openPackages, type Packages } from './packages.ts'
import type { PackagesContext } from './resolve.ts'

// These need the network: a mirror of Debian, as the host's apt or FIRMWRIGHT_MIRROR names it.

let folder: string
let engine: Engine
let context: PackagesContext
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'debian-'))
  engine = await openEngine({ storeFolder: join(folder, 'store') })
  context = { engine, lockFile: join(folder, 'firmwright.lock'), cacheFolder: join(folder, 'cache') }
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

const router = ['busybox', 'nftables', 'openrc', 'dropbear-bin', 'dnsmasq-base', 'iproute2']
const programs: readonly (readonly [name: string, path: string])[] = [
  ['busybox', '/bin/busybox'],
  ['nftables', '/usr/sbin/nft'],
  ['openrc', '/sbin/openrc'],
  ['openrc', '/sbin/openrc-run'],
  ['openrc', '/lib/rc/sh/openrc-run.sh'],
  ['dropbear-bin', '/usr/sbin/dropbear'],
  ['dnsmasq-base', '/usr/sbin/dnsmasq'],
  ['iproute2', '/sbin/ip'],
]
const references: readonly FileReference[] = programs.map(([name, path]) => ({
  package: name,
  path,
  origin: { feature: name },
}))

async function open(architecture: string, install: readonly string[]): Promise<Packages> {
  const requested = install.map((name) => ({ name, origins: [{ feature: name }] }))
  return openPackages(context, { release: 'bookworm', architecture, install: requested, only: [] })
}

/** Writes a tree out, with the links of a usr-merged system. */
async function unpack(tree: FileTree, root: string): Promise<void> {
  await mkdir(join(root, 'usr'), { recursive: true })
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    await mkdir(join(root, 'usr', name), { recursive: true })
    await execa('ln', ['-s', `usr/${name}`, join(root, name)])
  }
  for (const [path, entry] of tree) {
    const at = join(root, path)
    await mkdir(dirname(at), { recursive: true })
    if (entry.type === 'symlink') await execa('ln', ['-s', entry.target, at])
    if (entry.type === 'file' && entry.content.type === 'slice') {
      const { artifact, offsetBytes, sizeBytes } = entry.content
      await writeFile(at, await engine.read(artifact, { offsetBytes, sizeBytes }), { mode: entry.mode })
    }
  }
}

describe('a router’s files, from Debian', () => {
  it('are found for another architecture, and nothing else is', async () => {
    const { tree, expects } = await (await open('arm64', router)).closure(references)
    const size = [...tree.values()].reduce(
      (sum, entry) =>
        sum + (entry.type === 'file' && entry.content.type === 'slice' ? entry.content.sizeBytes : 0),
      0,
    )
    expect(size).toBeGreaterThan(10e6)
    expect(size).toBeLessThan(30e6)
    expect([...tree.keys()].filter((path) => /^\/usr\/share\//.test(path))).toEqual([])
    expect(expects.map(({ path, kind }) => [path, kind])).toEqual([['/usr/bin/sh', 'interpreter']])
  })

  // The oracle is the loader itself: it runs each program in a root that has the closure alone.
  it.runIf(process.arch === 'x64')('run in a root that has only them', async () => {
    const packages = await open('amd64', router)
    const { tree } = await packages.closure(references)
    const root = join(folder, 'root')
    await unpack(tree, root)
    const run = (...argv: readonly string[]) =>
      execa('bwrap', ['--unshare-all', '--bind', root, '/', '--proc', '/proc', '--dev', '/dev', ...argv])
    expect((await run('/usr/sbin/nft', '--version')).stdout).toContain('nftables v')
    expect((await run('/usr/sbin/dnsmasq', '--version')).stdout).toContain('Dnsmasq version')
    expect((await run('/sbin/ip', '-Version')).stdout).toContain('ip utility')
    expect((await run('/usr/sbin/dropbear', '-V')).stderr).toContain('Dropbear')
    expect((await run('/sbin/openrc', '--version')).stdout).toContain('OpenRC')

    const { stdout } = await run('/bin/busybox', '--list')
    expect(await busyboxApplets(packages)).toEqual(stdout.split('\n').toSorted())
  })

  it('have the applets of the static busybox too', async () => {
    const packages = await open('amd64', ['busybox-static'])
    const applets = await busyboxApplets(packages, 'busybox-static')
    expect(applets).toEqual(applets.toSorted())
    for (const name of ['[', 'sh', 'mount', 'insmod', 'udhcpc']) expect(applets).toContain(name)
    if (process.arch === 'x64') {
      const path = join(folder, 'busybox')
      await writeFile(path, await packages.read('busybox-static', '/bin/busybox'), { mode: 0o755 })
      expect(applets).toEqual((await execa(path, ['--list'])).stdout.split('\n').toSorted())
    }
  })

  it('are the same, byte for byte of the lock, from an empty store', async () => {
    await open('arm64', ['busybox'])
    const lock = await readFile(context.lockFile, 'utf8')
    const other = await openEngine({ storeFolder: join(folder, 'other-store') })
    try {
      const again = { ...context, engine: other, cacheFolder: join(folder, 'other-cache') }
      const requested = [{ name: 'busybox', origins: [] }]
      const request = { release: 'bookworm', architecture: 'arm64', install: requested, only: [] }
      const roots = [{ package: 'busybox', path: '/bin/busybox', origin: {} }]
      const there = await (await openPackages(again, request)).closure(roots)
      const here = await (await openPackages(context, request)).closure(roots)
      expect(there.tree).toEqual(here.tree)
    } finally {
      await other.close()
    }
    expect(await readFile(context.lockFile, 'utf8')).toBe(lock)
  })
})
