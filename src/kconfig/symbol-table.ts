/**
 * Symbols by name, and the order in which the kernel's own tool walks them: through the buckets of a hash table, the
 * newest symbol of a bucket first. randconfig deals out its random numbers in that order (before 6.12), and warnings
 * come in it.
 */
import { createSymbol, type DraftSymbol } from './draft.ts'

export interface SymbolTable {
  readonly symbols: DraftSymbol[]
  readonly byName: Map<string, DraftSymbol>
  readonly n: DraftSymbol
  readonly m: DraftSymbol
  readonly y: DraftSymbol
  /** The symbol that a bare word names. */
  named(name: string): DraftSymbol
  /** The constant that a quoted text is. */
  constant(text: string): DraftSymbol
  /** A choice; those with a name are the same choice wherever that name is used. */
  choice(name: string | undefined): DraftSymbol
}

/** 32 bit FNV-1a over signed bytes. */
function hashOf(name: string): number {
  let hash = 2166136261
  for (let i = 0; i < name.length; i++) {
    const byte = (name.charCodeAt(i) << 24) >> 24
    hash = Math.imul(hash ^ byte, 0x01000193)
  }
  return hash >>> 0
}

export function createSymbolTable(): SymbolTable {
  const symbols: DraftSymbol[] = []
  const byName = new Map<string, DraftSymbol>()
  const constants = new Map<string, DraftSymbol>()
  const choices = new Map<string, DraftSymbol>()
  const add = (symbol: DraftSymbol): DraftSymbol => {
    symbols.push(symbol)
    return symbol
  }
  const tristateConstant = (name: string): DraftSymbol => {
    const symbol = add(createSymbol(symbols.length, name, { constant: true, type: 'tristate' }))
    constants.set(name, symbol)
    return symbol
  }
  const n = tristateConstant('n')
  const m = tristateConstant('m')
  const y = tristateConstant('y')
  // y, m and n are constants however they are written.
  const special = (name: string): DraftSymbol | undefined =>
    name === 'y' ? y : name === 'm' ? m : name === 'n' ? n : undefined

  return {
    symbols,
    byName,
    n,
    m,
    y,
    named(name) {
      const known = byName.get(name)
      if (known !== undefined) return known
      const constant = special(name)
      if (constant !== undefined) return constant
      const symbol = add(createSymbol(symbols.length, name))
      byName.set(name, symbol)
      return symbol
    },
    constant(text) {
      const known = constants.get(text)
      if (known !== undefined) return known
      const symbol = add(createSymbol(symbols.length, text, { constant: true }))
      constants.set(text, symbol)
      return symbol
    },
    choice(name) {
      const known = name === undefined ? undefined : choices.get(name)
      if (known !== undefined) return known
      const symbol = add(createSymbol(symbols.length, name, { isChoice: true }))
      if (name !== undefined) choices.set(name, symbol)
      return symbol
    },
  }
}

export function walkOrder<S extends DraftSymbol>(symbols: readonly S[], buckets: number): S[] {
  // The chains of the table as linked lists over positions in `symbols`, the newest first. Position 0 ends a chain: the
  // first three symbols, the tristate constants, are not in the table.
  const first = new Int32Array(buckets)
  const older = new Int32Array(symbols.length)
  for (const symbol of symbols) {
    if (symbol.index < 3) continue
    // What has no name is in the first bucket.
    const bucket = symbol.name === undefined ? 0 : hashOf(symbol.name) % buckets
    older[symbol.index] = first[bucket] ?? 0
    first[bucket] = symbol.index
  }
  const order: S[] = []
  for (let bucket = 0; bucket < buckets; bucket++)
    for (let index = first[bucket] ?? 0; index > 0; index = older[index] ?? 0) {
      const symbol = symbols[index]
      if (symbol !== undefined) order.push(symbol)
    }
  return order
}
