import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { assembleKmod } from '../elf/test/assemble-kmod.ts'
import { type KmodGraph, type KmodSource, openKmodFolder, readKmodGraph } from './index.ts'
import { rememberKmods } from './memory.ts'

const giving = assembleKmod({
  modinfo: ['name=giving', 'alias=fs-a', 'alias=pci:v*d[0-9]*'],
  exports: [{ name: 'given' }],
})
const taking = assembleKmod({ modinfo: ['name=taking', 'depends=giving'], imports: [{ name: 'given' }] })

let root = ''
let folder = ''
let index = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'firmwright-memory-'))
  folder = mkdtempSync(join(root, 'modules-'))
  index = join(root, 'index')
  writeFileSync(join(folder, 'giving.ko'), giving)
  writeFileSync(join(folder, 'taking.ko'), taking)
  later(10)
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(root, { recursive: true, force: true })
})

/** What is younger than two seconds is not remembered. */
function later(seconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 })
}

function opened(options = { index }): KmodSource {
  const source = openKmodFolder(folder, options)
  if (!source.ok) throw new Error(source.error.message)
  return source.value
}

function shown(graph: KmodGraph): unknown {
  return { ...graph, exporterOf: ['given', 'other'].map((symbol) => graph.exporterOf(symbol)) }
}

describe('what is remembered of a folder of modules', () => {
  it('is what reading it says', async () => {
    const plain = openKmodFolder(folder)
    if (!plain.ok) throw new Error(plain.error.message)
    const read = await readKmodGraph(plain.value)
    expect(shown(await readKmodGraph(opened()))).toEqual(shown(read))
    expect(opened().memory?.load('graph')).toBeDefined()
    expect(shown(await readKmodGraph(opened()))).toEqual(shown(read))
    for (const alias of ['fs-a', 'fs_a', 'pci:v1d7', 'pci:v1dx']) {
      const answer = await plain.value.resolveAlias(alias)
      expect(await opened().resolveAlias(alias)).toEqual(answer)
      expect(await opened().resolveAlias(alias)).toEqual(answer)
    }
  })

  it.each([
    ['has another size', () => appendFileSync(join(folder, 'taking.ko'), 'x')],
    [
      'has another content under the same size and time',
      () => {
        writeFileSync(join(folder, 'taking.ko'), taking)
        utimesSync(join(folder, 'taking.ko'), 1, 1)
      },
    ],
    ['is new', () => writeFileSync(join(folder, 'new.ko'), giving)],
    ['is gone', () => rmSync(join(folder, 'taking.ko'))],
  ])('is forgotten when a module %s', async (_, change) => {
    utimesSync(join(folder, 'taking.ko'), 1, 1)
    later(10)
    await readKmodGraph(opened())
    expect(opened().memory?.load('graph')).toBeDefined()
    // The clock of the file system is not ours to set, and its ticks are milliseconds long.
    await new Promise((resolve) => setTimeout(resolve, 30))
    change()
    later(10)
    expect(opened().memory?.load('graph')).toBeUndefined()
  })

  it('is nothing while a module is younger than two seconds', () => {
    vi.useRealTimers()
    expect(rememberKmods(folder, ['giving.ko'], index)).toBeUndefined()
  })

  it('is not believed when its file was damaged or cut', async () => {
    await readKmodGraph(opened())
    const [name = ''] = readdirSync(index)
    const file = join(index, name)
    const whole = readFileSync(file)
    for (const damaged of [
      whole.subarray(0, -1),
      whole.subarray(0, 10),
      Buffer.from(whole).fill(0x20, whole.length - 10, whole.length - 9),
    ]) {
      writeFileSync(file, damaged)
      expect(opened().memory?.load('graph')).toBeUndefined()
    }
  })

  it('holds nothing where a module could not be read, and does without a place to write to', async () => {
    writeFileSync(join(folder, 'bad.ko'), 'not ELF')
    later(10)
    await readKmodGraph(opened())
    expect(opened().memory?.load('graph')).toBeUndefined()
    rmSync(join(folder, 'bad.ko'))
    later(10)
    writeFileSync(join(root, 'file'), '')
    expect((await readKmodGraph(opened({ index: join(root, 'file/index') }))).depends.size).toBe(2)
  })
})
