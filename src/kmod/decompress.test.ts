import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ElfInput } from '../elf/index.ts'
import { assembleKmod } from '../elf/test/assemble-kmod.ts'
import { type Compression, decompressKmod, type KmodResult, openKmodFolder, planLoad } from './index.ts'
import { visitFiles } from './visit.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'firmwright-compressed-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const commands = {
  gz: ['gzip'],
  xz: ['xz', '--check=crc32', '--lzma2=dict=1MiB'],
  zst: ['zstd', '-q'],
} as const
const compressions: readonly Compression[] = ['gz', 'xz', 'zst']

/** As the kernel's Makefile does it: from a file, so that the size is known to the program. */
function compress(content: Uint8Array, compression: Compression, ...more: string[]): Buffer {
  const path = join(folder, 'plain')
  writeFileSync(path, content)
  const [name, ...options] = commands[compression]
  return execFileSync(name, [...options, ...more, '-c', path], { maxBuffer: 1 << 30 })
}

function wholeOf(content: Uint8Array | ElfInput): Buffer {
  return Buffer.from(content instanceof Uint8Array ? content : content.read(0, content.sizeBytes))
}

const module = (name: string, depends = ''): Buffer =>
  assembleKmod({ modinfo: [`name=${name}`, `depends=${depends}`, `alias=x-${name}`] })

describe.each(compressions)('a .ko.%s', (compression) => {
  it('is unpacked', async () => {
    expect(await decompressKmod(compress(module('a'), compression), compression)).toEqual({
      ok: true,
      value: module('a'),
    })
  })

  it('that unpacks to too much is refused, and not unpacked further', async () => {
    const bomb = compress(Buffer.alloc(200 << 20), compression)
    expect(bomb.length).toBeLessThan(1 << 20)
    const started = process.memoryUsage().rss
    expect(await decompressKmod(bomb, compression, { limitBytes: 1 << 20 })).toEqual({
      ok: false,
      error: { type: 'compressed', message: 'unpacks to more than 1048576 bytes' },
    })
    expect(process.memoryUsage().rss - started).toBeLessThan(100 << 20)
  })

  it('that is damaged or cut is an error', async () => {
    const sound = compress(module('a'), compression)
    const results = [
      await decompressKmod(sound.subarray(0, sound.length - 9), compression),
      await decompressKmod(Buffer.from('not compressed at all'), compression),
      await decompressKmod(Buffer.alloc(0), compression),
    ]
    for (const result of results) expect(result.ok || result.error.type).toBe('compressed')
  })
})

describe('many files at once', () => {
  it('come out each as its own, the damaged ones as errors', async () => {
    const expected = new Map<string, Buffer | undefined>()
    const files: string[] = []
    const add = (name: string, compression: Compression, content: Buffer, plain?: Buffer): void => {
      const path = join(folder, `${name}.ko.${compression}`)
      writeFileSync(path, content)
      files.push(path)
      expected.set(path, plain)
    }
    for (const compression of compressions) {
      for (let index = 0; index < 20; index++) {
        const plain = module(`m${index}`.repeat(1 + index))
        add(`m${index}`, compression, compress(plain, compression), plain)
      }
      const [one, two] = [module('one'), module('two')]
      const joined = Buffer.concat([compress(one, compression), compress(two, compression)])
      add('two-in-one', compression, joined, Buffer.concat([one, two]))
      add('empty', compression, compress(Buffer.alloc(0), compression), Buffer.alloc(0))
    }
    add('cut', 'xz', compress(module('cut'), 'xz').subarray(0, 100))
    add('text', 'zst', Buffer.from('text'))
    const blocks = Buffer.alloc(100_000, 7)
    add('blocks', 'xz', compress(blocks, 'xz', '--block-size=10000'), blocks)
    const unsized = execFileSync('zstd', ['-q', '-c'], { input: blocks })
    add('unsized', 'zst', unsized, blocks)

    const received = new Map<string, KmodResult<Uint8Array>>()
    await visitFiles(files, (path, content) => {
      expect(received.has(path)).toBe(false)
      received.set(path, content.ok ? { ok: true, value: wholeOf(content.value) } : content)
    })
    expect(received.size).toBe(files.length)
    for (const [path, plain] of expected) {
      const content = received.get(path)
      if (plain === undefined)
        expect(content, path).toMatchObject({ ok: false, error: { type: 'compressed' } })
      else expect(content?.ok && Buffer.compare(content.value, plain), path).toBe(0)
    }
  })

  it('are modules of a folder like plain ones', async () => {
    const root = join(folder, 'tree')
    mkdirSync(join(root, 'kernel/net'), { recursive: true })
    writeFileSync(join(root, 'kernel/net/a.ko.xz'), compress(module('a', 'b'), 'xz'))
    writeFileSync(join(root, 'kernel/b.ko.gz'), compress(module('b', 'c'), 'gz'))
    writeFileSync(join(root, 'kernel/c.ko.zst'), compress(module('c', 'd'), 'zst'))
    writeFileSync(join(root, 'kernel/d.ko'), module('d'))
    for (const target of ['a', 'x-a']) {
      const source = openKmodFolder(root)
      if (!source.ok) throw new Error(source.error.message)
      const plan = await planLoad(source.value, [target])
      expect(plan.ok && plan.value.steps.map(({ path }) => path)).toEqual([
        'kernel/d.ko',
        'kernel/c.ko.zst',
        'kernel/b.ko.gz',
        'kernel/net/a.ko.xz',
      ])
    }
  })

  it('in a folder that is not there are an error', () => {
    expect(openKmodFolder(join(folder, 'absent'))).toMatchObject({ ok: false, error: { type: 'unreadable' } })
  })
})
