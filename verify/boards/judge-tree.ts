/** The device tree that the kernel is given, against what cpp, dtc and fdtoverlay make of the kernel's source. */
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Device } from '../../src/system/index.ts'
import {
  compileBoardTree,
  memoryOf,
  nodesOf,
  propertiesOf,
  type Range,
  rangesOf,
  textOf,
} from '../../test/board-trees.ts'

export interface JudgedTree {
  readonly wrong: readonly string[]
  /** The first name that it goes by. */
  readonly compatible: string
  /** What it keeps from the kernel, at an address. */
  readonly reserved: readonly Range[]
}

const RESERVED = '/reserved-memory'

/** `tree` is a file. */
export async function judgeTree(tree: string, device: Device, work: string): Promise<JudgedTree> {
  const expected = await compileBoardTree(device, work)
  const wrong: string[] = []
  const compatible = await textOf(expected, '/', 'compatible')
  if ((await textOf(tree, '/', 'compatible')) !== compatible)
    wrong.push('it is compatible with another board')
  const memory = await memoryOf(expected)
  const banks = device.networkBoot?.memory.map(({ start, end }) => ({ start, sizeBytes: end - start })) ?? []
  // Where the tree says nothing of it, the loader writes it in.
  if (memory.length > 0 && JSON.stringify(memory) !== JSON.stringify(banks))
    wrong.push(`the source has the memory ${JSON.stringify(memory)}`)
  const reserved = await reservedOf(tree)
  const bare = join(work, 'bare.dtb')
  await copyFile(tree, bare)
  await takeEditsOut(bare, expected)
  if ((await sourceText(bare)) !== (await sourceText(expected)))
    wrong.push('beside what a boot adds, the tree is not that of its source')
  return { wrong, compatible: compatible.split(' ')[0] ?? '', reserved }
}

/** What a boot writes into a tree goes, as far as `expected` has it not. */
async function takeEditsOut(bare: string, expected: string): Promise<void> {
  const known = await nodesOf(expected, '/')
  for (const name of await nodesOf(bare, '/')) {
    if (known.includes(name) || (name !== 'chosen' && name !== 'reserved-memory')) continue
    await execa('fdtput', ['-r', bare, `/${name}`])
  }
  if (known.includes('reserved-memory')) {
    const kept = await nodesOf(expected, RESERVED)
    for (const name of await nodesOf(bare, RESERVED)) {
      if (kept.includes(name) || !name.startsWith('rootfs@')) continue
      await execa('fdtput', ['-r', bare, `${RESERVED}/${name}`])
    }
  }
  if (!known.includes('chosen')) return
  const kept = await propertiesOf(expected, '/chosen')
  const written = ['bootargs', 'linux,initrd-start', 'linux,initrd-end']
  for (const name of await propertiesOf(bare, '/chosen')) {
    if (kept.includes(name) || !written.includes(name)) continue
    await execa('fdtput', ['-d', bare, '/chosen', name])
  }
  // Where the source has a command line of its own, that of the boot stands in its place.
  if (!kept.includes('bootargs')) return
  const own = await textOf(expected, '/chosen', 'bootargs')
  await execa('fdtput', ['-t', 's', bare, '/chosen', 'bootargs', own])
}

async function sourceText(tree: string): Promise<string> {
  return (await execa('dtc', ['-q', '-I', 'dtb', '-O', 'dts', '-s', tree])).stdout
}

async function reservedOf(tree: string): Promise<readonly Range[]> {
  if (!(await nodesOf(tree, '/')).includes('reserved-memory')) return []
  const found: Range[] = []
  for (const name of await nodesOf(tree, RESERVED)) {
    const path = `${RESERVED}/${name}`
    if ((await propertiesOf(tree, path)).includes('reg'))
      found.push(...(await rangesOf(tree, path, RESERVED)))
  }
  return found
}
