import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { formatDiagnostic, UserError } from '../diagnostics/index.ts'
import { collectGarbage, type Engine, openEngine, storeStatistics, verifyStore } from './index.ts'

let folder: string
let engines: Engine[]

beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/firmwright-engine-`)
  engines = []
})

afterEach(async () => {
  for (const engine of engines) await engine.close()
  rmSync(folder, { recursive: true, force: true })
})

async function start(storeFolder = `${folder}/store`): Promise<Engine> {
  const engine = await openEngine({ storeFolder })
  engines.push(engine)
  return engine
}

function shell(script: string) {
  return {
    kind: 'command',
    name: 'the step',
    argv: ['sh', '-c', script],
    env: {},
    inputs: {},
    outputs: ['out'],
  } as const
}

/** What the user is told. */
async function told(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof UserError)) throw new Error('not a UserError', { cause: error })
  return error.diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)).join('\n')
}

describe('a command that fails', () => {
  test('is reported with its first complaint, its exit code, and where all of its output is', async () => {
    const engine = await start()
    const script =
      'echo reading; echo "in.c:3: error: expected ;" >&2; echo "error: 1 more"; seq 1000; exit 3'
    const text = await told(engine.build(shell(script)))
    expect(text).toMatch(
      /^the step failed\n {2}why: {2}sh ended with exit code 3\n +in.c:3: error: expected ;\n +error: 1 more\n/,
    )
    const log = /all of its output is in (\S+)$/.exec(text)?.[1] ?? ''
    expect(log.startsWith(`${folder}/store/logs/`)).toBe(true)
    expect(readFileSync(log, 'utf8')).toMatch(
      /^reading\nin\.c:3: error: expected ;\nerror: 1 more\n1\n2\n(\d+\n)*1000\n$/,
    )
  })

  test('without a complaint is reported with its last lines', async () => {
    const engine = await start()
    expect(await told(engine.build(shell('seq 100; exit 1')))).toContain('99\n        100')
  })

  test('by a signal is reported with the signal', async () => {
    const engine = await openEngine({ storeFolder: `${folder}/store`, sandbox: 'none' })
    engines.push(engine)
    expect(await told(engine.build(shell('kill -SEGV $$')))).toContain('sh was killed by SIGSEGV')
  })

  test('is heard in order, even where it opens /dev/stderr anew', async () => {
    const engine = await start()
    const text = await told(engine.build(shell('echo 1; echo 2 >&2; echo 3 > /dev/stderr; echo 4; exit 1')))
    expect(text).toContain('1\n        2\n        3\n        4\n')
  })

  test('leaves logs, but never more than a bounded number of bounded size', async () => {
    const engine = await start()
    await told(engine.build(shell('head -c 6000000 /dev/zero | tr "\\0" x; exit 1')))
    for (let index = 0; index < 55; index++) writeFileSync(`${folder}/store/logs/old-${index}.log`, 'x')
    await told(engine.build(shell('exit 1')))
    const logs = readdirSync(`${folder}/store/logs`)
    expect(logs.length).toBe(50)
    for (const log of logs) expect(statSync(`${folder}/store/logs/${log}`).size).toBeLessThan(3_000_000)
  })

  test('to make an output is told which', async () => {
    const engine = await start()
    expect(await told(engine.build(shell('mkdir wrong')))).toContain('the step did not make out')
  })

  test('because a tool is missing is told what to install', async () => {
    const engine = await start()
    const text = await told(engine.build({ ...shell('true'), tools: ['no-such-program'] }))
    expect(text).toContain('The program no-such-program is not installed')
    expect(text).toContain('install no-such-program')
  })
})

describe('a store that cannot be used', () => {
  test('because it is a file', async () => {
    writeFileSync(`${folder}/file`, 'mine')
    expect(await told(openEngine({ storeFolder: `${folder}/file` }))).toContain(`${folder}/file`)
    expect(await told(openEngine({ storeFolder: `${folder}/file/store` }))).toContain('is not a folder')
    expect(readFileSync(`${folder}/file`, 'utf8')).toBe('mine')
  })

  test('because it is a folder of something else', async () => {
    mkdirSync(`${folder}/home`)
    writeFileSync(`${folder}/home/letter`, 'dear')
    const work = [
      () => openEngine({ storeFolder: `${folder}/home` }),
      () => collectGarbage({ storeFolder: `${folder}/home` }),
      () => verifyStore({ storeFolder: `${folder}/home`, repair: true }),
    ]
    for (const attempt of work) expect(await told(attempt())).toContain('is not a store')
    expect(readdirSync(`${folder}/home`)).toEqual(['letter'])
  })

  test('because it is absent, for those who only look', async () => {
    const storeFolder = `${folder}/absent`
    expect(await told(collectGarbage({ storeFolder }))).toContain('There is no store')
    expect(await told(verifyStore({ storeFolder }))).toContain('There is no store')
    expect(await told(storeStatistics({ storeFolder }))).toContain('There is no store')
    expect(existsSync(storeFolder)).toBe(false)
  })

  test('because it is of a newer version', async () => {
    mkdirSync(`${folder}/store`)
    writeFileSync(`${folder}/store/format`, '99\n')
    const text = await told(start())
    expect(text).toContain('was made by a newer Firmwright')
    expect(text).toContain('version 99')
    expect(await told(collectGarbage({ storeFolder: `${folder}/store` }))).toContain('newer Firmwright')
    expect(readdirSync(`${folder}/store`)).toEqual(['format'])
  })

  test('because it lies where nobody can make a folder', async () => {
    const text = await told(openEngine({ storeFolder: '/proc/firmwright/store' }))
    expect(text).toContain('The store /proc/firmwright/store cannot be written')
  })

  test.skipIf(process.getuid?.() === 0)('because it may not be written', async () => {
    const engine = await start()
    await engine.close()
    chmodSync(`${folder}/store/tmp`, 0o555)
    expect(await told(start())).toContain('permission denied')
    chmodSync(`${folder}/store/tmp`, 0o755)
  })
})

function mounts(): boolean {
  if (process.getuid?.() !== 0) return false
  const place = mkdtempSync(`${tmpdir()}/firmwright-mount-`)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', place], { stdio: 'ignore' })
    execFileSync('umount', [place], { stdio: 'ignore' })
    return true
  } catch {
    return false
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

describe.skipIf(!mounts())('on a file system of its own', () => {
  let disk: string

  beforeEach(() => {
    disk = `${folder}/disk`
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', disk])
  })

  afterEach(async () => {
    for (const engine of engines) await engine.close()
    execFileSync('umount', [disk])
  })

  test('a full disk is reported as that wherever it is met, and nothing half-written stays', async () => {
    const engine = await start(`${disk}/store`)
    const small = await engine.put('small')
    const big = Buffer.alloc(3_000_000, 'x')
    async function* chunks() {
      for (let offset = 0; offset < big.length; offset += 65536) yield big.subarray(offset, offset + 65536)
    }
    const full = 'The disk is full'
    expect(await told(engine.put(big))).toContain(full)
    expect(await told(engine.put(chunks()))).toContain(full)
    writeFileSync(`${folder}/big`, big)
    expect(await told(engine.import(`${folder}/big`))).toContain(full)
    expect(await told(engine.build(shell('head -c 3000000 /dev/zero > out')))).toContain(full)
    const tidy = 'head -c 3000000 /dev/zero > out || { rm out; exit 1; }'
    expect(await told(engine.build(shell(tidy)))).toContain(full)
    const compute = engine.compute({
      kind: 'function',
      name: 'big',
      function: { id: 'test/big', version: 1 },
      input: null,
      run: ({ put }) => put(big),
    })
    expect(await told(compute)).toContain(full)
    mkdirSync(`${disk}/out`)
    const outside = await start(`${folder}/outside`)
    expect(await told(outside.export(await outside.put(big), `${disk}/out/file`))).toContain(full)
    expect(readdirSync(`${disk}/out`)).toEqual([])

    expect((await engine.read(small)).toString()).toBe('small')
    expect(await engine.build(shell('echo fits > out'))).toHaveProperty('out')
    await engine.close()
    expect(readdirSync(`${disk}/store/tmp`)).toEqual([])
    expect((await verifyStore({ storeFolder: `${disk}/store` })).problems).toEqual([])
  })

  test('a store on a read-only file system is reported as that, and can still be looked at', async () => {
    const storeFolder = `${disk}/store`
    const engine = await start(storeFolder)
    await engine.put('x')
    await engine.close()
    execFileSync('mount', ['-o', 'remount,ro', disk])
    expect(await told(start(storeFolder))).toContain('mounted read-only')
    expect(await told(collectGarbage({ storeFolder }))).toContain('mounted read-only')
    expect((await verifyStore({ storeFolder })).problems).toEqual([])
    expect((await storeStatistics({ storeFolder })).blobs.count).toBe(1)
  })
})
