import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { resolveRequirements } from './conditional-requests.ts'
import type { Configuration } from './configuration.ts'
import { linux61, linux612 } from './dialect.ts'
import { explain, explanationText } from './explain.ts'
import { resolve, stepText } from './resolve.ts'
import { configured, treeOf } from './test-tree.ts'

const text = `config MODULES
	bool "modules"
	modules
config NET
	bool "networking"
menuconfig NETFILTER
	bool "netfilter"
	depends on NET
config NETFILTER_ADVANCED
	bool "advanced"
	depends on NETFILTER
config XTABLES
	tristate
config OWNER
	tristate "owner match"
	depends on NETFILTER_ADVANCED && !TINY
	select XTABLES
config TINY
	bool "tiny"
config EITHER
	bool "either"
	depends on (TINY && NET) || NET
config NEVER
	tristate "never"
	depends on TINY && OWNER
choice
	prompt "one of"
config FIRST
	bool "first"
config SECOND
	bool "second"
endchoice
config NEEDS_SECOND
	bool "needs second"
	depends on SECOND
config SIZE
	int "size"
	depends on NET
	range 1 10
`

for (const dialect of [linux61, linux612])
  describe(`resolve in the dialect of ${dialect.name}`, () => {
    const tree = treeOf(text, dialect)
    const answer = (config: string, ...asked: [string, string][]) => {
      const result = resolve(
        configured(tree, config),
        asked.map(([name, value]) => ({ name, value })),
      )
      return result.ok
        ? result.value.assignments.map(({ name, value }) => `${name}=${value}`).sort()
        : result.error
    }

    it('adds every dependency and nothing else', () => {
      expect(answer('', ['OWNER', 'm'])).toEqual([
        'MODULES=y',
        'NET=y',
        'NETFILTER=y',
        'NETFILTER_ADVANCED=y',
        'OWNER=m',
      ])
    })
    it('adds nothing to what is set already', () => {
      expect(answer('CONFIG_NET=y\nCONFIG_NETFILTER=y\n', ['NETFILTER', 'y'])).toEqual([])
    })
    it('takes the shorter of two alternatives', () => {
      expect(answer('', ['EITHER', 'y'])).toEqual(['EITHER=y', 'NET=y'])
    })
    it('turns off what excludes the wish', () => {
      expect(answer('CONFIG_TINY=y\n', ['OWNER', 'y'])).toContain('TINY=n')
    })
    it('moves a choice', () => {
      expect(answer('CONFIG_FIRST=y\n', ['NEEDS_SECOND', 'y'])).toEqual(['NEEDS_SECOND=y', 'SECOND=y'])
    })
    it('makes numbers visible before it sets them', () => {
      expect(answer('', ['SIZE', '7'])).toEqual(['NET=y', 'SIZE=7'])
    })
    it('refuses with the contradiction, step by step', () => {
      const error = answer('', ['NEVER', 'm'])
      expect(error).toMatchObject({ type: 'impossible' })
      expect('message' in error && error.message).toBe(
        'NEVER=m cannot be\n  NEVER=m was requested\n  NEVER=m needs TINY (Kconfig:23)\n' +
          '  NEVER=m needs OWNER (Kconfig:23)\n  OWNER=m needs !TINY (Kconfig:14)',
      )
    })
    it('says of an answer that no other adds fewer symbols, and lists the others', () => {
      const result = resolve(configured(tree), [{ name: 'EITHER', value: 'y' }], { alternatives: 5 })
      expect(result).toMatchObject({ ok: true, value: { fewest: true, alternatives: [] } })
      const library = treeOf(
        `${'config A B C'
          .split(' ')
          .slice(1)
          .map((name) => `config ${name}\n\tbool "${name}"\n\tselect LIB\n`)
          .join('')}config LIB\n\tbool\n`,
        dialect,
      )
      const several = resolve(configured(library), [{ name: 'LIB', value: 'y' }], { alternatives: 5 })
      if (!several.ok) throw new Error(several.error.message)
      const { assignments, alternatives } = several.value
      const names = [assignments, ...alternatives.map((other) => other.assignments)].map((set) =>
        set.map(({ name }) => name).join(' '),
      )
      expect(names.sort()).toEqual(['A', 'B', 'C'])
    })
    it('takes y for m only with leave, and only where m cannot be, even if m takes more', () => {
      const text =
        'config MODULES\n\tbool "modules"\n\tmodules\nconfig T\n\ttristate "t"\nconfig Y\n\tbool "y"\n\tselect U\nconfig U\n\ttristate\n'
      const base = configured(treeOf(text, dialect))
      const value = (name: string, acceptsBuiltIn: boolean): string | undefined => {
        const result = resolve(base, [{ name, value: 'm', acceptsBuiltIn }])
        const symbol = base.tree.byName.get(name)
        return result.ok && symbol !== undefined ? result.value.configuration.text(symbol) : undefined
      }
      expect([value('T', true), value('U', false), value('U', true)]).toEqual(['m', undefined, 'y'])
    })
    it('tells for each added symbol what leads to it', () => {
      const result = resolve(configured(tree), [{ name: 'OWNER', value: 'y', origin: 'asked by a' }])
      if (!result.ok) throw new Error(result.error.message)
      const net = result.value.assignments.find(({ name }) => name === 'NET')
      expect(net?.reason.map(stepText)).toEqual([
        'OWNER=y was asked by a',
        'OWNER depends on NETFILTER_ADVANCED (Kconfig:14)',
        'NETFILTER_ADVANCED depends on NETFILTER (Kconfig:9)',
        'NETFILTER depends on NET (Kconfig:6)',
      ])
    })
    it('tells what leads to a symbol that selects more than its condition allows', () => {
      const selecting = treeOf(
        'config MODULES\n\tbool "modules"\n\tmodules\n' +
          'config TABLES\n\ttristate "tables"\n' +
          'config INET\n\tbool "both"\n\tdepends on TABLES\n\tselect IPV4\n\tselect IPV6\n' +
          'config IPV4\n\tbool "v4"\nconfig IPV6\n\tbool "v6"\n' +
          'config FIB\n\ttristate "fib"\n\tdepends on TABLES && IPV4 && IPV6\n',
        dialect,
      )
      const result = resolve(configured(selecting, 'CONFIG_MODULES=y\nCONFIG_TABLES=m\n'), [
        { name: 'FIB', value: 'm' },
      ])
      if (!result.ok) throw new Error(result.error.message)
      const inet = result.value.assignments.find(({ name }) => name === 'INET')
      expect(inet?.reason.map(stepText)).toEqual([
        'FIB=m was requested',
        'FIB depends on IPV4 (Kconfig:15)',
        'IPV4 is selected by INET (Kconfig:9)',
      ])
    })
    it('knows near names of a symbol that nothing defines', () => {
      expect(answer('', ['NETFILTR', 'y'])).toMatchObject({ type: 'unknown-symbol', near: ['NETFILTER'] })
    })
  })

