import type { Evidence } from './evidence.ts'
import type { KmodFinding } from './findings.ts'

/** An export, and who has it. */
export interface Export {
  readonly exporter: string
  readonly crc?: number
  readonly gplOnly: boolean
  readonly namespace?: string
}

/** What modules export that are loaded at some point. */
export interface Visible {
  add(module: Evidence): void
  find(symbol: string): Export | undefined
  duplicates(): readonly KmodFinding[]
}

export function createVisible(): Visible {
  const exported = new Map<string, Export>()
  const repeated = new Map<string, Set<string>>()
  return {
    add({ name, symbols }) {
      for (const { name: symbol, ...rest } of symbols.exports) {
        const known = exported.get(symbol)
        if (known === undefined) exported.set(symbol, { exporter: name, ...rest })
        else if (known.exporter !== name) {
          repeated.set(symbol, (repeated.get(symbol) ?? new Set([known.exporter])).add(name))
        }
      }
    },
    find: (symbol) => exported.get(symbol),
    duplicates: () =>
      [...repeated].map(([symbol, names]) => ({
        type: 'duplicate-export',
        severity: 'warning',
        symbol,
        exporters: [...names],
        message: `${symbol} is exported by ${[...names].join(' and ')}: the kernel refuses whichever comes second`,
      })),
  }
}
