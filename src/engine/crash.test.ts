import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import ts from 'typescript'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { collectGarbage, openEngine, storeStatistics, verifyStore } from './index.ts'

let folder: string
const children: ChildProcess[] = []

beforeAll(() => {
  folder = mkdtempSync(`${tmpdir()}/firmwright-engine-`)
  writeFileSync(`${folder}/package.json`, '{ "type": "module" }')
  for (const room of ['engine', 'diagnostics']) {
    const source = new URL(`../${room}/`, import.meta.url).pathname
    mkdirSync(`${folder}/${room}`)
    for (const name of readdirSync(source).filter((name) => !name.endsWith('.test.ts'))) {
      const { outputText } = ts.transpileModule(readFileSync(`${source}${name}`, 'utf8'), {
        compilerOptions: {
          target: ts.ScriptTarget.ES2023,
          module: ts.ModuleKind.ESNext,
          rewriteRelativeImportExtensions: true,
        },
      })
      writeFileSync(`${folder}/${room}/${name.replace(/\.ts$/, '.js')}`, outputText)
    }
  }
  writeFileSync(`${folder}/build.js`, builder)
})

afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/**
 * A process that builds: many small files, one large one, a function that asks for both; then does the same
 * again under another salt, until it is killed or has done it the given number of times.
 */
const builder = `
import { openEngine } from './engine/index.js'
const [storeFolder, salt, rounds] = process.argv.slice(2)
const engine = await openEngine({ storeFolder })
console.log('open')
for (let round = 0; round < Number(rounds); round++) {
  const command = (script) => engine.build({
    kind: 'command', name: script, argv: ['sh', '-c', script], env: { SALT: salt + round }, inputs: {}, outputs: ['out'],
  })
  await engine.compute({
    kind: 'function', name: 'all', function: { id: 'test/crash', version: 1 }, input: { salt, round },
    async run({ put }) {
      const results = await Promise.all([
        command('mkdir out; for i in $(seq 200); do echo $SALT$i > out/$i; done'),
        command('yes $SALT | head -c 2000000 > out'),
        put(salt + round, { executable: true }),
      ])
      engine.path(results[2])
      return results
    },
  })
  console.log('round', round)
}
await engine.close()
`

function build(storeFolder: string, salt: string, rounds: number): ChildProcess {
  const child = spawn(process.execPath, [`${folder}/build.js`, storeFolder, salt, String(rounds)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  return child
}

test('a process killed at any instant leaves a store that is right and that the next one goes on with', async () => {
  const storeFolder = `${folder}/store`
  for (let attempt = 0; attempt < 5; attempt++) {
    const child = build(storeFolder, 'a', 1000)
    await once(child.stdout ?? child, 'data')
    await setTimeout(Math.random() * 300)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect((await verifyStore({ storeFolder })).problems).toEqual([])
  }
  // What the dead have left in the temporary folder goes when the next one opens the store.
  await (await openEngine({ storeFolder })).close()
  expect((await storeStatistics({ storeFolder })).temporary.count).toBe(0)
  expect(readdirSync(`${storeFolder}/tmp`)).toEqual([])
  expect(readdirSync(`${storeFolder}/leases`)).toEqual([])

  const [code] = await once(build(storeFolder, 'a', 2), 'exit')
  expect(code).toBe(0)
  expect((await verifyStore({ storeFolder })).problems).toEqual([])
})

test('garbage collection refuses while another process builds, and not once that is dead', async () => {
  const storeFolder = `${folder}/shared`
  const child = build(storeFolder, 'b', 1000)
  await once(child.stdout ?? child, 'data')
  await expect(collectGarbage({ storeFolder })).rejects.toThrow('is in use')
  child.kill('SIGKILL')
  await once(child, 'exit')
  await collectGarbage({ storeFolder })
  const { blobs, results, temporary } = await storeStatistics({ storeFolder })
  expect([blobs.count, results.count, temporary.count]).toEqual([0, 0, 0])
})

test('processes that build the same at once in a new store do not disturb each other', async () => {
  const storeFolder = `${folder}/both`
  const exits = await Promise.all([1, 2, 3].map(() => once(build(storeFolder, 'c', 1), 'exit')))
  expect(exits.map(([code]) => code)).toEqual([0, 0, 0])
  expect((await verifyStore({ storeFolder })).problems).toEqual([])
})