describe('requests of many', () => {
  const base = configured(treeOf(text))
  const ask = (name: string, value: string, origin: string) => ({ name, value, origin })

  it('applies what hangs on a symbol only when something else turns it on', () => {
    const clause = { symbol: 'NETFILTER', requests: [ask('TINY', 'y', 'from b')], origin: 'from b' }
    const without = resolveRequirements(base, [ask('NET', 'y', 'from a')], [clause])
    expect(without.ok && without.value.applied).toEqual([])
    const having = resolveRequirements(base, [ask('NETFILTER', 'y', 'from a')], [clause])
    expect(having.ok && having.value.configuration.text(symbolOf('TINY'))).toBe('y')
  })
  it('names both askers of a conflict', () => {
    const result = resolveRequirements(
      base,
      [ask('NET', 'y', 'asked by a'), ask('NET', 'n', 'asked by b')],
      [],
    )
    expect(result).toMatchObject({
      ok: false,
      error: { type: 'conflict', origins: ['asked by a', 'asked by b'] },
    })
  })
  it('gives y where m was asked as well only with leave', () => {
    const y = ask('OWNER', 'y', 'a')
    expect(resolveRequirements(base, [y, ask('OWNER', 'm', 'b')], []).ok).toBe(false)
    expect(resolveRequirements(base, [y, { ...ask('OWNER', 'm', 'b'), acceptsBuiltIn: true }], []).ok).toBe(
      true,
    )
  })
  it('refuses a clause that would turn something off', () => {
    const clause = { symbol: 'NET', requests: [ask('NET', 'n', 'b')], origin: 'b' }
    const result = resolveRequirements(base, [ask('NET', 'y', 'a')], [clause])
    expect(result).toMatchObject({ ok: false, error: { type: 'unstable', origins: ['b', 'a'] } })
  })
  it('refuses a clause that would turn off what the configuration underneath has on', () => {
    const having = configured(
      treeOf(text),
      'CONFIG_NET=y\nCONFIG_NETFILTER=y\nCONFIG_NETFILTER_ADVANCED=y\nCONFIG_OWNER=y\n',
    )
    const clause = { symbol: 'NET', requests: [ask('TINY', 'y', 'b')], origin: 'b' }
    const result = resolveRequirements(having, [ask('EITHER', 'y', 'a')], [clause])
    expect(result).toMatchObject({ ok: false, error: { type: 'unstable', origins: ['b'] } })
    expect(!result.ok && result.error.message).toContain('(OWNER)')
  })
  it('names every clause of those that turn on each other', () => {
    const clauses = [
      { symbol: 'NET', requests: [ask('TINY', 'y', 'b')], origin: 'b' },
      { symbol: 'TINY', requests: [ask('NETFILTER', 'y', 'c')], origin: 'c' },
      { symbol: 'NETFILTER', requests: [ask('TINY', 'y', 'd')], origin: 'd' },
    ]
    const result = resolveRequirements(base, [ask('NET', 'y', 'a')], clauses)
    expect(result).toMatchObject({ ok: false, error: { type: 'cycle', origins: ['c', 'd'] } })
  })
  it('reaches the least fixed point, whatever the order of clauses', () => {
    const count = 6
    const free = configured(
      treeOf(Array.from({ length: count }, (_, i) => `config F${i}\n\tbool "f"\n`).join('')),
    )
    const name = fc.integer({ min: 0, max: count - 1 }).map((i) => `F${i}`)
    const clause = fc.record({ symbol: name, wanted: fc.uniqueArray(name, { minLength: 1, maxLength: 2 }) })
    fc.assert(
      fc.property(fc.array(clause, { maxLength: 6 }), name, fc.nat(), (drawn, first, seed) => {
        const clauses = drawn.map(({ symbol, wanted }, index) => ({
          symbol,
          requests: wanted.map((each) => ask(each, 'y', `clause ${index}`)),
          origin: `clause ${index}`,
        }))
        const turn = seed % (clauses.length + 1)
        const turned = [...clauses.slice(turn), ...clauses.slice(0, turn)].reverse()
        const results = [clauses, turned].map((order) =>
          resolveRequirements(free, [ask(first, 'y', 'a')], order),
        )
        const [result, other] = results
        if (result === undefined || other === undefined) throw new Error('no result')
        expect(other.ok).toBe(result.ok)
        if (!result.ok || !other.ok) {
          const clausesOf = (error: { readonly origins?: readonly string[] }) => error.origins ?? []
          if (result.ok) return
          expect(result.error.type).toBe('cycle')
          expect('origins' in result.error && clausesOf(result.error).length).toBeGreaterThan(1)
          return
        }
        const on = new Set([first])
        for (let before = -1; before !== on.size; ) {
          before = on.size
          for (const { symbol, wanted } of drawn) if (on.has(symbol)) for (const each of wanted) on.add(each)
        }
        const values = (configuration: Configuration): string[] =>
          [...free.tree.byName.values()]
            .filter((symbol) => configuration.text(symbol) === 'y')
            .map((symbol) => symbol.name ?? '')
            .sort()
        expect(values(result.value.configuration)).toEqual([...on].sort())
        expect(values(other.value.configuration)).toEqual([...on].sort())
        expect(new Set(result.value.applied)).toEqual(new Set(clauses.filter(({ symbol }) => on.has(symbol))))
      }),
    )
  })
  const symbolOf = (name: string) => {
    const symbol = base.tree.byName.get(name)
    if (symbol === undefined) throw new Error(name)
    return symbol
  }
})

