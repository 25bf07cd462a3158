import { execFileSync } from 'node:child_process'
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Engine, openEngine } from '../engine/index.ts'
import { writeCpio } from './cpio.ts'
import { imageEntries, imageTimeSeconds } from './image.ts'
import { buildSquashfs } from './squashfs.ts'
import { writeTar } from './tar.ts'
import { completeTree, type Entry, type FileTree, type Node } from './tree.ts'

const isRoot = process.getuid?.() === 0
let folder: string
let engine: Engine

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'firmwright-filetree-'))
  engine = await openEngine({ storeFolder: join(folder, 'store') })
})
afterAll(async () => {
  await engine.close()
  rmSync(folder, { recursive: true, force: true })
})

const text = (value: string, mode = 0o644, uid = 0, gid = 0): Node => ({
  type: 'file',
  mode,
  uid,
  gid,
  content: { type: 'text', text: value },
})
function tree(nodes: Readonly<Record<string, Node>>): FileTree {
  return completeTree(
    new Map(Object.entries(nodes).map(([path, node]): [string, Entry] => [path, { ...node, origins: [] }])),
  )
}

const sample = tree({
  '/etc/secret': text('hidden\n', 0o600, 12, 34),
  '/etc/empty': text(''),
  '/etc/link': { type: 'symlink', target: 'secret', uid: 0, gid: 0 },
  '/usr/bin/tool': text('#!/bin/sh\n', 0o755),
  '/usr/bin/other': { type: 'hardlink', target: '/usr/bin/tool' },
  '/usr/share/large': text('0123456789abcdef'.repeat(100_000)),
  '/tmp': { type: 'directory', mode: 0o1777, uid: 0, gid: 0 },
  '/dev/console': { type: 'device', kind: 'character', major: 5, minor: 1, mode: 0o600, uid: 0, gid: 0 },
})

async function bytesOf(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const buffers: Uint8Array[] = []
  for await (const part of parts) buffers.push(part)
  return Buffer.concat(buffers)
}

describe.runIf(isRoot)('a file tree as an image', () => {
  /** What every format must give back, looked at in an unpacked folder. */
  function expectSample(unpacked: string): void {
    const at = (path: string) => lstatSync(join(unpacked, path))
    const owner = (path: string) => [at(path).uid, at(path).gid, at(path).mode & 0o7777]
    expect(owner('etc/secret')).toEqual([12, 34, 0o600])
    expect(readFileSync(join(unpacked, 'etc/secret'), 'utf8')).toBe('hidden\n')
    expect(at('etc/empty').size).toBe(0)
    expect(readlinkSync(join(unpacked, 'etc/link'))).toBe('secret')
    expect(owner('tmp')).toEqual([0, 0, 0o1777])
    expect(at('usr/bin/tool').ino).toBe(at('usr/bin/other').ino)
    expect(at('usr/bin/tool').nlink).toBe(2)
    expect(readFileSync(join(unpacked, 'usr/bin/other'), 'utf8')).toBe('#!/bin/sh\n')
    expect(at('usr/share/large').size).toBe(1_600_000)
    expect(at('dev/console').isCharacterDevice()).toBe(true)
    expect(at('dev/console').rdev).toBe(0x501)
    expect(at('usr/bin/tool').mtimeMs).toBe(imageTimeSeconds * 1000)
  }

  it('is read back by unsquashfs, hard links, owners and device nodes included', async () => {
    const image = await buildSquashfs(engine, imageEntries(sample))
    const unpacked = join(folder, 'unsquashed')
    execFileSync('unsquashfs', ['-q', '-no-progress', '-d', unpacked, engine.path(image)])
    expectSample(unpacked)
    expect(lstatSync(unpacked).mode & 0o7777).toBe(0o755)
    expect([lstatSync(unpacked).uid, lstatSync(unpacked).gid]).toEqual([0, 0])
  })

  it('is unpacked by cpio, hard links, owners and device nodes included', async () => {
    const archive = join(folder, 'sample.cpio')
    writeFileSync(archive, await bytesOf(writeCpio(engine, imageEntries(sample))))
    const unpacked = mkdtempSync(join(folder, 'cpio-'))
    execFileSync('cpio', ['-idm', '--quiet', '-F', archive], { cwd: unpacked })
    expectSample(unpacked)
  })

  it('is unpacked by tar', async () => {
    const archive = join(folder, 'sample.tar')
    writeFileSync(archive, await bytesOf(writeTar(engine, imageEntries(sample))))
    const unpacked = mkdtempSync(join(folder, 'tar-'))
    execFileSync('tar', ['-xpf', archive, '--numeric-owner'], { cwd: unpacked })
    expectSample(unpacked)
  })
})

describe('squashfs in two layers', () => {
  it('has the same bytes whatever store it was made in', async () => {
    const other = await openEngine({ storeFolder: join(folder, 'other'), jobs: 1 })
    const [a, b] = [
      await buildSquashfs(engine, imageEntries(sample)),
      await buildSquashfs(other, imageEntries(sample)),
    ]
    await other.close()
    expect(a.digest).toEqual(b.digest)
  })

  it('compresses nothing again when only the configuration changed', async () => {
    const started: string[] = []
    const watched = await openEngine({
      storeFolder: join(folder, 'store'),
      onEvent: (event) => {
        if (event.type === 'step-finished' && !event.cached) started.push(event.name)
      },
    })
    const changed = new Map(sample).set('/etc/hostname', { ...text('edge\n'), origins: [] })
    const image = await buildSquashfs(watched, imageEntries(changed))
    expect(started).toEqual(['append the configuration'])
    const listing = execFileSync('unsquashfs', ['-cat', watched.path(image), 'etc/hostname'], {
      encoding: 'utf8',
    })
    await watched.close()
    expect(listing).toBe('edge\n')
  })

  it('keeps every name and every byte of any tree', async () => {
    const name = fc
      .stringMatching(/^[a-zA-Z0-9 ."'$\\é_-]{1,12}$/)
      .filter((value) => value !== '.' && value !== '..')
    const content = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.nat(700_000).map((size) => 'x'.repeat(size)),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(
          fc.tuple(name, name).map(([top, file]) => `/${top}/${file}`),
          content,
          { minKeys: 1, maxKeys: 6 },
        ),
        async (files) => {
          const nodes = Object.fromEntries(Object.entries(files).map(([path, value]) => [path, text(value)]))
          const image = await buildSquashfs(engine, imageEntries(tree(nodes)))
          const unpacked = mkdtempSync(join(folder, 'property-'))
          execFileSync('unsquashfs', ['-q', '-no-progress', '-f', '-d', unpacked, engine.path(image)])
          for (const [path, value] of Object.entries(files)) {
            expect(readFileSync(join(unpacked, path), 'utf8')).toBe(value)
          }
        },
      ),
      { numRuns: 15, seed: 20240101 },
    )
  })
})
