import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type CommandRecipe, type Digest, type Engine, openEngine, toReapiAction } from './index.ts'

let folder: string
let engine: Engine

beforeEach(async () => {
  folder = mkdtempSync(`${tmpdir()}/firmwright-engine-`)
  engine = await openEngine({ storeFolder: `${folder}/store` })
})

afterEach(async () => {
  await engine.close()
  rmSync(folder, { recursive: true, force: true })
})

async function recipe(): Promise<CommandRecipe> {
  const file = await engine.put('content')
  const tree = await engine.tree({ 'sub/file': file })
  return {
    kind: 'command',
    name: 'a name',
    argv: ['sh', '-c', 'cat in/file in/tree/sub/file > out/b; cp out/b a'],
    env: { Z: '1', A: '2' },
    inputs: { 'in/tree': tree, 'in/file': file },
    outputs: ['out/b', 'a'],
    tools: ['cat', 'cp'],
  }
}

const bytesOf = (digest: Digest) => engine.read({ kind: 'file', digest, executable: false })

test('everything that an action needs is in the store under the SHA-256 of its bytes', async () => {
  const { action, command, inputRoot, needed } = await toReapiAction(await recipe(), engine)
  for (const digest of needed) {
    const bytes = await bytesOf(digest)
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(digest.sha256)
    expect(bytes.length).toBe(digest.sizeBytes)
  }
  const names = needed.map(({ sha256 }) => sha256)
  expect(names).toEqual(expect.arrayContaining([action.sha256, command.sha256, inputRoot.sha256]))
  // Both messages, the root, in/, in/tree, in/tree/sub, and the content of the one file.
  expect(new Set(names).size).toBe(7)
})

test('the same recipe written in another order, under another name, is the same action', async () => {
  const original = await recipe()
  const other: CommandRecipe = {
    ...original,
    name: 'another name',
    env: { A: '2', Z: '1' },
    inputs: Object.fromEntries(Object.entries(original.inputs).reverse()),
    outputs: [...original.outputs].reverse(),
    tools: ['cp', 'cat', 'sh'],
    network: false,
  }
  expect(await toReapiAction(other, engine)).toEqual(await toReapiAction(original, engine))
})

test('the command carries arguments, environment, outputs and tools; its bytes show them in order', async () => {
  const { command } = await toReapiAction(await recipe(), engine)
  const text = (await bytesOf(command)).toString('latin1')
  const order = [
    'sh',
    '-c',
    'A',
    'LC_ALL',
    'PATH',
    'TZ',
    'Z',
    'network',
    'off',
    'tool:cat',
    'tool:cp',
    'tool:sh',
  ]
  let place = 0
  for (const word of [...order, 'a', 'out/b']) {
    place = text.indexOf(word, place)
    expect(place, word).toBeGreaterThanOrEqual(0)
    place += word.length
  }
})

test.each([
  ['the arguments', { argv: ['sh', '-c', 'true'] }],
  ['the environment', { env: { Z: '1' } }],
  ['the inputs', { inputs: {} }],
  ['the outputs', { outputs: ['a'] }],
  ['the tools', { tools: ['cat'] }],
  ['the network', { network: true }],
] as const)('another action comes of changing %s', async (_what, change) => {
  const original = await recipe()
  const { action } = await toReapiAction(original, engine)
  expect((await toReapiAction({ ...original, ...change }, engine)).action).not.toEqual(action)
})
