import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { ownerOf, ownName } from './ownership.ts'

const folder = mkdtempSync(join(tmpdir(), 'ownership-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const place = (name: string): string => {
  writeFileSync(join(folder, name), '')
  return name
}

const unshare = ['--map-root-user', '--pid', '--kill-child']
const canUnshare = spawnSync('unshare', [...unshare, 'true']).status === 0

/** A name as a process gives it in a pid namespace of its own, and what it makes of that name. */
async function nameOfAnother(options: readonly string[]) {
  const ownership = fileURLToPath(new URL('./ownership.ts', import.meta.url))
  const code = `const { ownName, ownerOf } = await import('jiti').then(({ createJiti }) =>
    createJiti(${JSON.stringify(import.meta.url)}).import(${JSON.stringify(ownership)}))
  const name = ownName()
  console.log(name + ' ' + ownerOf(${JSON.stringify(folder)}, name))
  setInterval(() => {}, 1000)`
  const node = [process.execPath, '--input-type=module', '--eval', code]
  const child = spawn('unshare', [...unshare, ...options, ...node], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout, 'data')
  const [name = '', seen = ''] = String(line).trim().split(' ')
  const end = async () => {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  return { name: place(name), seen, end }
}

describe('who made a file', () => {
  it('is told by its name, with or without a prefix, and by what it was renamed to', () => {
    expect(ownerOf(folder, place(ownName()))).toBe('runs')
    expect(ownerOf(folder, place(ownName('gc-')), 'gc-')).toBe('runs')
    expect(ownerOf(folder, place(`${ownName()}.old`))).toBe('runs')
  })

  it('is not told by another name', () => {
    for (const name of ['', 'notes.txt', `x${ownName()}`, ownName('gc-'), '1-2-3'])
      expect(ownerOf(folder, name)).toBe('unknown')
  })

  it('has gone when the process is another that got its number', () => {
    expect(ownerOf(folder, place(ownName().replace(/-\d+-/, '-1-')))).toBe('gone')
  })

  it.skipIf(!canUnshare)(
    'runs in a pid namespace of its own, also where /proc shows the outer one',
    async () => {
      for (const proc of [[], ['--mount-proc']]) {
        const other = await nameOfAnother(proc)
        try {
          expect(other.seen).toBe('runs')
          expect(ownerOf(folder, other.name)).toBe('runs')
        } finally {
          await other.end()
        }
      }
    },
  )

  it('is taken to run for a day where it is of another container', () => {
    const name = place(ownName().replace(/-\d+-([0-9a-f]+)$/, '-7-$1'))
    expect(ownerOf(folder, name)).toBe('runs')
    const yesterday = Date.now() / 1000 - 25 * 60 * 60
    utimesSync(join(folder, name), yesterday, yesterday)
    expect(ownerOf(folder, name)).toBe('gone')
  })
})
