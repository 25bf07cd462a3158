/**
 * Symbols with text (int, hex, string) as propositional logic. Only a handful of texts can make a difference: what
 * defaults give, the ends of ranges, what is asked for, and on either side of everything that the tree compares with.
 */
import { type Encoder, isLogical, promptsOf, type TextValue } from './encoder.ts'
import type { ComparisonExpr, Expr, Kconfig, KconfigSymbol, Property } from './model.ts'
import { compareValues, isValidText, parseNumber } from './numbers.ts'
import { FALSE, type Literal, not, TRUE } from './sat.ts'

export interface TextEncoder {
  compare(expr: ComparisonExpr): Literal
  hasText(symbol: KconfigSymbol, accepts: (text: string) => boolean): Literal
}

export function createTextEncoder(
  encoder: Encoder,
  wanted: ReadonlyMap<KconfigSymbol, readonly string[]>,
): TextEncoder {
  const { base, and, or, level } = encoder
  const { tree } = base
  const made = new Map<KconfigSymbol, readonly TextValue[]>()

  function valuesOf(symbol: KconfigSymbol): readonly TextValue[] {
    const before = made.get(symbol)
    if (before !== undefined) return before
    // Where a value comes back to itself, it sees nothing.
    made.set(symbol, [{ when: TRUE, text: '' }])
    const values = joined(makeValues(symbol))
    made.set(symbol, values)
    return values
  }
  function makeValues(symbol: KconfigSymbol): readonly TextValue[] {
    if (symbol.constant || symbol.type === 'unknown' || symbol.nodes.length === 0)
      return [{ when: TRUE, text: symbol.name ?? '' }]
    if (isLogical(symbol)) {
      const y = level(symbol, 2)
      const some = level(symbol, 1)
      return [
        { when: y, text: 'y' },
        { when: and([some, not(y)]), text: 'm' },
        { when: not(some), text: 'n' },
      ]
    }
    return clamped(symbol, [...userValues(symbol), ...defaultValues(symbol)])
  }
  /** Values with the same text as one; those that can never be left out. */
  function joined(values: readonly TextValue[]): readonly TextValue[] {
    const byText = new Map<string, Literal[]>()
    for (const { when, text } of values)
      if (when !== FALSE) byText.set(text, [...(byText.get(text) ?? []), when])
    return [...byText].map(([text, conditions]) => ({ when: or(conditions), text }))
  }

  const answeredOf = new Map<KconfigSymbol, Literal>()
  function userValues(symbol: KconfigSymbol): readonly TextValue[] {
    const prompts = promptsOf(symbol)
    if (prompts.length === 0) return []
    const visible = or(prompts.map(({ condition }) => encoder.expr(condition, 1)))
    const others = [...(comparedWith(tree).get(symbol) ?? [])].flatMap((other) => [
      ...valuesOf(other).map(({ text }) => text),
      base.text(other),
    ])
    const texts = candidates(symbol, wanted.get(symbol) ?? [], others).map((text) => ({
      when: encoder.solver.newVariable(),
      text,
    }))
    const { changed } = encoder.change(symbol, texts)
    encoder.clause(not(changed), ...texts.map(({ when }) => when))
    for (const [index, { when }] of texts.entries())
      for (const other of texts.slice(0, index)) encoder.clause(not(when), not(other.when))
    const given = base.userValue(symbol)?.text
    answeredOf.set(symbol, and([visible, given === undefined ? changed : TRUE]))
    return [
      ...texts.map(({ when, text }) => ({ when: and([visible, changed, when]), text })),
      ...(given === undefined ? [] : [{ when: and([visible, not(changed)]), text: given }]),
    ]
  }

  function defaultValues(symbol: KconfigSymbol): readonly TextValue[] {
    const silent = not(answeredOf.get(symbol) ?? FALSE)
    const defaults = symbol.properties.filter((property) => property.kind === 'default')
    const empty = base.tree.dialect.numbersStartAtZero
      ? symbol.type === 'hex'
        ? '0x0'
        : symbol.type === 'int'
          ? '0'
          : ''
      : ''
    const first = encoder.firstMatches([...defaults.map(({ condition }) => encoder.expr(condition, 1)), TRUE])
    return first.flatMap((matches, index): readonly TextValue[] => {
      const when = and([silent, matches])
      const value = defaults[index]?.value
      if (value?.kind !== 'symbol') return [{ when, text: empty }]
      return plainValues(value.symbol).map((each) => ({ when: and([when, each.when]), text: each.text }))
    })
  }
  /** What a symbol gives as the default of another or the end of a range: that of a logical one is always "n". */
  function plainValues(symbol: KconfigSymbol): readonly TextValue[] {
    if (isLogical(symbol)) return [{ when: TRUE, text: symbol.constant ? (symbol.name ?? '') : 'n' }]
    return valuesOf(symbol)
  }

  function clamped(symbol: KconfigSymbol, values: readonly TextValue[]): readonly TextValue[] {
    const ranges = symbol.properties.filter((property) => property.kind === 'range')
    if (ranges.length === 0 || symbol.type === 'string') return values
    const radix = symbol.type === 'hex' ? 16 : 10
    const first = encoder.firstMatches([...ranges.map(({ condition }) => encoder.expr(condition, 1)), TRUE])
    return joined(values).flatMap(({ when, text }) =>
      first.flatMap((matches, index): readonly TextValue[] => {
        const active = and([when, matches])
        const range = ranges[index]
        if (range?.low === undefined || range.high === undefined) return [{ when: active, text }]
        return withinRange(range, text, radix).map((each) => ({
          when: and([active, each.when]),
          text: each.text,
        }))
      }),
    )
  }
  function withinRange({ low, high }: Property, text: string, radix: 10 | 16): readonly TextValue[] {
    if (low === undefined || high === undefined) return []
    const { value } = parseNumber(text, radix)
    return plainValues(low).flatMap((lowest) =>
      plainValues(high).map((highest) => ({
        when: and([lowest.when, highest.when]),
        text:
          value < parseNumber(lowest.text, radix).value
            ? lowest.text
            : value > parseNumber(highest.text, radix).value
              ? highest.text
              : text,
      })),
    )
  }

  return {
    compare(expr) {
      const { left, right, kind } = expr
      // The common cases: a logical symbol against y, m or n.
      if (
        isLogical(left) &&
        !left.constant &&
        (kind === '=' || kind === '!=') &&
        isLogical(right) &&
        right.constant
      ) {
        const equal =
          right.name === 'y'
            ? level(left, 2)
            : right.name === 'm'
              ? and([level(left, 1), not(level(left, 2))])
              : not(level(left, 1))
        return kind === '=' ? equal : not(equal)
      }
      const matching: Literal[] = []
      for (const a of valuesOf(left))
        for (const b of valuesOf(right)) {
          const order = compareValues(a.text, left.type, b.text, right.type)
          const holds =
            kind === '='
              ? order === 0
              : kind === '!='
                ? order !== 0
                : kind === '<'
                  ? order < 0
                  : kind === '<='
                    ? order <= 0
                    : kind === '>'
                      ? order > 0
                      : order >= 0
          if (holds) matching.push(and([a.when, b.when]))
        }
      return or(matching)
    },
    hasText: (symbol, accepts) =>
      or(valuesOf(symbol).flatMap(({ when, text }) => (accepts(text) ? [when] : []))),
  }
}

