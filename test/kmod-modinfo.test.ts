import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { shapes } from '../src/elf/test/assemble.ts'
import { assembleKmod } from '../src/elf/test/assemble-kmod.ts'
import type { KmodError } from '../src/kmod/error.ts'
import { modinfoOfFile } from '../src/kmod/kmod.ts'
import { packModinfos } from '../src/kmod/modinfo-files.ts'
import { createModinfoPacker, modinfoOf } from '../src/kmod/modinfo-pack.ts'
import { mutate, seedModules } from '../verify/kmod/fuzz.ts'
import { seededRandom } from './seeded-random.ts'

const folder = mkdtempSync(join(tmpdir(), 'firmwright-modinfo-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What packing says of each file, and what the ELF reader does. */
async function bothWays(files: readonly Buffer[]) {
  const paths = new Map(files.map((_, index) => [`m${index}`, `m${index}.ko`]))
  for (const [index, content] of files.entries()) writeFileSync(join(folder, `m${index}.ko`), content)
  const packer = createModinfoPacker()
  const errors = new Map<string, KmodError>()
  await packModinfos(folder, paths, packer, (name, error) => errors.set(name, error))
  const pack = packer.finish()
  const packed = new Map(pack.names.map((name, index) => [name, modinfoOf(pack, index).toString('latin1')]))
  return files.map((content, index) => {
    const read = modinfoOfFile(content)
    const name = `m${index}`
    return {
      packed: packed.get(name) ?? errors.get(name)?.message,
      read: read.ok ? Buffer.from(read.value).toString('latin1') : read.error.message,
    }
  })
}

describe('what many modules say of themselves', () => {
  it('is the same as what is read of one: small, large, of every width and byte order', async () => {
    const large = Buffer.alloc(100_000, 0x61).toString()
    const files = shapes.flatMap((shape) => [
      assembleKmod({ modinfo: ['name=small'] }, shape),
      assembleKmod({ modinfo: ['name=middling', `description=${large.slice(0, 6000)}`] }, shape),
      assembleKmod({ modinfo: ['name=large', `description=${large}`] }, shape),
      assembleKmod({ modinfo: ['name=signed'], trailer: Buffer.from(large) }, shape),
      assembleKmod(
        { modinfo: ['name=much', `alias=${large}`, `alias=${large}`], trailer: Buffer.from(large) },
        shape,
      ),
    ])
    for (const { packed, read } of await bothWays(files)) expect(packed).toBe(read)
  })

  it('is the same, or refused for the same reason, of modules that were damaged', async () => {
    const random = seededRandom(3)
    const seeds = seedModules()
    const damaged = Array.from({ length: 2000 }, () =>
      mutate(seeds[random(seeds.length)] ?? Buffer.alloc(0), random),
    )
    const results = await bothWays(damaged)
    expect(results.filter(({ packed, read }) => packed !== read)).toEqual([])
    expect(results.filter(({ read }) => read.includes('name=seed')).length).toBeGreaterThan(200)
  })
})
