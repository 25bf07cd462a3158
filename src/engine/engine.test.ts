import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EngineEvent, FileArtifact } from './index.ts'
import { type Engine, type EngineOptions, openEngine } from './index.ts'

let folder: string
let engines: Engine[]
let events: EngineEvent[]

beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/firmwright-engine-`)
  engines = []
  events = []
})

afterEach(async () => {
  for (const engine of engines) await engine.close()
  rmSync(folder, { recursive: true, force: true })
})

async function start(options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await openEngine({
    storeFolder: `${folder}/store`,
    onEvent: (event) => events.push(event),
    ...options,
  })
  engines.push(engine)
  return engine
}

function shell(script: string, outputs: readonly string[] = ['out'], inputs = {}, name = 'a command') {
  return { kind: 'command', name, argv: ['sh', '-c', script], env: {}, inputs, outputs } as const
}

describe.each(['auto', 'none'] as const)('with sandbox %s', (sandbox) => {
  test('a command makes files and folders out of its inputs', async () => {
    const engine = await start({ sandbox })
    const text = await engine.put('hello\n')
    const tree = await engine.tree({ 'a/b': text, c: text })
    const { out, folder: made } = await engine.build(
      shell(
        'cat in/text tree/a/b > out; mkdir folder; cp -r tree/. folder; chmod 755 folder/c',
        ['out', 'folder'],
        {
          'in/text': text,
          tree,
        },
      ),
    )
    expect(out?.kind).toBe('file')
    expect((await engine.read(out as FileArtifact)).toString()).toBe('hello\nhello\n')
    await engine.export(made as FileArtifact, `${folder}/exported`)
    expect(readFileSync(`${folder}/exported/a/b`, 'utf8')).toBe('hello\n')
    expect(statSync(`${folder}/exported/c`).mode & 0o777).toBe(0o755)
    expect(await engine.has(made as FileArtifact)).toBe(true)
  })
})

test('a command is followed line by line while it runs, and tells how far it is', async () => {
  const engine = await start()
  const lines: string[] = []
  await engine.build({
    ...shell('echo one; printf "two\\nthr" >&2; echo ee; printf end > out'),
    onLine(line, { progress }) {
      lines.push(line)
      progress(lines.length, 3, 'objects', line)
    },
  })
  expect(lines).toEqual(['one', 'two', 'three'])
  expect(events.filter(({ type }) => type === 'step-progress')).toMatchObject([
    { done: 1, total: 3, unit: 'objects', detail: 'one' },
    { done: 2, detail: 'two' },
    { done: 3, detail: 'three' },
  ])
})

test('a second engine answers from the store without running anything', async () => {
  const first = await start()
  const made = await first.build(shell('date +%N > out'))
  await first.close()
  events = []
  const second = await start()
  expect(await second.build(shell('date +%N > out', ['out'], {}, 'another name'))).toEqual(made)
  expect(events.map((event) => event.type)).toEqual(['step-started', 'step-finished'])
  expect(events[1]).toMatchObject({ cached: true, name: 'another name' })
})

test('a function may build, and its events say who asked', async () => {
  const engine = await start()
  const recipe = {
    kind: 'function',
    name: 'outer',
    function: { id: 'test/outer', version: 1 },
    input: { a: 1 },
    async run() {
      const { out } = await engine.build(shell('echo x > out'))
      return { out, nothing: undefined }
    },
  } as const
  const value = await engine.compute(recipe)
  expect(value).toEqual({ out: expect.objectContaining({ kind: 'file' }) })
  expect(await engine.compute(recipe)).toEqual(value)
  const started = events.filter((event) => event.type === 'step-started')
  expect(started).toMatchObject([{ name: 'outer' }, { name: 'a command', parent: 1 }, { name: 'outer' }])
})

test('an executable artifact has an executable path, and the same bytes without that have another', async () => {
  const engine = await start()
  const tool = await engine.put('#!/bin/sh\necho ran > out\n', { executable: true })
  expect(statSync(engine.path(tool)).mode & 0o777).toBe(0o555)
  expect(statSync(engine.path({ ...tool, executable: false })).mode & 0o777).toBe(0o444)
  const made = await engine.build({
    kind: 'command',
    name: 'own tool',
    argv: ['./tool'],
    env: {},
    inputs: { tool },
    outputs: ['out'],
  })
  expect((await engine.read(made.out as FileArtifact)).toString()).toBe('ran\n')
})

test('a stream and the bytes that it gives are the same artifact', async () => {
  const engine = await start()
  async function* stream() {
    for (const part of ['one ', 'two ', 'three']) yield Buffer.from(part)
  }
  const streamed = await engine.put(stream())
  expect((await engine.read(streamed)).toString()).toBe('one two three')
  expect((await engine.read(streamed, { offsetBytes: 4, sizeBytes: 3 })).toString()).toBe('two')
  await expect(engine.read(streamed, { offsetBytes: 4, sizeBytes: 30 })).rejects.toThrow(RangeError)
  expect(await engine.put('one two three')).toEqual(streamed)
})

test('import and export give back what was there', async () => {
  const engine = await start()
  mkdirSync(`${folder}/source/sub`, { recursive: true })
  writeFileSync(`${folder}/source/sub/file`, 'x'.repeat(300_000))
  writeFileSync(`${folder}/source/run`, '#!')
  chmodSync(`${folder}/source/run`, 0o755)
  const tree = await engine.import(`${folder}/source`)
  await engine.export(tree, `${folder}/copy`)
  expect(readFileSync(`${folder}/copy/sub/file`, 'utf8')).toBe('x'.repeat(300_000))
  expect(await engine.import(`${folder}/copy`)).toEqual(tree)
  await engine.export(tree, `${folder}/copy`)
  writeFileSync(`${folder}/manifest.json`, '{}')
  await engine.keep(`${folder}/manifest.json`)
})