/** Texts that are worth giving a symbol: what is wanted, and values on either side of all that it is compared with. */
function candidates(
  symbol: KconfigSymbol,
  wanted: readonly string[],
  others: readonly string[],
): readonly string[] {
  const texts = new Set(wanted)
  for (const other of others) {
    if (symbol.type === 'string') {
      texts.add(other)
      texts.add(`${other}x`)
      continue
    }
    const hex = symbol.type === 'hex'
    const { value } = parseNumber(other, hex ? 16 : 10)
    for (const near of [value - 1n, value, value + 1n])
      texts.add(hex ? `0x${near.toString(16)}` : near.toString())
  }
  return [...texts].filter((text) => isValidText(symbol.type, text))
}

const compared = new WeakMap<Kconfig, ReadonlyMap<KconfigSymbol, ReadonlySet<KconfigSymbol>>>()

/** For each symbol what some expression of the tree compares it with. A tree never changes. */
function comparedWith(tree: Kconfig): ReadonlyMap<KconfigSymbol, ReadonlySet<KconfigSymbol>> {
  const before = compared.get(tree)
  if (before !== undefined) return before
  const found = new Map<KconfigSymbol, Set<KconfigSymbol>>()
  const note = (symbol: KconfigSymbol, other: KconfigSymbol): void => {
    if (isLogical(symbol) || symbol.nodes.length === 0) return
    const others = found.get(symbol)
    if (others === undefined) found.set(symbol, new Set([other]))
    else others.add(other)
  }
  const seen = new Uint8Array(tree.expressionCount)
  const visit = (expr: Expr | undefined): void => {
    if (expr === undefined || seen[expr.id] === 1) return
    seen[expr.id] = 1
    switch (expr.kind) {
      case 'symbol':
        break
      case 'not':
        visit(expr.operand)
        break
      case 'and':
      case 'or':
        visit(expr.left)
        visit(expr.right)
        break
      default:
        note(expr.left, expr.right)
        note(expr.right, expr.left)
    }
  }
  for (const symbol of tree.symbols) {
    visit(symbol.directDependency)
    for (const property of symbol.properties) {
      visit(property.condition)
      visit(property.value)
    }
  }
  compared.set(tree, found)
  return found
}
