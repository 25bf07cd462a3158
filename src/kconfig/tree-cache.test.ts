import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { linux61, linux612 } from './dialect.ts'
import { helpBlockText } from './help-block.ts'
import { openTree } from './open-tree.ts'
import { treeOf } from './test-tree.ts'
import { recordTree, treeOfRecord } from './tree-record.ts'

const everything = {
  Kconfig: `mainmenu "All there is"
config MODULES
	bool "modules"
	modules
menu "drivers"
	visible if MODULES
source "Kconfig.drivers"
endmenu
comment "the end"
	depends on !MODULES
config LEVEL
	int "level"
	range 1 10 if MODULES
	default 4
`,
  'Kconfig.drivers': `choice
	prompt "one of"
	default SECOND
config FIRST
	bool "first"
config SECOND
	bool "second"
endchoice
if MODULES != n
config DRIVER
	tristate "driver"
	depends on FIRST || LEVEL >= 3 || !SECOND
	select LIBRARY if m
	imply EXTRA
	help
	  Says what it is.

	  In two paragraphs.
endif
config LIBRARY
	tristate
config EXTRA
	def_tristate DRIVER
config NAME
	string "name"
	default "a, b"
`,
}

/** Where two graphs of objects differ, each pair of objects looked at once. @returns undefined when they do not */
function firstDifference(one: unknown, other: unknown): string | undefined {
  const partners = new Map<object, object>()
  const pending: [string, unknown, unknown][] = [['', one, other]]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [path, a, b] = next
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
      if (a !== b) return `${path}: ${String(a)}, ${String(b)}`
      continue
    }
    const partner = partners.get(a)
    if (partner === b) continue
    // An empty list may be shared or not.
    if (partner !== undefined && !(Array.isArray(a) && a.length === 0)) return `${path}: other objects`
    partners.set(a, b)
    const [left, right] = [a, b].map((of) => (of instanceof Map ? [...of].flat() : of)) as [object, object]
    const [keys, others] = [left, right].map((of) => Object.keys(of).sort()) as [string[], string[]]
    if (keys.join() !== others.join()) return `${path}: ${keys}, ${others}`
    for (const key of keys)
      pending.push([`${path}.${key}`, left[key as keyof typeof left], right[key as keyof typeof right]])
  }
  return undefined
}

describe('a tree as bytes', () => {
  for (const dialect of [linux61, linux612])
    it(`comes back as it was, in every part (${dialect.name})`, () => {
      const tree = treeOf(everything, dialect)
      const readFile = (name: string) => everything[name as keyof typeof everything]
      const record = recordTree(tree, readFile)
      if (record === undefined) throw new Error('it was not written down')
      const again = treeOfRecord(record, dialect, readFile)
      expect(firstDifference(tree, again)).toBe(undefined)
      const help = again.byName.get('DRIVER')?.nodes[0]?.help
      expect(help && helpBlockText(help)).toContain('In two paragraphs.')
    })
})

describe('trees that are kept', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tree-cache-'))
  const srctree = join(folder, 'tree')
  const treeCacheFolder = join(folder, 'trees')
  const probeCacheFile = join(folder, 'probes.json')
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  beforeAll(async () => {
    mkdirSync(srctree)
    writeFileSync(
      join(srctree, 'Kconfig'),
      'config A\n\tbool "$(TITLE)"\n\tdefault $(shell,cat $(ANSWER))\nsource "Kconfig.more"\n',
    )
    writeFileSync(join(srctree, 'Kconfig.more'), 'config B\n\tbool "b"\n')
    writeFileSync(join(folder, 'answer'), 'y\n')
    // What has only just changed is not kept.
    await setTimeout(3200)
  })
  const open = async (variables: Readonly<Record<string, string>> = {}) => {
    const environment = { PATH: process.env.PATH, ANSWER: join(folder, 'answer'), TITLE: 'a', ...variables }
    const opened = await openTree({
      srctree,
      dialect: linux612,
      environment,
      treeCacheFolder,
      probeCacheFile,
    })
    if (!opened.ok) throw new Error(opened.error.message)
    return opened.value
  }
  const kept = (): readonly string[] => {
    try {
      return readdirSync(treeCacheFolder)
    } catch {
      return []
    }
  }
  const answerOf = (tree: Awaited<ReturnType<typeof open>>) => {
    const value = tree.byName.get('A')?.properties.find(({ kind }) => kind === 'default')?.value
    return value?.kind === 'symbol' ? value.symbol.name : undefined
  }

  it('are read the first time, kept the second, and the same the third', async () => {
    const first = await open()
    expect(kept()).toEqual([])
    await open()
    expect(kept()).toHaveLength(1)
    // What is in the file is what comes back: a prompt changed in it is changed in the tree.
    const file = join(treeCacheFolder, kept()[0] ?? '')
    const bytes = readFileSync(file, 'latin1')
    expect(firstDifference(first, await open())).toBe(undefined)
    writeFileSync(file, bytes.replace('\0b\0', '\0x\0'), 'latin1')
    expect((await open()).byName.get('B')?.nodes[0]?.prompt?.text).toBe('x')
    writeFileSync(file, bytes, 'latin1')
  })
  it('are read again where a variable, an answer or a file is another', async () => {
    expect((await open({ TITLE: 'other' })).byName.get('A')?.nodes[0]?.prompt?.text).toBe('other')
    writeFileSync(join(folder, 'answer'), 'n\n')
    expect(answerOf(await open())).toBe('n')
    writeFileSync(join(srctree, 'Kconfig.more'), 'config C\n\tbool "b"\n')
    expect([...(await open()).byName.keys()]).toContain('C')
  })
  it('are read again where what was kept is damaged', async () => {
    const before = await open()
    for (const name of kept()) truncateSync(join(treeCacheFolder, name), 200)
    expect(firstDifference(before, await open())).toBe(undefined)
    for (const name of kept()) writeFileSync(join(treeCacheFolder, name), 'nothing of the kind')
    expect(firstDifference(before, await open())).toBe(undefined)
  })
})
