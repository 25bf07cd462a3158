import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  firmwright,
  freshCache,
  type Outcome,
  systemFolder,
  systemText,
  temporaryFolder,
  warmLock,
} from './firmwright.ts'

interface Weight {
  readonly count: number
  readonly bytes: number
}

describe('the store', () => {
  let cache = ''
  let first = ''
  let second = ''
  const run = (...args: string[]): Promise<Outcome> => firmwright([...args, '--cache', cache])
  const build = (folder: string): Promise<Outcome> =>
    firmwright(['build', 'system.ts', 'rootfs', '--offline', '--cache', cache], { cwd: folder })
  const blobs = (): readonly string[] =>
    readdirSync(join(cache, 'store/blobs'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.includes('/'),
    )

  beforeAll(async () => {
    await warmLock()
    cache = await freshCache()
    first = await systemFolder()
    second = await systemFolder(
      systemText(["system.hostname('edge')", "system.files.text('/etc/second', 'x')"]),
    )
    for (const folder of [first, second]) expect((await build(folder)).exitCode).toBe(0)
  }, 600_000)

  it('keeps on gc what outputs on disk refer to, so that the next build has nothing to do', async () => {
    const { stdout, exitCode } = await run('store', 'gc', '--json')
    expect(exitCode).toBe(0)
    const { kept } = JSON.parse(stdout) as { kept: { roots: string[] } }
    expect(kept.roots.sort()).toEqual(
      [first, second].map((folder) => join(folder, 'build/rootfs/manifest.json')).sort(),
    )
    const before = blobs()
    const again = await build(first)
    expect(again.stderr).toMatch(/^\d+ steps were known already$/)
    expect(blobs()).toEqual(before)
  })

  it('frees on gc what only a deleted output referred to, and all of it after the last one', async () => {
    const image = readFileSync(join(first, 'build/rootfs/rootfs.squashfs'))
    rmSync(join(second, 'build'), { recursive: true })
    const one = JSON.parse((await run('store', 'gc', '--json')).stdout) as {
      freedBytes: number
      removed: { roots: number }
    }
    expect(one.removed.roots).toBe(1)
    expect(one.freedBytes).toBeGreaterThan(1_000_000)
    expect((await build(first)).stderr).toMatch(/^\d+ steps were known already$/)
    expect(readFileSync(join(first, 'build/rootfs/rootfs.squashfs')).equals(image)).toBe(true)

    rmSync(join(first, 'build'), { recursive: true })
    const all = JSON.parse((await run('store', 'gc', '--json')).stdout) as { kept: { blobs: Weight } }
    expect(all.kept.blobs).toEqual({ count: 0, bytes: 0 })
    expect(blobs()).toEqual([])
    const offline = await build(first)
    expect(offline.exitCode).toBe(1)
    expect(offline.stderr).toContain('is not in the store, and the build is offline')
  })

  it('finds a flipped byte, mends it by --repair, and the next build gives the same image', async () => {
    await freshCache(cache)
    expect((await build(first)).exitCode).toBe(0)
    const image = join(first, 'build/rootfs/rootfs.squashfs')
    const right = readFileSync(image)
    const victim = blobs().find((name) => {
      const path = join(cache, 'store/blobs', name)
      return statSync(path).size === right.length && readFileSync(path).equals(right)
    })
    const path = join(cache, 'store/blobs', victim ?? '')
    const bytes = Buffer.from(right)
    bytes[1000] = (bytes[1000] ?? 0) ^ 1
    chmodSync(path, 0o644)
    writeFileSync(path, bytes)
    chmodSync(path, 0o444)

    const found = await run('store', 'verify')
    expect(found.exitCode).toBe(1)
    expect(found.stdout).toContain(`${path} is not what its name says`)
    expect(JSON.parse((await run('store', 'verify', '--json')).stdout)).toMatchObject({
      problems: expect.arrayContaining([
        expect.objectContaining({ type: 'content-changed', repaired: false }),
      ]),
    })

    const repaired = await run('store', 'verify', '--repair', '--json')
    expect(JSON.parse(repaired.stdout)).toMatchObject({
      problems: expect.arrayContaining([
        expect.objectContaining({ type: 'content-changed', repaired: true }),
      ]),
    })
    rmSync(image)
    expect((await build(first)).exitCode).toBe(0)
    expect(readFileSync(image).equals(right)).toBe(true)
    const clean = await run('store', 'verify', '--json')
    expect(JSON.parse(clean.stdout)).toMatchObject({ problems: [] })
    expect(clean.exitCode).toBe(0)
  })

  it('that is not there is an error for those who look after it', async () => {
    for (const command of ['gc', 'verify', 'stat']) {
      const { exitCode, stderr } = await firmwright([
        'store',
        command,
        '--cache',
        join(temporaryFolder(), 'none'),
      ])
      expect(stderr).toContain('error: There is no store at')
      expect(exitCode).toBe(1)
    }
  })
})
