import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { cacheFolder } from './cache.ts'
import {
  firmwright,
  freshCache,
  type Outcome,
  systemFolder,
  systemText,
  temporaryFolder,
  warmLock,
} from './firmwright.ts'

const mounted: string[] = []

/** Mounts a file system of its own at a new folder. */
function mount(...options: readonly string[]): string {
  const folder = join(temporaryFolder(), 'mount')
  mkdirSync(folder)
  execFileSync('mount', [...options, folder], { stdio: 'pipe' })
  mounted.push(folder)
  return folder
}

const mayMount = ((): boolean => {
  try {
    mount('-t', 'tmpfs', '-o', 'size=64k', 'tmpfs')
    return true
  } catch {
    return false
  } finally {
    unmountAll()
  }
})()

function unmountAll(): void {
  for (const folder of mounted.splice(0)) execFileSync('umount', ['-l', folder])
}

function complaint({ exitCode, stderr }: Outcome): string {
  expect(stderr).not.toMatch(/^\s+at |node:internal|bug in Firmwright/m)
  expect(exitCode, stderr).toBe(1)
  return stderr.slice(stderr.indexOf('error: '))
}

const build = (folder: string, ...more: string[]): Promise<Outcome> =>
  firmwright(['build', 'system.ts', 'rootfs', '--offline', ...more], { cwd: folder })

beforeAll(async () => {
  await warmLock()
}, 600_000)

afterEach(unmountAll)

describe.runIf(mayMount)('a disk', () => {
  it.each([30, 60, 150])(
    'that is full at %i MB is named, and the store on it stays right',
    async (megabytes) => {
      const disk = mount('-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs')
      const cache = join(disk, 'cache')
      await freshCache(cache).catch(() => {})
      const folder = await systemFolder()
      const message = complaint(await build(folder, '--cache', cache))
      if (megabytes > 30) {
        expect(message).toContain(`The disk is full: no space left for ${join(cache, 'store')}`)
        expect(message).toContain('fix:')
        expect(message).toContain('firmwright store gc')
        const verified = await firmwright(['store', 'verify', '--json', '--cache', cache])
        expect(JSON.parse(verified.stdout)).toMatchObject({ problems: [] })
        expect(readdirSync(join(cache, 'store/tmp'))).toEqual([])
      }
      expect(existsSync(join(folder, 'build'))).toBe(false)
    },
  )

  it('that is full where the output goes is named', async () => {
    const disk = mount('-t', 'tmpfs', '-o', 'size=400k', 'tmpfs')
    const folder = await systemFolder()
    const message = complaint(await build(folder, '-o', join(disk, 'out')))
    expect(message).toMatch(/disk is full/)
    expect(message).toContain(join(disk, 'out'))
    expect(readdirSync(join(disk, 'out/rootfs'))).toEqual([])
  })

  it('that is read-only is no place for a store', async () => {
    const disk = mount('-t', 'tmpfs', '-o', 'ro,size=64k', 'tmpfs')
    const message = complaint(await build(await systemFolder(), '--cache', disk))
    expect(message).toMatch(/cannot be written/)
    expect(message).toContain('read-only')
    expect(message).toContain(disk)
  })

  it('that is read-only is no place for an output', async () => {
    const disk = mount('-t', 'tmpfs', '-o', 'ro,size=64k', 'tmpfs')
    const message = complaint(await build(await systemFolder(), '-o', join(disk, 'out')))
    expect(message).toMatch(/cannot be written/)
    expect(message).toContain(disk)
    expect(message).toContain('fix:')
  })

  it('that is read-only is no place for a lock that must be written', async () => {
    const disk = mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs')
    writeFileSync(join(disk, 'system.ts'), systemText())
    execFileSync('mount', ['-o', 'remount,ro', disk])
    const out = join(temporaryFolder(), 'out')
    const message = complaint(await firmwright(['build', 'system.ts', 'rootfs', '-o', out], { cwd: disk }))
    expect(message).toContain('firmwright.lock cannot be written')
    expect(message).toContain('fix:')
  })
})

describe('a file where a folder should be', () => {
  it('is no store', async () => {
    const cache = join(temporaryFolder(), 'cache')
    writeFileSync(cache, 'mine')
    const message = complaint(await build(await systemFolder(), '--cache', cache))
    expect(message).toContain(cache)
    expect(message).toContain('not a folder')
  })

  it('is no output', async () => {
    const folder = await systemFolder(systemText(), { build: 'mine' })
    const message = complaint(await build(folder))
    expect(message).toContain(join(folder, 'build'))
    expect(message).toContain('not a folder')
  })

  it('nor is a folder of somebody else a store', async () => {
    const cache = temporaryFolder()
    mkdirSync(join(cache, 'store'))
    writeFileSync(join(cache, 'store/letter.txt'), 'mine')
    const message = complaint(await build(await systemFolder(), '--cache', cache))
    expect(message).toContain('is not a store')
    expect(readdirSync(join(cache, 'store'))).toEqual(['letter.txt'])
  })
})

describe('a lock', () => {
  it.each([
    ['{ "version": 1,\n  "sets": [,] }\n', 'it is not JSON', 2],
    ['{ "version": 1,\n  "sets": 7 }\n', 'sets: ', 2],
    ['{ "version": 2 }', 'format 2', undefined],
    ['', 'it is not JSON', undefined],
  ])('that is broken names its line and is left alone: %j', async (text, what, line) => {
    const folder = await systemFolder(systemText(), { 'firmwright.lock': text })
    const message = complaint(await build(folder))
    expect(message).toContain(what)
    expect(message).toContain(line === undefined ? 'firmwright.lock' : `firmwright.lock:${line}`)
    expect(message).toContain('fix:')
    expect(readdirSync(folder).sort()).toEqual(['firmwright.lock', 'system.ts'])
    expect(readFileSync(join(folder, 'firmwright.lock'), 'utf8')).toBe(text)
  })

  it('that is not there cannot be made offline', async () => {
    const folder = await systemFolder()
    rmSync(join(folder, 'firmwright.lock'))
    const message = complaint(await build(folder))
    expect(message).toContain('has no pins for the packages of this system, and the build is offline')
    expect(message).toContain('nothing was pinned yet')
    expect(message).toContain('build once with the network')
  })

  it('does not help offline when nothing was fetched', async () => {
    const message = complaint(await build(await systemFolder(), '--cache', join(temporaryFolder(), 'empty')))
    expect(message).toMatch(/busybox \S+ \(arm64\) is not in the store, and the build is offline/)
    expect(message).toContain('system.ts:5')
    expect(message).toContain('build once with the network to fetch it')
  })
})

it('the shared cache has come to no harm', async () => {
  const verified = await firmwright(['store', 'verify', '--json', '--cache', cacheFolder])
  expect(JSON.parse(verified.stdout)).toMatchObject({ problems: [] })
})
