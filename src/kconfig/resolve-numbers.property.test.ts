/** `resolve` with int symbols against trying out everything: defaults, ranges, comparisons. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { linux61, linux612 } from './dialect.ts'
import { claimHolds } from './facts.ts'
import type { KconfigSymbol } from './model.ts'
import { createResolver } from './resolve.ts'
import { configured, readTree } from './test-tree.ts'
import { applied, type Decision } from './trial.ts'

const flag = fc.constantFrom('A', '!A', 'B', '')
const number = fc.integer({ min: 0, max: 9 }).map(String)
const conditional = ([value, condition]: readonly [string, string]): string =>
  condition === '' ? value : `${value} if ${condition}`
const bounds = fc.tuple(number, number).map((pair) => pair.sort().join(' '))
const comparison = fc
  .tuple(fc.constantFrom('N', 'P'), fc.constantFrom('=', '!=', '<', '<=', '>', '>='), number)
  .map(([name, operator, value]) => `${name} ${operator} ${value}`)

const cases = fc.record({
  prompt: fc.boolean(),
  promptIf: flag,
  defaults: fc.array(fc.tuple(number, flag).map(conditional), { maxLength: 2 }),
  range: fc.array(fc.tuple(bounds, flag).map(conditional), { maxLength: 1 }),
  depends: fc.array(fc.oneof(comparison, fc.constantFrom('A', '!A', 'N = P')), {
    minLength: 1,
    maxLength: 3,
  }),
  config: fc.tuple(
    fc.constantFrom('', '# CONFIG_A is not set\n', 'CONFIG_A=y\n'),
    fc.constantFrom('', 'CONFIG_N=3\n', 'CONFIG_N=8\n'),
  ),
  request: fc.tuple(fc.constantFrom('S', 'N'), number),
})

for (const dialect of [linux61, linux612])
  it(`finds numbers that make a wish come true, or proves that there are none (${dialect.name})`, () => {
    fc.assert(
      fc.property(cases, ({ prompt, promptIf, defaults, range, depends, config, request: [name, drawn] }) => {
        const text = [
          'config A\n\tbool "a"\nconfig B\n\tbool "b"\n\tdepends on A',
          'config P\n\tint\n\tdefault 4 if B\n\tdefault 6',
          `config N\n\tint${prompt ? conditional([' "n"', promptIf]) : ''}`,
          ...defaults.map((each) => `\tdefault ${each}`),
          ...range.map((each) => `\trange ${each}`),
          'config S\n\tbool "s"',
          ...depends.map((each) => `\tdepends on ${each}`),
          '',
        ].join('\n')
        const read = readTree(text, dialect)
        fc.pre(read.ok)
        if (!read.ok) return
        const base = configured(read.value, config.join(''))
        const of = (wanted: string): KconfigSymbol => {
          const symbol = read.value.byName.get(wanted)
          if (symbol === undefined) throw new Error(wanted)
          return symbol
        }
        const value = name === 'S' ? 'y' : drawn
        const result = createResolver(base)([{ name, value }])
        const steps = result.ok || result.error.type !== 'impossible' ? [] : result.error.steps
        let fewest = Number.POSITIVE_INFINITY
        const numbers = prompt
          ? [undefined, ...Array.from({ length: 12 }, (_, i) => String(i - 1))]
          : [undefined]
        for (let code = 0; code < 27; code++)
          for (const given of numbers) {
            const flags = ['A', 'B', 'S'].flatMap((each, index): Decision[] => {
              const set = Math.floor(code / 3 ** index) % 3
              return set === 0 ? [] : [{ symbol: of(each), value: set === 1 ? 0 : 2, text: undefined }]
            })
            const decisions: Decision[] =
              given === undefined ? flags : [...flags, { symbol: of('N'), value: 0, text: given }]
            const configuration = applied(base, decisions)
            for (const { claim, text: said } of steps)
              if (claim !== undefined && !claimHolds(configuration, claim)) throw new Error(`untrue: ${said}`)
            if (configuration.text(of(name)) === value)
              fewest = Math.min(fewest, decisions.filter(({ symbol }) => symbol !== of(name)).length)
          }
        expect(result.ok ? 'granted' : result.error.type).toBe(
          fewest === Number.POSITIVE_INFINITY ? 'impossible' : 'granted',
        )
        if (!result.ok) return
        const { configuration, assignments } = result.value
        expect(configuration.text(of(name))).toBe(value)
        expect(assignments.filter((each) => each.name !== name).length).toBe(fewest)
      }),
      { numRuns: Number(process.env.RESOLVE_RUNS ?? 100) },
    )
  })
