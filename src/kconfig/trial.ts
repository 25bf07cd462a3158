/**
 * Trying assignments out on a configuration, quickly: only what can have changed is calculated anew, by the evaluator
 * itself. Starting with what is assigned, the symbols that look at a changed one are calculated again, until nothing
 * changes any more.
 */
import type { Configuration } from './configuration.ts'
import { isLogical } from './encoder.ts'
import { symbolsIn } from './facts.ts'
import type { Expr, Kconfig, KconfigSymbol, Tristate } from './model.ts'
import { NO, YES } from './model.ts'

/** A value for one symbol; `text` for int, hex and string. */
export interface Decision {
  readonly symbol: KconfigSymbol
  readonly value: Tristate
  readonly text: string | undefined
}

export interface Trial {
  /** for values; what is visible, or could be set, may not be up to date in it */
  readonly configuration: Configuration
  /** symbols that are now selected against their direct dependencies, and were not in the base */
  readonly unmet: ReadonlySet<KconfigSymbol>
  /** symbols whose value differs from that in the base */
  readonly changed: ReadonlySet<KconfigSymbol>
}

const isUnmet = (configuration: Configuration, symbol: KconfigSymbol): boolean =>
  symbol.selectedBy.length > 0 &&
  symbol.choice === undefined &&
  isLogical(symbol) &&
  configuration.directDependency(symbol) < configuration.selected(symbol)

/** Symbols that something selects against their direct dependencies. */
export function unmetSymbols(configuration: Configuration): ReadonlySet<KconfigSymbol> {
  return new Set(configuration.tree.symbols.filter((symbol) => isUnmet(configuration, symbol)))
}

/** Writes assignments into a configuration, as reading them from a file after everything else would. */
function assign(configuration: Configuration, base: Configuration, decisions: Iterable<Decision>): void {
  const { raw, tree } = configuration
  // Reading a file makes every choice one that the user has answered (CHOICE-BECOMES-NEW, configuration.ts).
  if (tree.dialect.choices === 'tristate')
    for (const symbol of tree.symbols) if (symbol.isChoice) raw.markAsUser(symbol)
  const choices = new Set<KconfigSymbol>()
  const decided = new Set<KconfigSymbol>()
  for (const { symbol, value, text } of decisions) {
    decided.add(symbol)
    if (text !== undefined) {
      raw.setText(symbol, text)
      continue
    }
    raw.setTristate(symbol, value)
    if (symbol.choice === undefined) continue
    if (tree.dialect.choices === 'bool') raw.prefer(symbol)
    else choices.add(symbol.choice)
  }
  for (const choice of choices) {
    const isYes = (member: KconfigSymbol): boolean => configuration.userValue(member)?.tristate === YES
    const anew = choice.members.find((member) => isYes(member) && decided.has(member))
    const current = base.chosen(choice)
    const before =
      current !== undefined && isYes(current) ? current : [...choice.members].reverse().find(isYes)
    raw.pick(choice, anew ?? before)
    const given = choice.members.map((member) => configuration.userValue(member)?.tristate ?? NO)
    raw.storeTristate(choice, Math.max(...given) as Tristate)
  }
}

/** The base with the assignments in it, calculated anew from the ground. */
export function applied(base: Configuration, decisions: Iterable<Decision>): Configuration {
  const configuration = base.copy()
  assign(configuration, base, decisions)
  configuration.invalidate()
  return configuration
}

export function createTrials(base: Configuration): (decisions: readonly Decision[]) => Trial {
  const { tree } = base
  const dependents = dependentsOf(tree)
  // Everything has to be calculated once, so that forks need not.
  const unmetBefore = unmetSymbols(base)
  const before = tree.symbols.map((symbol) => base.text(symbol))
  const queued = new Uint8Array(tree.symbols.length)
  // What is n and can only be lifted by the user need not be looked at, unless the user does: nearly every driver.
  const inert = new Uint8Array(tree.symbols.length)
  for (const symbol of tree.symbols)
    if (onlyUserLifts(symbol) && (base.userValue(symbol)?.tristate ?? NO) === NO) inert[symbol.index] = 1

  return (decisions) => {
    const configuration = base.fork()
    const { raw } = configuration
    assign(configuration, base, decisions)
    const unmet = new Set<KconfigSymbol>()
    const changed = new Set<KconfigSymbol>()
    const last = new Map<KconfigSymbol, string>()
    const queue = createQueue(dependents.rank)
    const decided = new Set<KconfigSymbol>()
    for (const { symbol } of decisions) decided.add(symbol)
    const push = (symbol: KconfigSymbol): void => {
      const group = symbol.choice ?? symbol
      if (queued[group.index] === 1 || (inert[group.index] === 1 && !decided.has(group))) return
      queued[group.index] = 1
      queue.push(group)
    }
    for (const { symbol } of decisions) push(symbol)
    for (;;) {
      const group = queue.pop()
      if (group === undefined) break
      queued[group.index] = 0
      raw.forgetValue(group)
      for (const member of group.members) raw.forgetValue(member)
      for (const symbol of group.members.length === 0 ? [group] : [group, ...group.members]) {
        const value = configuration.text(symbol)
        if (isUnmet(configuration, symbol)) {
          if (!unmetBefore.has(symbol)) unmet.add(symbol)
        } else unmet.delete(symbol)
        if (value === (last.get(symbol) ?? before[symbol.index])) continue
        last.set(symbol, value)
        if (value === before[symbol.index]) changed.delete(symbol)
        else changed.add(symbol)
        for (const dependent of dependents.of(symbol)) if (dependent.choice !== group) push(dependent)
        if (symbol !== tree.modules) continue
        // Without modules m becomes y; what is n stays n.
        for (const other of dependents.tristates)
          if (other.isChoice || configuration.tristate(other) !== NO) push(other)
      }
    }
    return { configuration, unmet, changed }
  }
}

