import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type Artifact,
  collectGarbage,
  type Engine,
  type EngineEvent,
  type FileArtifact,
  openEngine,
  storeStatistics,
  type TreeArtifact,
  verifyStore,
} from './index.ts'
import { ownName } from './ownership.ts'

let folder: string
let storeFolder: string
let engines: Engine[]
let events: EngineEvent[]

beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/firmwright-engine-`)
  storeFolder = `${folder}/store`
  engines = []
  events = []
})

afterEach(async () => {
  for (const engine of engines) await engine.close()
  rmSync(folder, { recursive: true, force: true })
})

async function start(): Promise<Engine> {
  events = []
  const engine = await openEngine({ storeFolder, onEvent: (event) => events.push(event) })
  engines.push(engine)
  return engine
}

function shell(script: string, inputs: Readonly<Record<string, Artifact>> = {}) {
  return {
    kind: 'command',
    name: script,
    argv: ['sh', '-c', script],
    env: {},
    inputs,
    outputs: ['out'],
  } as const
}

const makeTree = shell('mkdir -p out/sub; echo one > out/one; echo two > out/sub/two; chmod +x out/sub/two')

function blob(artifact: Artifact): string {
  return `${storeFolder}/blobs/${artifact.digest.sha256.slice(0, 2)}/${artifact.digest.sha256}`
}

const ran = () => events.some((event) => event.type === 'step-running')

/** A store with a kept build (a function that asked for two commands), and one that nobody keeps. */
async function furnish(): Promise<{ tree: TreeArtifact; text: FileArtifact; loose: FileArtifact }> {
  const engine = await start()
  const text = await engine.put('text')
  const { tree } = await buildAll(engine, text)
  writeFileSync(`${folder}/manifest.json`, '{}')
  await engine.keep(`${folder}/manifest.json`)
  const { out } = await engine.build(shell('echo loose > out'))
  await engine.close()
  return { tree, text, loose: out as FileArtifact }
}

function buildAll(engine: Engine, text: FileArtifact) {
  return engine.compute({
    kind: 'function',
    name: 'all',
    function: { id: 'test/all', version: 1 },
    input: { text },
    async run() {
      const [{ out: tree }] = await Promise.all([
        engine.build(makeTree),
        engine.build(shell('cat text > out', { text })),
      ])
      return { tree: tree as TreeArtifact }
    },
  })
}

describe('garbage collection', () => {
  test('keeps what a file on disk refers to and removes the rest', async () => {
    const { tree, text, loose } = await furnish()
    const before = await storeStatistics({ storeFolder })
    const report = await collectGarbage({ storeFolder })
    expect(report.kept.roots).toEqual([`${folder}/manifest.json`])
    expect(report.removed).toMatchObject({ results: { count: 1 }, blobs: { count: 1 }, roots: 0 })
    const after = await storeStatistics({ storeFolder })
    expect(before.totalBytes - after.totalBytes).toBe(report.freedBytes)
    expect(after.roots).toEqual([{ path: `${folder}/manifest.json`, standing: true }])

    const engine = await start()
    for (const artifact of [tree, text]) expect(await engine.has(artifact)).toBe(true)
    expect(await engine.has(loose)).toBe(false)
    expect(await buildAll(engine, text)).toEqual({ tree })
    // What the function had asked for is still known by itself.
    await engine.build(makeTree)
    expect(ran()).toBe(false)
    await engine.close()
    expect((await verifyStore({ storeFolder })).problems).toEqual([])
  })

  test('keeps what a later engine has only taken out of the store', async () => {
    const { text, tree } = await furnish()
    rmSync(`${folder}/manifest.json`)
    const engine = await start()
    await buildAll(engine, text)
    writeFileSync(`${folder}/second.json`, '{}')
    await engine.keep(`${folder}/second.json`)
    await engine.close()
    await collectGarbage({ storeFolder })
    const again = await start()
    expect(await again.has(tree)).toBe(true)
    await again.build(makeTree)
    expect(ran()).toBe(false)
  })

  test.each([
    ['is gone', () => rmSync(`${folder}/manifest.json`)],
    ['has other bytes', () => writeFileSync(`${folder}/manifest.json`, '{ }')],
  ])('removes everything when the file %s', async (_what, change) => {
    await furnish()
    change()
    const report = await collectGarbage({ storeFolder })
    expect(report).toMatchObject({
      removed: { roots: 1 },
      kept: { blobs: { count: 0 }, results: { count: 0 } },
    })
    const { blobs, results, executables, logs, temporary } = await storeStatistics({ storeFolder })
    for (const weight of [blobs, results, executables, logs, temporary]) expect(weight.count).toBe(0)
  })

  test('refuses while somebody has the store open', async () => {
    const engine = await start()
    await expect(collectGarbage({ storeFolder })).rejects.toThrow('is in use')
    expect(readdirSync(`${storeFolder}/leases`)).toHaveLength(1)
    await engine.close()
    await collectGarbage({ storeFolder })
  })

  test('is waited for by an engine that opens, unless its process is dead', async () => {
    await (await start()).close()
    const name = ownName('gc-')
    const lease = `${storeFolder}/leases/${name}`
    writeFileSync(lease, '')
    const opening = start()
    expect(await Promise.race([opening.then(() => 'open'), setTimeout(150, 'waiting')])).toBe('waiting')
    rmSync(lease)
    await (await opening).close()
    const startedAnotherTime = name.replace(/^(gc-\d+)-\d+/, '$1-1')
    writeFileSync(`${storeFolder}/leases/${startedAnotherTime}`, '')
    await start()
  })
})

describe('verification', () => {
  test('finds nothing in a store that is right', async () => {
    await furnish()
    const report = await verifyStore({ storeFolder })
    expect(report.problems).toEqual([])
    expect(report.checked).toMatchObject({ results: 4, roots: 1 })
  })

  test('finds a flipped byte, and after repair the next build makes it again', async () => {
    const { tree, text } = await furnish()
    const one = findBlob('two\n')
    chmodSync(one, 0o644)
    writeFileSync(one, 'twp\n')
    chmodSync(one, 0o444)
    const found = await verifyStore({ storeFolder })
    expect(found.problems.map(({ type }) => type).sort()).toEqual([
      'content-changed',
      'result-incomplete',
      'result-incomplete',
      'root-incomplete',
    ])
    expect(found.problems.every(({ repaired }) => !repaired)).toBe(true)
    await verifyStore({ storeFolder, repair: true })
    const engine = await start()
    expect(await engine.has(tree)).toBe(false)
    expect(await buildAll(engine, text)).toEqual({ tree })
    expect(ran()).toBe(true)
    await engine.close()
    expect((await verifyStore({ storeFolder })).problems).toEqual([])
  })

  test('finds changes of results, roots, copies, modes, and files that do not belong', async () => {
    const engine = await start()
    const tool = await engine.put('#!/bin/sh\n', { executable: true })
    const copy = engine.path(tool)
    await engine.build(shell('echo x > out'))
    writeFileSync(`${folder}/manifest.json`, '{}')
    await engine.keep(`${folder}/manifest.json`)
    await engine.close()

    chmodSync(copy, 0o755)
    writeFileSync(copy, '#!/bin/xx\n')
    chmodSync(blob(tool), 0o644)
    const [shard = ''] = readdirSync(`${storeFolder}/results`)
    const [result = ''] = readdirSync(`${storeFolder}/results/${shard}`)
    const resultFile = `${storeFolder}/results/${shard}/${result}`
    writeFileSync(resultFile, readFileSync(resultFile, 'utf8').replace('"name":"e', '"name":"f'))
    const [root = ''] = readdirSync(`${storeFolder}/roots`)
    writeFileSync(`${storeFolder}/roots/${root}`, '{}')
    writeFileSync(`${storeFolder}/blobs/notes.txt`, 'x')
    writeFileSync(`${storeFolder}/README`, 'x')

    const types = async (repair: boolean) =>
      (await verifyStore({ storeFolder, repair })).problems.map(({ type }) => type).sort()
    const all = ['content-changed', 'result-damaged', 'root-damaged', 'stray', 'stray', 'wrong-mode']
    expect(await types(false)).toEqual(all)
    expect(await types(true)).toEqual(all)
    // What the store did not make is not the store's to remove.
    expect(await types(false)).toEqual(['stray', 'stray'])
  })

  test('refuses to repair while somebody has the store open, but may look', async () => {
    await start()
    await expect(verifyStore({ storeFolder, repair: true })).rejects.toThrow('is in use')
    expect((await verifyStore({ storeFolder })).problems).toEqual([])
  })
})

describe('a result whose content has been lost', () => {
  test.each([
    ['a file', shell('echo x > out'), (made: Artifact) => blob(made)],
    ['the description of a tree', makeTree, (made: Artifact) => blob(made)],
    ['a file deep in a tree', makeTree, () => findBlob('two\n')],
  ])('counts as not cached: %s', async (_what, recipe, place) => {
    const engine = await start()
    const { out } = await engine.build(recipe)
    const made = out as Artifact
    await engine.close()
    const lost = place(made)
    rmSync(lost)
    const again = await start()
    expect(await again.build(recipe)).toEqual({ out: made })
    expect(ran()).toBe(true)
    expect(await again.has(made)).toBe(true)
  })
})

function findBlob(content: string): string {
  const paths = readdirSync(`${storeFolder}/blobs`, { recursive: true }).map(
    (name) => `${storeFolder}/blobs/${name}`,
  )
  const found = paths.find((path) => /[0-9a-f]{64}$/.test(path) && readFileSync(path, 'utf8') === content)
  if (found === undefined) throw new Error('no such blob')
  return found
}