describe('explain', () => {
  const tree = treeOf(text)
  const told = (config: string, name: string) => {
    const result = explain(configured(tree, config), name)
    if (!result.ok) throw new Error(result.error.message)
    return result.value
  }
  it('marks exactly the parts that hold a value back', () => {
    const { lost, prompts, value } = told('CONFIG_NET=y\nCONFIG_NETFILTER=y\nCONFIG_OWNER=y\n', 'OWNER')
    expect({ lost, value }).toEqual({ lost: 'y', value: 'n' })
    expect(prompts[0]?.parts.filter((part) => part.blocking).map((part) => part.text)).toEqual([
      'NETFILTER_ADVANCED [=n]',
    ])
  })
  it('names all that has to change, selects and modules among it', () => {
    const blocking = (config: string, name: string) => told(config, name).blocking.map(({ text }) => text)
    expect(blocking('CONFIG_NET=y\nCONFIG_OWNER=m\n', 'OWNER')).toEqual([
      'MODULES [=n]: without modules there is no m',
      'NETFILTER_ADVANCED [=n]',
    ])
    const all = 'CONFIG_NET=y\nCONFIG_NETFILTER=y\nCONFIG_NETFILTER_ADVANCED=y\nCONFIG_OWNER=y\n'
    expect(blocking(all, 'OWNER')).toEqual([])
    expect(blocking('CONFIG_FIRST=y\n', 'SECOND')).toEqual([])
  })
  it('tells who selects a symbol', () => {
    const config = 'CONFIG_NET=y\nCONFIG_NETFILTER=y\nCONFIG_NETFILTER_ADVANCED=y\nCONFIG_OWNER=y\n'
    const explanation = told(config, 'XTABLES')
    expect(explanation.source).toMatchObject({ type: 'selected', by: 'OWNER' })
    expect(explanationText(explanation)).toContain('cannot be set: it has no prompt')
  })
  it('tells what a symbol would open', () => {
    expect(told('', 'NET').wouldAllow).toContain('NETFILTER')
  })
})
