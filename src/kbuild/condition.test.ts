import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alternativesOf, alternativeText } from './alternatives.ts'
import { type Condition, type Conditions, createConditions, holds, symbolsOf } from './condition.ts'
import { configsOf } from './test/make.ts'

const symbols = ['A', 'B', 'C']
const configs = configsOf(symbols)

type Formula =
  | { readonly is: readonly [string, 'n' | 'm' | 'y'] }
  | { readonly and: readonly Formula[] }
  | { readonly or: readonly Formula[] }
  | { readonly not: Formula }

const formulas: fc.Arbitrary<Formula> = fc.letrec<{ formula: Formula }>((tie) => ({
  formula: fc.oneof(
    { depthSize: 'medium' },
    fc.record({ is: fc.tuple(fc.constantFrom(...symbols), fc.constantFrom('n', 'm', 'y')) }),
    fc.record({ and: fc.array(tie('formula'), { maxLength: 3 }) }),
    fc.record({ or: fc.array(tie('formula'), { maxLength: 3 }) }),
    fc.record({ not: tie('formula') }),
  ),
})).formula

function build(conditions: Conditions, formula: Formula): Condition {
  if ('is' in formula) return conditions.is(...formula.is)
  if ('not' in formula) return conditions.not(build(conditions, formula.not))
  if ('and' in formula)
    return formula.and.reduce((all, each) => conditions.and(all, build(conditions, each)), conditions.TRUE)
  return formula.or.reduce((any, each) => conditions.or(any, build(conditions, each)), conditions.FALSE)
}

function truth(formula: Formula, config: Readonly<Record<string, string>>): boolean {
  if ('is' in formula) return config[formula.is[0]] === formula.is[1]
  if ('not' in formula) return !truth(formula.not, config)
  if ('and' in formula) return formula.and.every((each) => truth(each, config))
  return formula.or.some((each) => truth(each, config))
}

describe('conditions', () => {
  it('hold just where the formula they were made of does', () => {
    fc.assert(
      fc.property(formulas, (formula) => {
        const condition = build(createConditions(), formula)
        for (const config of configs)
          expect(holds(condition, (symbol) => config[symbol] ?? 'n')).toBe(truth(formula, config))
      }),
    )
  })
  it('are the same object when they mean the same', () => {
    fc.assert(
      fc.property(formulas, formulas, (a, b) => {
        const conditions = createConditions()
        const same = configs.every((config) => truth(a, config) === truth(b, config))
        expect(build(conditions, a) === build(conditions, b)).toBe(same)
      }),
    )
  })
  it('never have a bool symbol at m', () => {
    const conditions = createConditions((symbol) => symbol === 'A')
    expect(conditions.is('A', 'm')).toBe(conditions.FALSE)
    expect(conditions.not(conditions.is('A', 'n'))).toBe(conditions.is('A', 'y'))
  })
  it('name the symbols that they look at', () => {
    const conditions = createConditions()
    expect(symbolsOf(conditions.and(conditions.is('B', 'y'), conditions.is('A', 'm')))).toEqual(['A', 'B'])
  })
})

describe('alternatives', () => {
  it('say what the condition says, and no alternative could be left out', () => {
    fc.assert(
      fc.property(formulas, (formula) => {
        const conditions = createConditions()
        const alternatives = alternativesOf(conditions, build(conditions, formula))
        const covers = (config: Readonly<Record<string, string>>, without?: number): boolean =>
          (alternatives ?? []).some(
            (alternative, index) =>
              index !== without &&
              alternative.every(({ symbol, values }) => values.some((value) => value === config[symbol])),
          )
        for (const config of configs) expect(covers(config)).toBe(truth(formula, config))
        for (const index of (alternatives ?? []).keys())
          expect(configs.some((config) => covers(config) && !covers(config, index))).toBe(true)
      }),
    )
  })
  it('read as demands on symbols', () => {
    const conditions = createConditions()
    const { is, and, not } = conditions
    const texts = (condition: Condition) => alternativesOf(conditions, condition)?.map(alternativeText)
    expect(texts(and(is('E1000E', 'm'), not(is('NET_VENDOR_INTEL', 'n'))))).toEqual([
      'E1000E=m && NET_VENDOR_INTEL=y|m',
    ])
    expect(texts(not(is('MODULES', 'y')))).toEqual(['MODULES!=y'])
    expect(texts(conditions.TRUE)).toEqual(['always'])
    expect(texts(conditions.FALSE)).toEqual([])
  })
})
