import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type CommandRecipe, collectGarbage, type Engine, openEngine, storeStatistics } from './index.ts'

const made: string[] = []
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true })
})
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kept-test-'))
  made.push(folder)
  return folder
}

async function withEngine<T>(
  storeFolder: string,
  sandbox: 'auto' | 'none',
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await openEngine({ storeFolder, sandbox })
  try {
    return await work(engine)
  } finally {
    await engine.close()
  }
}

/** Says how often a command of this kind has run; `salt` makes it another command. */
async function count(engine: Engine, salt: string): Promise<string> {
  const { seen } = await engine.build({
    kind: 'command',
    name: 'count',
    argv: ['sh', '-c', `echo ${salt} >> work/done; sort work/done | tr '\\n' ' ' > seen`],
    env: {},
    inputs: {},
    outputs: ['seen'],
    tools: ['sort', 'tr'],
    kept: { work: 'counting' },
  })
  if (seen?.kind !== 'file') throw new Error('no file')
  return (await engine.read(seen)).toString()
}

describe.each(['auto', 'none'] as const)('a kept folder, sandbox %s', (sandbox) => {
  it('is found again as the last command left it', async () => {
    const store = newFolder()
    expect(await withEngine(store, sandbox, (engine) => count(engine, 'one'))).toBe('one ')
    expect(await withEngine(store, sandbox, (engine) => count(engine, 'two'))).toBe('one two ')
  })

  it('is had by one command at a time', async () => {
    const wait = (engine: Engine, salt: string) =>
      engine.build({
        kind: 'command',
        name: 'wait',
        argv: [
          'sh',
          '-c',
          'set -e; test ! -e work/busy; touch work/busy; sleep 0.2; rm work/busy; echo "$1" > out',
          'sh',
          salt,
        ],
        env: {},
        inputs: {},
        outputs: ['out'],
        tools: ['touch', 'sleep', 'rm'],
        kept: { work: 'waiting' },
      })
    const names = ['a', 'b', 'c']
    const made = await withEngine(newFolder(), sandbox, (engine) =>
      Promise.all(names.map((name) => wait(engine, name))),
    )
    expect(made).toHaveLength(3)
  })
})

it('does not count in the key of a result', async () => {
  const recipe: CommandRecipe = {
    kind: 'command',
    name: 'make nothing',
    argv: ['sh', '-c', ': > out'],
    env: {},
    inputs: {},
    outputs: ['out'],
  }
  await withEngine(newFolder(), 'auto', async (engine) => {
    const { action } = await engine.action(recipe)
    expect((await engine.action({ ...recipe, kept: { work: 'anything' } })).action).toEqual(action)
  })
})

it('is counted, and goes with the garbage', async () => {
  const storeFolder = newFolder()
  await withEngine(storeFolder, 'auto', (engine) => count(engine, 'one'))
  expect((await storeStatistics({ storeFolder })).work.count).toBeGreaterThan(0)
  const { removed } = await collectGarbage({ storeFolder })
  expect(removed.work.count).toBeGreaterThan(0)
  expect(readdirSync(join(storeFolder, 'kept'))).toEqual([])
})
