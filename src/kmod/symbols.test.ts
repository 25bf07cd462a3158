import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { shapes } from '../elf/test/assemble.ts'
import { assembleKmod } from '../elf/test/assemble-kmod.ts'
import {
  createKmodSource,
  type KmodGraph,
  type KmodSymbols,
  readKmodGraph,
  readKmodSymbols,
  readSignature,
} from './index.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'firmwright-symbols-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function symbolsOf(bytes: Uint8Array): KmodSymbols {
  const symbols = readKmodSymbols(bytes)
  if (!symbols.ok) throw new Error(symbols.error.message)
  return symbols.value
}

const giver = {
  modinfo: ['name=giver', 'license=GPL', 'depends='],
  exports: [
    { name: 'open_to_all', crc: 0x11223344 },
    { name: 'gpl_one', crc: 0xdeadbeef, gplOnly: true, namespace: 'PRIVATE' },
    { name: 'open_too', crc: 0x55667788, namespace: 'NS' },
    { name: 'gpl_two', crc: 0x00000001, gplOnly: true },
  ],
}
const taker = {
  modinfo: ['name=taker', 'license=GPL', 'depends=giver'],
  imports: [
    { name: 'module_layout', crc: 7 },
    { name: 'open_too', crc: 0x55667788 },
    { name: 'perhaps', weak: true },
  ],
  hasExit: false,
}

describe.each(shapes)('in a $class bit $byteOrder endian module', (shape) => {
  it('exports have their licence, namespace and checksum', () => {
    expect(symbolsOf(assembleKmod(giver, shape)).exports).toEqual([
      { name: 'open_to_all', gplOnly: false, crc: 0x11223344 },
      { name: 'open_too', gplOnly: false, crc: 0x55667788, namespace: 'NS' },
      { name: 'gpl_one', gplOnly: true, crc: 0xdeadbeef, namespace: 'PRIVATE' },
      { name: 'gpl_two', gplOnly: true, crc: 0x00000001 },
    ])
  })

  it('imports have their checksum, weak ones are told apart, and the lack of an exit is seen', () => {
    const symbols = symbolsOf(assembleKmod(taker, shape))
    expect(symbols.imports).toEqual([
      { name: 'module_layout', weak: false, crc: 7 },
      { name: 'open_too', weak: false, crc: 0x55667788 },
      { name: 'perhaps', weak: true },
    ])
    expect([symbols.hasInit, symbols.hasExit]).toEqual([true, false])
    expect(symbolsOf(assembleKmod(giver, shape)).hasExit).toBe(true)
  })

  it('checksums are those that modprobe --show-modversions and --show-exports see', () => {
    const show = (option: string, bytes: Uint8Array): string[] => {
      const path = join(folder, `${shape.class}-${shape.byteOrder}.ko`)
      writeFileSync(path, bytes)
      return execFileSync('modprobe', ['-C', '/dev/null', option, path], { encoding: 'utf8' })
        .split('\n')
        .filter((line) => line !== '')
        .sort()
    }
    const line = (name: string, crc = 0): string => `0x${crc.toString(16).padStart(8, '0')}\t${name}`
    const given = assembleKmod(giver, shape)
    expect(
      symbolsOf(given)
        .exports.map(({ name, crc }) => line(name, crc))
        .sort(),
    ).toEqual(show('--show-exports', given))
    const taken = assembleKmod(taker, shape)
    expect([...symbolsOf(taken).versions].map(([name, crc]) => line(name, crc)).sort()).toEqual(
      show('--show-modversions', taken),
    )
  })
})

describe('the graph of symbols', () => {
  const graphOf = (...list: readonly Parameters<typeof assembleKmod>[0][]): Promise<KmodGraph> => {
    const byPath = new Map(
      list.map((module) => [`${module.modinfo[0]?.slice('name='.length)}.ko`, assembleKmod(module)]),
    )
    return readKmodGraph(
      createKmodSource({ paths: byPath.keys(), read: (path) => byPath.get(path) ?? Buffer.alloc(0) }),
    )
  }

  it('agrees with depends= where modpost wrote it', async () => {
    const graph = await graphOf(taker, giver)
    expect([...graph.depends]).toEqual([
      ['giver', []],
      ['taker', ['giver']],
    ])
    expect(graph.disagreements).toEqual([])
    expect(graph.duplicates).toEqual([])
    expect([graph.exporterOf('gpl_one'), graph.exporterOf('perhaps')]).toEqual(['giver', undefined])
  })

  it('names what depends= leaves out and what it has too much', async () => {
    const wrong = { ...taker, modinfo: ['name=taker', 'depends=other'] }
    const graph = await graphOf(giver, wrong, { ...giver, modinfo: ['name=other', 'depends='] })
    expect(graph.disagreements).toEqual([{ name: 'taker', unnamed: ['giver'], unused: ['other'] }])
    expect(graph.duplicates[0]).toEqual({ symbol: 'open_to_all', names: ['giver', 'other'] })
  })

  it('leaves out what cannot be read, and says so', async () => {
    const source = createKmodSource({
      paths: ['a.ko', 'b.ko'],
      read: (path) => (path === 'b.ko' ? Buffer.from('text') : assembleKmod(giver)),
    })
    const graph = await readKmodGraph(source)
    expect([...graph.depends.keys()]).toEqual(['a'])
    expect(graph.unreadable.get('b')).toMatchObject({ type: 'elf', message: 'b.ko: not an ELF file' })
  })
})

describe('a signature', () => {
  const trailer = (size: number): Buffer =>
    Buffer.concat([
      Buffer.alloc(100, 0x30),
      Buffer.from([0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, size]),
      Buffer.from('~Module signature appended~\n'),
    ])

  it('is found after the module, which is read as if it were not there', () => {
    const plain = assembleKmod(giver)
    const signed = assembleKmod({ ...giver, trailer: trailer(100) })
    const signature = readSignature(signed)
    expect(signature).toMatchObject({ ok: true, value: { contentBytes: plain.length, idType: 2 } })
    expect(signature.ok && signature.value?.signature.length).toBe(100)
    expect(symbolsOf(signed)).toEqual(symbolsOf(plain))
    expect(readSignature(plain)).toEqual({ ok: true, value: undefined })
  })

  it('that reaches before the start of the file is an error', () => {
    expect(readSignature(trailer(200))).toMatchObject({ ok: false, error: { type: 'malformed' } })
    expect(readSignature(Buffer.from('~Module signature appended~\n'))).toMatchObject({ ok: false })
    expect(readSignature(readFileSync('/dev/null'))).toEqual({ ok: true, value: undefined })
  })
})
