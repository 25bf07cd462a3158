/** Objects compiled on two other machines, each in a network namespace of its own, by Debian's distccd. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Built } from './distcc/build.ts'

const made: string[] = []
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true })
})

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const jiti = path('../node_modules/.bin/jiti')

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'distcc-test-'))
  made.push(folder)
  return folder
}

/** @param mortal after how many files the second machine dies */
function build(hosts: string, { mortal, folder = newFolder() }: { mortal?: number; folder?: string } = {}) {
  if (mortal !== undefined) writeFileSync(join(folder, 'mortal'), String(mortal))
  const rooms = ['--user', '--map-root-user', '--net', '--pid', '--fork', '--mount-proc', '--kill-child']
  const argv = [...rooms, 'sh', path('distcc/two-hosts.sh'), folder]
  const output = execFileSync('unshare', [...argv, jiti, path('distcc/build.ts'), folder, hosts], {
    encoding: 'utf8',
  })
  const compiledBy = (machine: 1 | 2): number =>
    readFileSync(join(folder, `${machine}.log`), 'utf8').split('COMPILE_OK').length - 1
  return { built: JSON.parse(output) as Built, compiledBy }
}

const first = '198.51.100.2/4'
const second = '198.51.100.6/4'

describe('a kernel whose objects are compiled by distcc', { timeout: 300_000 }, () => {
  const folder = newFolder()
  let local: ReturnType<typeof build>
  beforeAll(() => {
    local = build('', { folder })
  }, 300_000)
  it('has the bytes of one that is compiled here', () => {
    const { built, compiledBy } = build(`${first},${second}`)
    // A probe for each machine, and three objects.
    expect(compiledBy(1) + compiledBy(2)).toBe(5)
    expect(built).toEqual(local.built)
    expect(local.compiledBy(1) + local.compiledBy(2)).toBe(0)
  })
  it('is not built again because of where it would be compiled', () => {
    const { built, compiledBy } = build(`${first},${second}`, { folder })
    expect(built).toEqual(local.built)
    expect(compiledBy(1) + compiledBy(2)).toBe(0)
  })
  it('loses nothing with a machine that dies', () => {
    const { built, compiledBy } = build(`${second},${first}`, { mortal: 2 })
    expect(compiledBy(2)).toBeGreaterThan(0)
    expect(built.archive).toBe(local.built.archive)
  })
  it('is compiled without a machine that cannot be reached, which is said', () => {
    const { built, compiledBy } = build(`198.51.100.9/4,${first}`)
    expect(compiledBy(1)).toBe(4)
    expect(built.archive).toBe(local.built.archive)
    expect(built.warnings).toEqual([
      '198.51.100.9/4 is left out: it cannot be reached, or its compiler is another',
    ])
  })
})
