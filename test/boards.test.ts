import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import * as exported from '../src/devices/index.ts'
import {
  boardTreeSources,
  compileBoardTree,
  memoryOf,
  nodesOf,
  propertiesOf,
  rangesOf,
  textOf,
} from './board-trees.ts'

const work = mkdtempSync(join(tmpdir(), 'firmwright-boards-'))
afterAll(() => rmSync(work, { recursive: true }))

const boards = Object.values(exported).filter(
  (device) => typeof device === 'object' && device.deviceTree.source === 'kernel',
)

it('has a source for the tree of every board that has one of the kernel’s', () => {
  expect([...boardTreeSources.keys()].map(({ name }) => name).sort()).toEqual(
    boards.map(({ name }) => name).sort(),
  )
})

describe.each([...boardTreeSources.keys()])('the board $name', (device) => {
  it('has the memory and the console that its tree has, as dtc compiles it', {
    timeout: 300_000,
  }, async () => {
    const tree = await compileBoardTree(device, mkdtempSync(join(work, 'tree-')))
    const memory = await memoryOf(tree)
    const banks = device.networkBoot?.memory.map(({ start, end }) => ({ start, sizeBytes: end - start }))
    // Where the tree says nothing of it, the loader writes it in.
    if (memory.length > 0) expect(banks).toEqual(memory)
    const chosen = (await nodesOf(tree, '/')).includes('chosen') ? await propertiesOf(tree, '/chosen') : []
    const { tty, baudRate } = device.console
    if (chosen.includes('bootargs'))
      expect(await textOf(tree, '/chosen', 'bootargs')).toContain(`console=${tty},${baudRate}`)
    const path = chosen.includes('stdout-path') ? await textOf(tree, '/chosen', 'stdout-path') : ''
    if (path.includes(':')) expect(path).toMatch(new RegExp(`:${baudRate}n8$`))
  })
})

it('keeps the memory of the OpenWrt One’s firmware from the kernel', { timeout: 300_000 }, async () => {
  const tree = await compileBoardTree(exported.openwrtOne, mkdtempSync(join(work, 'tree-')))
  const secmon = await rangesOf(tree, '/reserved-memory/secmon@43000000', '/reserved-memory')
  expect(secmon).toEqual([{ start: 0x4300_0000, sizeBytes: 0x3_0000 }])
  expect(await textOf(tree, '/soc/serial@11002000', 'status')).toBe('okay')
})
