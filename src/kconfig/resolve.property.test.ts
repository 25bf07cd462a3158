/** `resolve` against trying out everything a user could say, on random trees small enough for that. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Dialect, linux61, linux612 } from './dialect.ts'
import { claimHolds } from './facts.ts'
import type { Kconfig, KconfigSymbol, Tristate } from './model.ts'
import { createResolver, stepText } from './resolve.ts'
import { configured, readTree } from './test-tree.ts'
import { applied, createTrials, type Decision, unmetSymbols } from './trial.ts'

const COUNT = 6

interface Entry {
  readonly type: 'bool' | 'tristate'
  readonly prompt: boolean
  readonly promptIf: string
  readonly depends: string
  readonly defaults: readonly string[]
  readonly selects: readonly string[]
  readonly implies: readonly string[]
}

/** An expression over the entries before this one; empty means none. */
const expression = (before: number): fc.Arbitrary<string> => {
  if (before === 0) return fc.constantFrom('', 'MODULES')
  const name = fc.integer({ min: 0, max: before - 1 }).map((i) => `S${i}`)
  const leaf = fc.oneof(
    { weight: 6, arbitrary: name },
    { weight: 3, arbitrary: name.map((each) => `!${each}`) },
    { weight: 1, arbitrary: fc.tuple(name, fc.constantFrom('y', 'm', 'n')).map(([a, b]) => `${a}=${b}`) },
    { weight: 1, arbitrary: fc.constantFrom('m', 'UNDEFINED') },
  )
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant('') },
    { weight: 4, arbitrary: leaf },
    { weight: 2, arbitrary: fc.tuple(leaf, leaf).map(([a, b]) => `${a} && ${b}`) },
    { weight: 2, arbitrary: fc.tuple(leaf, leaf).map(([a, b]) => `(${a} || ${b})`) },
  )
}
const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(arbitrary, { maxLength: 1 })
const conditional = (value: string, condition: string): string =>
  condition === '' ? value : `${value} if ${condition}`

const entry = (index: number): fc.Arbitrary<Entry> => {
  const after = fc.integer({ min: Math.min(index + 1, COUNT - 1), max: COUNT - 1 })
  const target = fc.tuple(after, expression(index)).map(([to, condition]) => conditional(`S${to}`, condition))
  const targets = index + 1 < COUNT ? rarely(target) : fc.constant([])
  return fc.record({
    type: fc.constantFrom('bool', 'tristate'),
    prompt: fc.boolean().map((drawn) => drawn || index === 0),
    promptIf: fc.oneof(
      { weight: 3, arbitrary: fc.constant('') },
      { weight: 1, arbitrary: expression(index) },
    ),
    depends: expression(index),
    defaults: rarely(
      fc
        .tuple(fc.constantFrom('y', 'm', 'n', ...(index > 0 ? ['S0'] : [])), expression(index))
        .map(([value, condition]) => conditional(value, condition)),
    ),
    selects: targets,
    implies: targets,
  })
}

const textOf = (
  entries: readonly Entry[],
  choiceFrom: number | undefined,
  optional: boolean,
  dialect: Dialect,
): string => {
  const lines = ['config MODULES', '\tbool "modules"', '\tmodules']
  entries.forEach((each, index) => {
    const member = choiceFrom !== undefined && index >= choiceFrom && index < choiceFrom + 2
    if (index === choiceFrom) {
      lines.push('choice', `\tprompt "one of"`)
      if (optional) lines.push('\toptional')
      if (each.depends !== '') lines.push(`\tdepends on ${each.depends}`)
    }
    lines.push(`config S${index}`)
    // Choices of tristates are gone from newer trees.
    const type = member && dialect.choices === 'bool' ? 'bool' : each.type
    lines.push(
      each.prompt || member ? `\t${type} "prompt ${index}"${conditional('', each.promptIf)}` : `\t${type}`,
    )
    if (each.depends !== '' && !member) lines.push(`\tdepends on ${each.depends}`)
    if (!member) {
      for (const value of each.defaults) lines.push(`\tdefault ${value}`)
      for (const target of each.selects) lines.push(`\tselect ${target}`)
      for (const target of each.implies) lines.push(`\timply ${target}`)
    }
    if (choiceFrom !== undefined && index === choiceFrom + 1) lines.push('endchoice')
  })
  return `${lines.join('\n')}\n`
}

const cases = fc.record({
  entries: fc.tuple(...Array.from({ length: COUNT }, (_, index) => entry(index))),
  choiceFrom: fc.oneof(
    { weight: 2, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: COUNT - 2 }) },
  ),
  optional: fc.boolean(),
  config: fc.array(fc.constantFrom('', 'n', 'm', 'y'), { minLength: COUNT + 1, maxLength: COUNT + 1 }),
  request: fc.tuple(fc.integer({ min: 0, max: COUNT - 1 }), fc.constantFrom('n', 'm', 'y')),
})

const names = ['MODULES', ...Array.from({ length: COUNT }, (_, index) => `S${index}`)]
const configText = (config: readonly string[]): string =>
  names
    .flatMap((name, index) => {
      const value = config[index] ?? ''
      return value === ''
        ? []
        : [value === 'n' ? `# CONFIG_${name} is not set\n` : `CONFIG_${name}=${value}\n`]
    })
    .join('')

