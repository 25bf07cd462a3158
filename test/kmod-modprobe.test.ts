/**
 * A share of `npm run verify kmod-plans`, which judges every module of six kernels by kmod's own tools.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type KmodGraph, type KmodSource, openKmodFolder, readKmodGraph } from '../src/kmod/index.ts'
import { aliasPatterns, compareAliases, concreteAlias, nearMiss } from '../verify/kmod/aliases.ts'
import { boardsOf, compareBoards } from '../verify/kmod/boards.ts'
import { type IndexedKernel, indexedKernel } from '../verify/kmod/kernels.ts'
import { type Modprobe, modprobeFor } from '../verify/kmod/modprobe.ts'
import { compareDependencyMap, comparePlans } from '../verify/kmod/plans.ts'
import { seededRandom } from './seeded-random.ts'

describe('the modules of Debian’s kernel', () => {
  const wanted = { release: 'bookworm', architecture: 'arm64', package: 'linux-image-arm64' }
  let scratch = ''
  let kernel: IndexedKernel
  let source: KmodSource
  let graph: KmodGraph
  let modprobe: Modprobe

  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'firmwright-modprobe-'))
    kernel = await indexedKernel(wanted, scratch)
    const opened = openKmodFolder(kernel.folder)
    if (!opened.ok) throw new Error(opened.error.message)
    source = opened.value
    graph = await readKmodGraph(source)
    modprobe = modprobeFor(kernel)
  }, 600_000)
  afterAll(() => rmSync(scratch, { recursive: true, force: true }))

  it('depend on each other as depmod has it, and as they say themselves', () => {
    const modulesDep = readFileSync(join(kernel.indexedFolder, 'modules.dep'), 'utf8')
    expect(compareDependencyMap(source, graph, modulesDep)).toEqual([])
    expect([graph.disagreements, graph.duplicates, graph.unreadable.size]).toEqual([[], [], 0])
  })

  it('are planned as modprobe plans them, and what is more has a softdep line for a reason', async () => {
    const all = [...source.names.keys()]
    const random = seededRandom(1)
    const names = Array.from({ length: 300 }, () => all[random(all.length)] ?? '')
    const { notAsModprobe, unexplained } = await comparePlans(source, graph, modprobe, [...names, 'btrfs'])
    expect(notAsModprobe).toEqual([])
    expect(unexplained).toEqual([])
  })

  it('drive the hardware of boards as modprobe would have it', async () => {
    const boards = await boardsOf(wanted)
    const some = boards.filter((_, index) => index % 60 === 0)
    const { devices, withModules, different } = await compareBoards(source, modprobe, some)
    expect(different).toEqual([])
    expect([devices, withModules].every((count) => count > 100)).toBe(true)
  })

  it('answer to the aliases that modprobe finds them by', async () => {
    const random = seededRandom(2)
    const patterns = await aliasPatterns(source)
    const concrete = Array.from({ length: 300 }, () =>
      concreteAlias(patterns[random(patterns.length)] ?? '', random),
    )
    const near = concrete.slice(0, 100).map((alias) => nearMiss(alias, random))
    expect(await compareAliases(source, modprobe, [...concrete, ...near])).toEqual([])
  })
})