const onlyUserLifts = (symbol: KconfigSymbol): boolean =>
  isLogical(symbol) &&
  !symbol.isChoice &&
  symbol.choice === undefined &&
  symbol.selectedBy.length === 0 &&
  symbol.impliedBy.length === 0 &&
  symbol.properties.every((property) => property.kind !== 'default')

interface Queue {
  push(symbol: KconfigSymbol): void
  /** the symbol of lowest rank */
  pop(): KconfigSymbol | undefined
}

function createQueue(rank: Int32Array): Queue {
  const heap: KconfigSymbol[] = []
  const rankOf = (symbol: KconfigSymbol | undefined): number =>
    symbol === undefined ? Number.POSITIVE_INFINITY : (rank[symbol.index] ?? 0)
  return {
    push(symbol) {
      let place = heap.length
      heap.push(symbol)
      while (place > 0) {
        const parent = (place - 1) >> 1
        const other = heap[parent]
        if (other === undefined || rankOf(other) <= rankOf(symbol)) break
        heap[place] = other
        place = parent
      }
      heap[place] = symbol
    },
    pop() {
      const top = heap[0]
      const last = heap.pop()
      if (last === undefined || heap.length === 0) return top
      let place = 0
      for (;;) {
        let child = place * 2 + 1
        if (child >= heap.length) break
        if (rankOf(heap[child + 1]) < rankOf(heap[child])) child++
        const other = heap[child]
        if (other === undefined || rankOf(other) >= rankOf(last)) break
        heap[place] = other
        place = child
      }
      heap[place] = last
      return top
    },
  }
}

interface Dependents {
  /** by symbol: higher than that of everything that it looks at; a choice and its members have one rank */
  readonly rank: Int32Array
  of(symbol: KconfigSymbol): readonly KconfigSymbol[]
  readonly tristates: readonly KconfigSymbol[]
}

const known = new WeakMap<Kconfig, Dependents>()

/** Which symbols look at a symbol. A tree never changes. */
function dependentsOf(tree: Kconfig): Dependents {
  const before = known.get(tree)
  if (before !== undefined) return before
  const lists: KconfigSymbol[][] = tree.symbols.map(() => [])
  const lastNoted = new Int32Array(tree.symbols.length).fill(-1)
  const lastSeen = new Int32Array(tree.expressionCount).fill(-1)
  const note = (of: KconfigSymbol, dependent: KconfigSymbol): void => {
    if (of.constant || lastNoted[of.index] === dependent.index) return
    lastNoted[of.index] = dependent.index
    lists[of.index]?.push(dependent)
  }
  const visit = (expr: Expr | undefined, dependent: KconfigSymbol): void => {
    if (expr === undefined || lastSeen[expr.id] === dependent.index) return
    lastSeen[expr.id] = dependent.index
    if (expr.kind === 'and' || expr.kind === 'or') {
      visit(expr.left, dependent)
      visit(expr.right, dependent)
    } else if (expr.kind === 'not') visit(expr.operand, dependent)
    else for (const of of symbolsIn(expr)) note(of, dependent)
  }
  for (const symbol of tree.symbols) {
    for (const property of symbol.properties) {
      if (property.target !== undefined) continue
      visit(property.condition, symbol)
      visit(property.value, symbol)
      if (property.low !== undefined) note(property.low, symbol)
      if (property.high !== undefined) note(property.high, symbol)
    }
    for (const { term } of symbol.selectedBy) visit(term, symbol)
    for (const { term } of symbol.impliedBy) visit(term, symbol)
    visit(symbol.directDependency, symbol)
  }
  const result: Dependents = {
    rank: ranks(tree, lists),
    of: (symbol) => lists[symbol.index] ?? [],
    tristates: tree.symbols.filter((symbol) => symbol.type === 'tristate' && !symbol.constant),
  }
  known.set(tree, result)
  return result
}

function ranks(tree: Kconfig, dependents: readonly (readonly KconfigSymbol[])[]): Int32Array {
  const rank = new Int32Array(tree.symbols.length)
  const open = new Int32Array(tree.symbols.length)
  const groupOf = (symbol: KconfigSymbol): KconfigSymbol => symbol.choice ?? symbol
  for (const symbol of tree.symbols)
    for (const dependent of dependents[symbol.index] ?? [])
      if (groupOf(dependent) !== groupOf(symbol)) {
        const { index } = groupOf(dependent)
        open[index] = (open[index] ?? 0) + 1
      }
  const ready = tree.symbols.filter((symbol) => symbol.choice === undefined && open[symbol.index] === 0)
  for (const group of ready)
    for (const symbol of [group, ...group.members]) {
      rank[symbol.index] = rank[group.index] ?? 0
      for (const dependent of dependents[symbol.index] ?? []) {
        const other = groupOf(dependent)
        if (other === group) continue
        rank[other.index] = Math.max(rank[other.index] ?? 0, (rank[group.index] ?? 0) + 1)
        open[other.index] = (open[other.index] ?? 0) - 1
        if (open[other.index] === 0) ready.push(other)
      }
    }
  return rank
}