/** Every set of assignments, for symbols with prompts. */
function* everything(tree: Kconfig): Generator<Decision[]> {
  const free = names
    .map((name) => tree.byName.get(name))
    .filter(
      (symbol): symbol is KconfigSymbol =>
        symbol?.properties.some((property) => property.text !== undefined) === true,
    )
  const total = 4 ** free.length
  for (let code = 0; code < total; code++) {
    const decisions: Decision[] = []
    let picks = 0
    free.forEach((symbol, index) => {
      const drawn = (code >> (2 * index)) & 3
      if (drawn === 0) return
      const value = (drawn - 1) as Tristate
      if (symbol.type === 'bool' && value === 1) picks = 2
      if (symbol.choice !== undefined && value === 2) picks++
      if (symbol.choice !== undefined && value === 0 && tree.dialect.choices === 'bool') picks = 2
      decisions.push({ symbol, value, text: undefined })
    })
    // One answer to a choice; a bool is never m.
    if (picks < 2) yield decisions
  }
}

for (const dialect of [linux61, linux612])
  describe(`resolve, in the dialect of ${dialect.name}, on random trees`, () => {
    it('finds a way exactly where there is one, with the fewest symbols, and refuses with facts that are true', () => {
      let granted = 0
      let refused = 0
      fc.assert(
        fc.property(cases, ({ entries, choiceFrom, optional, config, request: [wanted, value] }) => {
          const text = textOf(entries, choiceFrom, optional && dialect === linux61, dialect)
          const read = readTree(text, dialect)
          fc.pre(read.ok)
          if (!read.ok) return
          const tree = read.value
          const base = configured(tree, configText(config))
          const symbol = tree.byName.get(`S${wanted}`)
          if (symbol === undefined || (symbol.type === 'bool' && value === 'm')) return
          const before = unmetSymbols(base)
          const result = createResolver(base)([{ name: `S${wanted}`, value }])
          if (!result.ok) expect(result.error.type).toBe('impossible')

          let fewest = Number.POSITIVE_INFINITY
          const works = (decisions: readonly Decision[]): boolean => {
            const configuration = applied(base, decisions)
            return (
              configuration.text(symbol) === value &&
              [...unmetSymbols(configuration)].every((each) => before.has(each))
            )
          }
          for (const decisions of everything(tree)) {
            const configuration = applied(base, decisions)
            const clean = [...unmetSymbols(configuration)].every((each) => before.has(each))
            if (clean && configuration.text(symbol) === value)
              fewest = Math.min(fewest, decisions.filter((each) => each.symbol !== symbol).length)
            if (!result.ok && result.error.type === 'impossible' && clean)
              for (const step of result.error.steps)
                if (step.claim !== undefined && !claimHolds(configuration, step.claim))
                  throw new Error(`untrue: ${stepText(step)}\n${text}`)
          }
          if (!result.ok) {
            refused++
            if (fewest !== Number.POSITIVE_INFINITY)
              throw new Error(`refused: ${result.error.message}\n${text}`)
            return
          }
          granted++
          const letters = { n: 0, m: 1, y: 2 } as const
          const answer = result.value.assignments.map((each): Decision => {
            const of = tree.byName.get(each.name)
            if (of === undefined) throw new Error(each.name)
            return { symbol: of, value: letters[each.value as 'n' | 'm' | 'y'], text: undefined }
          })
          const told = `${text}${configText(config)}${answer.map((d) => `${d.symbol.name}=${d.value}`).join(' ')}`
          if (!works(answer)) throw new Error(`does not work:\n${told}`)
          for (const each of answer)
            if (works(answer.filter((other) => other !== each)))
              throw new Error(`not needed: ${each.symbol.name}\n${told}`)
          const added = answer.filter((each) => each.symbol !== symbol).length
          if (result.value.fewest ? added !== fewest : added < fewest)
            throw new Error(`${fewest} would do:\n${told}`)
          expect(result.value.fewest).toBe(true)
        }),
        { numRuns: Number(process.env.RESOLVE_RUNS ?? 60) },
      )
      expect(granted).toBeGreaterThan(5)
      expect(refused).toBeGreaterThan(5)
    })

    it('tries assignments out with the same outcome as calculating everything anew', () => {
      fc.assert(
        fc.property(cases, fc.nat(), ({ entries, choiceFrom, optional, config }, seed) => {
          const read = readTree(
            textOf(entries, choiceFrom, optional && dialect === linux61, dialect),
            dialect,
          )
          fc.pre(read.ok)
          if (!read.ok) return
          const base = configured(read.value, configText(config))
          const tryOut = createTrials(base)
          const all = [...everything(read.value)]
          for (let n = 0; n < 20; n++) {
            const decisions = all[(seed + n * 7919) % all.length] ?? []
            const trial = tryOut(decisions)
            const anew = applied(base, decisions)
            const before = unmetSymbols(base)
            for (const symbol of read.value.symbols)
              expect(trial.configuration.text(symbol)).toBe(anew.text(symbol))
            const unmet = [...unmetSymbols(anew)].filter((symbol) => !before.has(symbol))
            expect(new Set(unmet)).toEqual(trial.unmet)
          }
        }),
        { numRuns: 100 },
      )
    })
  })
