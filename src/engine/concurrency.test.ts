import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Engine, type EngineEvent, type EngineOptions, type FileArtifact, openEngine } from './index.ts'

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

/** Without a sandbox, so that commands can be held open by files outside. */
async function start(options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await openEngine({
    storeFolder: `${folder}/store`,
    sandbox: 'none',
    onEvent: (event) => events.push(event),
    ...options,
  })
  engines.push(engine)
  return engine
}

/** A command that says that it has started and then waits to be released. */
function held(name: string) {
  const script = `echo $$ > ${folder}/${name}.started; while [ ! -e ${folder}/${name}.go ]; do sleep 0.01; done; echo ${name} > out`
  return { kind: 'command', name, argv: ['sh', '-c', script], env: {}, inputs: {}, outputs: ['out'] } as const
}

const release = (name: string) => writeFileSync(`${folder}/${name}.go`, '')
const started = (name: string) => existsSync(`${folder}/${name}.started`)

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 10) {
    if (waited > 20_000) throw new Error('waited in vain')
    await setTimeout(10)
  }
}

test('the same command asked for twice at once runs once', async () => {
  const engine = await start()
  const first = engine.build(held('a'))
  await until(() => started('a'))
  const second = engine.build(held('a'))
  release('a')
  expect(await second).toEqual(await first)
  expect(events.filter((event) => event.type === 'step-running')).toHaveLength(1)
})

test('no more commands run at once than there are jobs', async () => {
  const engine = await start({ jobs: 2 })
  const builds = ['a', 'b', 'c'].map((name) => engine.build(held(name)))
  await until(() => started('a') && started('b'))
  await setTimeout(100)
  expect(started('c')).toBe(false)
  release('b')
  await until(() => started('c'))
  release('a')
  release('c')
  await Promise.all(builds)
})

test('functions that wait for commands, which wait for each other, do not take the place of commands', async () => {
  const engine = await start({ jobs: 1 })
  const nest = (depth: number): Promise<string> =>
    engine.compute({
      kind: 'function',
      name: `level ${depth}`,
      function: { id: 'test/nest', version: 1 },
      input: { depth },
      async run() {
        if (depth === 0) return 'bottom'
        const [below, { out }] = await Promise.all([
          nest(depth - 1),
          engine.build({ ...held(`n${depth}`), argv: ['sh', '-c', `echo ${depth} > out`] }),
        ])
        return `${below} ${(await engine.read(out as FileArtifact)).toString().trim()}`
      },
    })
  expect(await nest(5)).toBe('bottom 1 2 3 4 5')
})

test('a function that needs its own result is told so instead of waiting for ever', async () => {
  const engine = await start()
  const recipe: Parameters<typeof engine.compute>[0] = {
    kind: 'function',
    name: 'ouroboros',
    function: { id: 'test/self', version: 1 },
    input: null,
    run: () => engine.compute(recipe),
  }
  await expect(engine.compute(recipe)).rejects.toThrow('ouroboros needs a result')
})

test('functions that need each other are told so, even when both were asked for at once', async () => {
  const engine = await start()
  const ask = (id: string, other: string): Promise<null> =>
    engine.compute({
      kind: 'function',
      name: id,
      function: { id, version: 1 },
      input: null,
      run: () => setTimeout(20).then(() => engine.step('inside', () => ask(other, id))),
    })
  const outcomes = await Promise.allSettled([ask('hen', 'egg'), ask('egg', 'hen')])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})

test('a failed command is tried again when asked for again', async () => {
  const engine = await start()
  const script = `[ -e ${folder}/fixed ] && echo ok > out`
  const recipe = { ...held('x'), argv: ['sh', '-c', script] } as const
  await expect(engine.build(recipe)).rejects.toThrow('x failed')
  writeFileSync(`${folder}/fixed`, '')
  expect(await engine.build(recipe)).toHaveProperty('out')
})

function isRunning(pidFile: string): boolean {
  const pid = readFileSync(`${folder}/${pidFile}`, 'utf8').trim()
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ')
  } catch {
    return false
  }
}

test.each(['auto', 'none'] as const)(
  'aborting kills a command and all that it started (sandbox %s)',
  async (sandbox) => {
    const abort = new AbortController()
    const engine = await start({ signal: abort.signal, sandbox })
    const mark = `${process.pid}${sandbox.length}${Date.now() % 100000}`
    // A child, a grandchild, and one that leaves the process group and its parents.
    const script = `sleep 3${mark} & (sleep 3${mark} & sleep 3${mark}) & setsid sleep 3${mark} & sleep 3${mark}`
    const build = engine.build({ ...held('x'), argv: ['sh', '-c', script] })
    const sleeping = () =>
      readdirSync('/proc').filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith(`sleep\u00003${mark}`)
        } catch {
          return false
        }
      }).length
    await until(() => sleeping() === 5)
    const builds = [build, engine.build(held('never'))]
    abort.abort(new Error('enough'))
    for (const outcome of await Promise.allSettled(builds)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'enough' } })
    }
    await until(() => sleeping() === 0)
    expect(events.filter((event) => event.type === 'step-failed')).toMatchObject([
      { reason: 'aborted' },
      { reason: 'aborted' },
    ])
    await engine.close()
    expect(readdirSync(`${folder}/store/tmp`)).toEqual([])
    await expect(engine.build(held('late'))).rejects.toThrow('enough')
  },
)

test('what a command leaves running in the background is killed before its outputs are taken', async () => {
  const engine = await start()
  const script = `echo x > out; (sleep 1000 & echo $! > ${folder}/background; wait) & while [ ! -e ${folder}/background ]; do sleep 0.01; done`
  await engine.build({ ...held('x'), argv: ['sh', '-c', script] })
  await until(() => !isRunning('background'))
})

test('an engine that closes stops what is running and gives the store back', async () => {
  const engine = await start()
  const build = engine.build(held('a')).catch((error: Error) => error.message)
  await until(() => started('a'))
  await engine.close()
  expect(await build).toBe('the engine was closed')
  expect(readdirSync(`${folder}/store/tmp`)).toEqual([])
  expect(readdirSync(`${folder}/store/leases`)).toEqual([])
})

test('two engines share a store', async () => {
  const [one, two] = [await start(), await start()]
  const both = [one, two].map((engine) =>
    engine.build({ ...held('x'), argv: ['sh', '-c', 'echo same > out'] }),
  )
  const [a, b] = await Promise.all(both)
  expect(a).toEqual(b)
})
