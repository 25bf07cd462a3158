import { beforeAll, describe, expect, it } from 'vitest'
import { debianKernelFacts, sourceVersion } from '../../test/debian-kernel.ts'
import { linuxSource } from '../../test/material.ts'
import { holds, type SymbolValue } from './condition.ts'
import { type Kbuild, readKbuild } from './kbuild.ts'
import { fixedSymbols, openSourceTree, openSymbols } from './source-tree.ts'

/** A share of verify/kbuild: Linux 6.1 for arm64, against Debian's build of it. */
describe('Linux 6.1 for arm64', () => {
  let facts: Awaited<ReturnType<typeof debianKernelFacts>>
  let tree: ReturnType<typeof openSourceTree>
  let open: Kbuild
  let version: string

  const read = (symbol: Parameters<typeof readKbuild>[0]['symbol']): Kbuild => {
    const result = readKbuild({ tree, srcarch: 'arm64', symbol })
    if (!result.ok) throw new Error(result.error.message)
    return result.value
  }
  beforeAll(async () => {
    facts = await debianKernelFacts({
      release: 'bookworm',
      architecture: 'arm64',
      package: 'linux-image-arm64',
    })
    const folder = await linuxSource('6.1')
    version = sourceVersion(folder)
    tree = openSourceTree(folder)
    const symbols = openSymbols(tree, 'arm64')
    if (!symbols.ok) throw new Error(symbols.error.message)
    open = read(symbols.value)
  })

  it("has exactly the modules of Debian's modules.order, in its order", ({ skip }) => {
    skip(facts.version !== version, `the kernel is ${facts.version}, the source ${version}`)
    expect(facts.modules.length).toBeGreaterThan(3000)
    expect(read(fixedSymbols(facts.config)).order).toEqual(facts.modules)
  })

  it('has conditions that say the same of a configuration as a run for just that one', () => {
    // which symbols are on is made up, so that conditions are met that no real configuration meets
    const values = ['n', 'm', 'y'] as const
    const valueIn = (name: string): SymbolValue => {
      const type = open.conditions.isBool(name) ? 2 : 1
      const code = [...name].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 100_003, 7)
      return values[type === 2 ? (code % 2) * 2 : code % 3] ?? 'n'
    }
    const symbols = openSymbols(tree, 'arm64')
    if (!symbols.ok) throw new Error(symbols.error.message)
    const { value: state } = symbols
    const alone = read((name) =>
      state(name).type === 'value' ? state(name) : { type: 'value', value: valueIn(name) },
    )
    const built = (objects: Kbuild['modules']): readonly string[] =>
      [...objects.values()]
        .filter(({ when }) => holds(when, valueIn))
        .map(({ path }) => path)
        .sort()
    expect(built(open.modules)).toEqual([...alone.modules.keys()].sort())
    expect(built(open.builtin)).toEqual([...alone.builtin.keys()].sort())
    expect(alone.modules.size).toBeGreaterThan(500)
  })
})
