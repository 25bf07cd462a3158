import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { beforeAll, describe, expect, it } from 'vitest'
import { environment, firmwright, freshCache, program, systemFolder, warmLock } from './firmwright.ts'
import { seededFractions } from './seeded-random.ts'

const rounds = 20
const random = seededFractions(20_260_101)

/** Processes that were started under a mark in their environment, and those that work in a folder. */
async function processesOf(folder: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')
    const surroundings = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
    if (command.includes(folder) || surroundings.includes(folder)) found.push(command.replaceAll('\0', ' '))
  }
  return found
}

describe('a build that is interrupted', () => {
  let folder = ''
  let complete = ''
  const durationMs = { fresh: 0, kernelKnown: 0 }
  const build = ['build', 'system.ts', 'rootfs', '--offline', '-o', 'out']

  beforeAll(async () => {
    await warmLock()
    folder = await systemFolder()
    complete = await freshCache()
    durationMs.fresh = await timedBuild(complete)
    durationMs.kernelKnown = await timedBuild(await cacheWithKernel())
  }, 600_000)

  async function timedBuild(cache: string): Promise<number> {
    const started = performance.now()
    const { exitCode, stderr } = await firmwright(build, { cwd: folder, env: { FIRMWRIGHT_CACHE: cache } })
    expect(exitCode, stderr).toBe(0)
    return performance.now() - started
  }

  /** Only packages, and the kernel's read already: that step alone is half the time of such a build. */
  async function cacheWithKernel(): Promise<string> {
    const cache = await freshCache()
    const place = (path: string): void => {
      mkdirSync(dirname(join(cache, path)), { recursive: true })
      linkSync(join(complete, path), join(cache, path))
    }
    for (const name of readdirSync(join(complete, 'store/results'), { recursive: true, encoding: 'utf8' })) {
      if (!name.includes('/')) continue
      const path = join('store/results', name)
      const text = readFileSync(join(complete, path), 'utf8')
      if (!text.includes('"name":"read linux-image-')) continue
      place(path)
      for (const [, sha256 = ''] of text.matchAll(/"sha256":"([0-9a-f]{64})","sizeBytes"/g)) {
        place(join('store/blobs', sha256.slice(0, 2), sha256))
      }
    }
    return cache
  }

  it.each(
    Array.from({ length: rounds }, (_, round) => ({ round: round + 1, moment: (round + random()) / rounds })),
  )('is no trouble for the next one (round $round, after $moment of its time)', async ({ round, moment }) => {
    const signal = round % 2 === 0 ? 'SIGKILL' : 'SIGINT'
    const fresh = round % 5 < 2
    const cache = await (fresh ? freshCache() : cacheWithKernel())
    const env = { ...environment, FIRMWRIGHT_CACHE: cache }
    rmSync(join(folder, 'out'), { recursive: true, force: true })
    const child = execa(process.execPath, [program, ...build], {
      cwd: folder,
      env,
      reject: false,
      stdin: 'ignore',
    })
    let signalled = Number.POSITIVE_INFINITY
    const timer = setTimeout(
      () => {
        signalled = performance.now()
        child.kill(signal)
      },
      moment * (fresh ? durationMs.fresh : durationMs.kernelKnown),
    )
    const { exitCode, signal: endedBy, stderr } = await child
    clearTimeout(timer)
    expect(performance.now() - signalled).toBeLessThan(5000)
    expect(stderr).not.toMatch(/bug in Firmwright|^\s+at /m)
    if (signal === 'SIGINT') {
      // Before the program has looked at signals, and after it has stopped doing so, the system ends it.
      expect([0, 130, undefined]).toContain(exitCode)
      if (exitCode === undefined) expect(endedBy).toBe('SIGINT')
      expect(await processesOf(cache)).toEqual([])
    }
    const next = await firmwright(build, { cwd: folder, env })
    expect(next.stderr).not.toMatch(/error|warning/i)
    expect(next.exitCode).toBe(0)
    const verified = await firmwright(['store', 'verify', '--json'], { env })
    expect(JSON.parse(verified.stdout)).toMatchObject({ problems: [] })
    expect(verified.exitCode).toBe(0)
    expect(await processesOf(cache)).toEqual([])
    rmSync(cache, { recursive: true, force: true })
  })
})
