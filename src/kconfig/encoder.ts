/** What the parts of the encoding (symbols, choices, texts) share; see encoding.ts. */
import type { Configuration } from './configuration.ts'
import type { Fact } from './facts.ts'
import type { Expr, KconfigSymbol, Location, Property } from './model.ts'
import type { Literal, Solver } from './sat.ts'

export type Level = 1 | 2

/** One of the texts that a symbol can have, and when it does. */
export interface TextValue {
  readonly when: Literal
  readonly text: string
}

/** What the user could say about one symbol. */
export interface Change {
  readonly symbol: KconfigSymbol
  readonly changed: Literal
  /** the new value: at least m, and y; meaningless for text */
  readonly atLeast: (level: Level) => Literal
  /** of int, hex and string: exactly one of these is true */
  readonly texts: readonly TextValue[]
}

/** What the parts of the encoder (choices, texts) need of each other. */
export interface Encoder {
  readonly base: Configuration
  readonly solver: Solver
  level(symbol: KconfigSymbol, level: Level): Literal
  expr(expr: Expr | undefined, level: Level): Literal
  and(literals: readonly Literal[]): Literal
  or(literals: readonly Literal[]): Literal
  clause(...literals: Literal[]): void
  /** Both are true or both are false. */
  same(a: Literal, b: Literal): void
  /** clauses that are there because of one fact */
  fact(make: () => Fact, ...clauses: (readonly Literal[])[]): void
  /** the same for one that takes more than a line to tell */
  longFact(make: () => Fact, ...clauses: (readonly Literal[])[]): void
  /** the conditions under which each item is the first of the list to match */
  firstMatches(conditions: readonly Literal[]): readonly Literal[]
  change(symbol: KconfigSymbol, texts?: readonly TextValue[]): Change
  /** Each operand of the condition is needed by the symbol at that level. */
  needs(symbol: KconfigSymbol, level: Level, condition: Expr | undefined): void
  /** Literals for "at least m" and "y" of the user's value, and whether there is one. */
  user(symbol: KconfigSymbol): { readonly has: Literal; readonly atLeast: (level: Level) => Literal }
}

export const placeOf = (place: Location | undefined): Location | undefined =>
  place === undefined ? undefined : { file: place.file, line: place.line }

export const isLogical = (symbol: KconfigSymbol): boolean =>
  symbol.type === 'bool' || symbol.type === 'tristate'
export const levelsOf = (symbol: KconfigSymbol): readonly Level[] =>
  symbol.type === 'tristate' ? [1, 2] : [1]
export const promptsOf = (symbol: KconfigSymbol): readonly Property[] =>
  symbol.properties.filter((property) => property.text !== undefined)
