/**
 * The tree while it is being built. The types are those of model.ts without `readonly`; only the parser and the
 * finishing passes (finalize.ts, dependency-loops.ts) see them, and what they hand on is never changed again.
 */
import type { HelpBlock } from './help-block.ts'
import type { Expr, KconfigSymbol, MenuNode, Property, ReverseDependency, SymbolType } from './model.ts'

export interface DraftSymbol extends KconfigSymbol {
  type: SymbolType
  choice: DraftSymbol | undefined
  optional: boolean
  directDependency: Expr | undefined
  members: readonly DraftSymbol[]
  properties: readonly DraftProperty[]
  nodes: readonly DraftNode[]
  selectedBy: readonly ReverseDependency[]
  impliedBy: readonly ReverseDependency[]
}

export interface DraftProperty extends Property {
  kind: Property['kind']
  readonly node: DraftNode
  text: string | undefined
  value: Expr | undefined
  target: DraftSymbol | undefined
  low: DraftSymbol | undefined
  high: DraftSymbol | undefined
  condition: Expr | undefined
}

export interface DraftNode extends MenuNode {
  readonly symbol: DraftSymbol | undefined
  prompt: DraftProperty | undefined
  parent: DraftNode | undefined
  next: DraftNode | undefined
  firstChild: DraftNode | undefined
  dependency: Expr | undefined
  visibility: Expr | undefined
  help: HelpBlock | undefined
}

/** Most symbols have most of their lists empty: they share this one until something is put in. */
const none: never[] = []

/** The list with one more in it. Lists other than the shared empty one belong to one symbol and grow in place. */
export function appended<T>(list: readonly T[], item: T): readonly T[] {
  if (list.length === 0) return [item]
  ;(list as T[]).push(item)
  return list
}

export const createSymbol = (
  index: number,
  name: string | undefined,
  options: { readonly constant?: boolean; readonly isChoice?: boolean; readonly type?: SymbolType } = {},
): DraftSymbol => ({
  index,
  name,
  type: options.type ?? 'unknown',
  constant: options.constant ?? false,
  isChoice: options.isChoice ?? false,
  choice: undefined,
  members: none,
  optional: false,
  properties: none,
  nodes: none,
  directDependency: undefined,
  selectedBy: none,
  impliedBy: none,
})
