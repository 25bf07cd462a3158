/**
 * Making expressions and making them simpler.
 *
 * Every node is made through one table, so two equal expressions are one object. That turns simplification, by far the
 * most expensive step after reading (the dependencies of a menu are joined to every line below it), into looking up a
 * result we already have.
 *
 * The simplifications decide which entries become submenus of which symbol and how warnings print a dependency, so they
 * are the kernel's, rule for rule, curiosities included: see `joinAnd`. They never change what an expression is worth.
 */
import type { Comparison, Expr, KconfigSymbol } from './model.ts'

export interface Expressions {
  symbol(symbol: KconfigSymbol): Expr
  not(operand: Expr): Expr
  and(left: Expr, right: Expr): Expr
  or(left: Expr, right: Expr): Expr
  compare(kind: Comparison, left: KconfigSymbol, right: KconfigSymbol): Expr
  /** Like `and`, where undefined stands for "no condition". */
  join(left: Expr | undefined, right: Expr | undefined): Expr | undefined
  /** Moves `!` inwards and resolves comparisons of bool symbols with constants. */
  transform(expr: Expr): Expr
  /** Drops operands that others make superfluous. */
  withoutDuplicates(expr: Expr): Expr
  /** What is left of two expressions after crossing out the operands they have in common. */
  withoutCommon(first: Expr, second: Expr): readonly [Expr, Expr]
  /** Operand for operand the same, in whatever order. */
  equal(first: Expr | undefined, second: Expr | undefined): boolean
  /** The expression rewritten to say explicitly "… is not n". */
  notN(expr: Expr | undefined): Expr
  readonly count: number
  /** An expression was asked for that nests deeper than can be handled; it was replaced by n. */
  readonly tooDeep: boolean
}

/** How deep expressions nest, counting every operand of a chain. A bound of ours; real trees stay below a hundred. */
const MAX_DEPTH = 1500

interface Constants {
  readonly n: KconfigSymbol
  readonly m: KconfigSymbol
  readonly y: KconfigSymbol
}

const kindCode: Record<Expr['kind'], number> = {
  symbol: 1,
  not: 2,
  and: 3,
  or: 4,
  '=': 5,
  '!=': 6,
  '<': 7,
  '<=': 8,
  '>': 9,
  '>=': 10,
}

const negated: Record<Comparison, Comparison> = {
  '=': '!=',
  '!=': '=',
  '<': '>=',
  '>=': '<',
  '>': '<=',
  '<=': '>',
}

export function createExpressions({ n, m, y }: Constants): Expressions {
  let table: (Expr | undefined)[] = new Array(1 << 16)
  let count = 0
  let tooDeep = false

  const slotOf = (code: number, left: number, right: number, size: number): number => {
    let hash = Math.imul(left + 1, 0x9e3779b1) ^ Math.imul(right + 1, 0x85ebca6b) ^ Math.imul(code, 0xc2b2ae35)
    hash ^= hash >>> 15
    return hash & (size - 1)
  }
  const leftId = (expr: Expr): number => {
    switch (expr.kind) {
      case 'symbol':
        return expr.symbol.index
      case 'not':
        return expr.operand.id
      case 'and':
      case 'or':
        return expr.left.id
      default:
        return expr.left.index
    }
  }
  const rightId = (expr: Expr): number => {
    switch (expr.kind) {
      case 'symbol':
      case 'not':
        return 0
      case 'and':
      case 'or':
        return expr.right.id
      default:
        return expr.right.index
    }
  }

  function grow(): void {
    const old = table
    table = new Array(old.length * 2)
    for (const expr of old) {
      if (expr === undefined) continue
      let slot = slotOf(kindCode[expr.kind], leftId(expr), rightId(expr), table.length)
      while (table[slot] !== undefined) slot = (slot + 1) & (table.length - 1)
      table[slot] = expr
    }
  }

  /** The slot of the node with these parts, or the free slot where it belongs. */
  function find(kind: Expr['kind'], left: number, right: number): number {
    if (count * 2 >= table.length) grow()
    let slot = slotOf(kindCode[kind], left, right, table.length)
    for (;;) {
      const found = table[slot]
      if (found === undefined) return slot
      if (found.kind === kind && leftId(found) === left && rightId(found) === right) return slot
      slot = (slot + 1) & (table.length - 1)
    }
  }

  // `mask` is a small Bloom filter of the symbols inside: expressions without a bit in common have no symbol in common.
  // y and n are left out, because the simplifications treat them as absent.
  const maskOf = (of: KconfigSymbol): number => (of === y || of === n ? 0 : 1 << (of.index % 31))

  function refuse(): Expr {
    tooDeep = true
    return constantN
  }

  function symbol(of: KconfigSymbol): Expr {
    const slot = find('symbol', of.index, 0)
    const found = table[slot]
    if (found !== undefined) return found
    const made: Expr = { kind: 'symbol', id: count++, mask: maskOf(of), depth: 1, symbol: of }
    table[slot] = made
    return made
  }
  function not(operand: Expr): Expr {
    const slot = find('not', operand.id, 0)
    const found = table[slot]
    if (found !== undefined) return found
    if (operand.depth >= MAX_DEPTH) return refuse()
    const made: Expr = { kind: 'not', id: count++, mask: operand.mask, depth: operand.depth + 1, operand }
    table[slot] = made
    return made
  }
  function two(kind: 'and' | 'or', left: Expr, right: Expr): Expr {
    const slot = find(kind, left.id, right.id)
    const found = table[slot]
    if (found !== undefined) return found
    const depth = Math.max(left.depth, right.depth) + 1
    if (depth > MAX_DEPTH) return refuse()
    const made: Expr = { kind, id: count++, mask: left.mask | right.mask, depth, left, right }
    table[slot] = made
    return made
  }
  function compare(kind: Comparison, left: KconfigSymbol, right: KconfigSymbol): Expr {
    const slot = find(kind, left.index, right.index)
    const found = table[slot]
    if (found !== undefined) return found
    const made: Expr = { kind, id: count++, mask: maskOf(left) | maskOf(right), depth: 1, left, right }
    table[slot] = made
    return made
  }

  const constantN = symbol(n)
  const constantM = symbol(m)
  const constantY = symbol(y)

  /** `A && y` is A, `A && n` is n, and the same for `||`, all the way down. */
  const simplified: (Expr | undefined)[] = []
  function withoutConstants(expr: Expr): Expr {
    if (expr.kind !== 'and' && expr.kind !== 'or') return expr
    const known = simplified[expr.id]
    if (known !== undefined) return known
    const neutral = expr.kind === 'and' ? constantY : constantN
    const absorbing = expr.kind === 'and' ? constantN : constantY
    const left = withoutConstants(expr.left)
    const right = withoutConstants(expr.right)
    const result =
      left === absorbing || right === absorbing
        ? absorbing
        : left === neutral
          ? right
          : right === neutral
            ? left
            : left === expr.left && right === expr.right
              ? expr
              : two(expr.kind, left, right)
    simplified[expr.id] = result
    return result
  }

  function leavesOf(kind: 'and' | 'or', expr: Expr, into: Expr[]): Expr[] {
    if (expr.kind !== kind) {
      into.push(expr)
      return into
    }
    leavesOf(kind, expr.left, into)
    return leavesOf(kind, expr.right, into)
  }

  /** Puts changed leaves back where `leavesOf` found them, keeping the parentheses. */
  function rebuild(kind: 'and' | 'or', shape: Expr, leaves: readonly Expr[]): Expr {
    let at = 0
    const walk = (node: Expr): Expr => {
      if (node.kind !== kind) return leaves[at++] ?? node
      const left = walk(node.left)
      return two(kind, left, walk(node.right))
    }
    return walk(shape)
  }

  function equal(first: Expr | undefined, second: Expr | undefined): boolean {
    if (first === second) return true
    if (first === undefined || second === undefined) return (first ?? second) === constantY
    if (first.kind !== second.kind || first.mask !== second.mask) return false
    if (first.kind === 'not' && second.kind === 'not') return equal(first.operand, second.operand)
    if (first.kind !== 'and' && first.kind !== 'or') return false
    const [a, b] = withoutCommon(first, second)
    return a === b && a.kind === 'symbol'
  }

  function crossOut(kind: 'and' | 'or', first: Expr, second: Expr): readonly [Expr, Expr] {
    const neutral = kind === 'and' ? constantY : constantN
    const left = leavesOf(kind, first, [])
    const right = leavesOf(kind, second, [])
    let changed = false
    for (let i = 0; i < left.length; i++) {
      for (let j = 0; j < right.length; j++) {
        const a = left[i]
        const b = right[j]
        if (a === undefined || b === undefined || a === constantY || a === constantN) continue
        if (!equal(a, b)) continue
        left[i] = neutral
        right[j] = neutral
        changed = true
      }
    }
    return changed ? [rebuild(kind, first, left), rebuild(kind, second, right)] : [first, second]
  }

  function withoutCommon(first: Expr, second: Expr): readonly [Expr, Expr] {
    let pair: readonly [Expr, Expr] = [first, second]
    const kind = first.kind
    if (kind === 'and' || kind === 'or') pair = crossOut(kind, first, second)
    const other = pair[1].kind
    if (pair[0].kind !== other && (other === 'and' || other === 'or')) pair = crossOut(other, pair[0], pair[1])
    return [withoutConstants(pair[0]), withoutConstants(pair[1])]
  }

  /** The symbol that an operand says something about, where the joining rules can use it. */
  function subject(expr: Expr): KconfigSymbol | undefined {
    if (expr.kind === 'symbol') return expr.symbol
    if (expr.kind === '=' || expr.kind === '!=') return expr.left
    return undefined
  }
  function subjectOfFirst(expr: Expr): KconfigSymbol | undefined {
    return subject(expr.kind === 'not' ? expr.operand : expr)
  }
  function subjectOfSecond(expr: Expr): KconfigSymbol | undefined {
    if (expr.kind !== 'not') return subject(expr)
    return expr.operand.kind === 'symbol' ? expr.operand.symbol : undefined
  }

  function joinOr(first: Expr, second: Expr): Expr | undefined {
    if (equal(first, second)) return first
    const about = subjectOfFirst(first)
    if (about === undefined || about !== subjectOfSecond(second)) return undefined
    if (about.type === 'tristate' && first.kind === '=' && second.kind === '=') {
      const values = new Set([first.right, second.right])
      if (values.size === 2) {
        if (values.has(y) && values.has(m)) return compare('!=', about, n)
        if (values.has(y) && values.has(n)) return compare('!=', about, m)
        if (values.has(m) && values.has(n)) return compare('!=', about, y)
      }
    }
    if (about.type === 'bool') {
      const isNot = (expr: Expr) => expr.kind === 'not' && expr.operand.kind === 'symbol'
      if ((isNot(first) && second.kind === 'symbol') || (isNot(second) && first.kind === 'symbol')) return constantY
    }
    return undefined
  }

  function joinAnd(first: Expr, second: Expr): Expr | undefined {
    if (equal(first, second)) return first
    const about = subjectOfFirst(first)
    if (about === undefined || about !== subjectOfSecond(second)) return undefined
    if (about.type !== 'bool' && about.type !== 'tristate') return undefined
    const plainAnd = (kind: '=' | '!=', value: KconfigSymbol): boolean =>
      (first.kind === 'symbol' && second.kind === kind && second.right === value) ||
      (second.kind === 'symbol' && first.kind === kind && first.right === value)
    if (plainAnd('=', y)) return compare('=', about, y)
    if (plainAnd('!=', n)) return symbol(about)
    if (plainAnd('!=', m)) return compare('=', about, y)
    if (about.type !== 'tristate') return undefined
    const isEqual = first.kind === '=' ? first : second.kind === '=' ? second : undefined
    const isUnequal = first.kind === '!=' ? first : second.kind === '!=' ? second : undefined
    if (isEqual !== undefined && isUnequal !== undefined) {
      if (isUnequal.right.constant && isEqual.right.constant)
        return isEqual.right !== isUnequal.right ? compare('=', about, isEqual.right) : constantN
    }
    if (first.kind === '!=' && second.kind === '!=') {
      const values = new Set([first.right, second.right])
      if (values.size === 2) {
        if (values.has(y) && values.has(n)) return compare('=', about, m)
        if (values.has(y) && values.has(m)) return compare('=', about, n)
        if (values.has(m) && values.has(n)) return compare('=', about, y)
      }
    }
    return undefined
  }

  const deduplicated: (Expr | undefined)[] = []
  function withoutDuplicates(expr: Expr): Expr {
    if (expr.kind !== 'and' && expr.kind !== 'or') return expr
    const known = deduplicated[expr.id]
    if (known !== undefined) return known
    let current: Expr = expr
    for (;;) {
      if (current.kind !== 'and' && current.kind !== 'or') break
      const kind = current.kind
      const left = withoutDuplicates(current.left)
      const right = withoutDuplicates(current.right)
      const changed: Expr = mergeOperands(kind, left, right)
      const merged: boolean = changed !== two(kind, left, right)
      current = withoutConstants(changed)
      if (!merged) break
    }
    deduplicated[expr.id] = current
    deduplicated[current.id] = current
    return current
  }

  /** One pass over all pairs: of two operands that say the same, the right one stays. */
  function mergeOperands(kind: 'and' | 'or', left: Expr, right: Expr): Expr {
    if ((left.mask & right.mask) === 0) return two(kind, left, right)
    const neutral = kind === 'and' ? constantY : constantN
    const lefts = leavesOf(kind, left, [])
    const rights = leavesOf(kind, right, [])
    let changed = false
    for (let i = 0; i < lefts.length; i++) {
      for (let j = 0; j < rights.length; j++) {
        const a = lefts[i]
        const b = rights[j]
        if (a === undefined || b === undefined || (a.mask & b.mask) === 0) continue
        const joined = kind === 'and' ? joinAnd(a, b) : joinOr(a, b)
        if (joined === undefined) continue
        lefts[i] = neutral
        rights[j] = joined
        changed = true
      }
    }
    return changed ? two(kind, rebuild(kind, left, lefts), rebuild(kind, right, rights)) : two(kind, left, right)
  }

  const transformed: (Expr | undefined)[] = []
  function transform(expr: Expr): Expr {
    const known = transformed[expr.id]
    if (known !== undefined) return known
    const result = transformOnce(expr)
    transformed[expr.id] = result
    return result
  }
  function transformOnce(expr: Expr): Expr {
    switch (expr.kind) {
      case 'and':
      case 'or':
        return two(expr.kind, transform(expr.left), transform(expr.right))
      case '=':
        if (expr.left.type !== 'bool') return expr
        if (expr.right === n) return not(symbol(expr.left))
        if (expr.right === m) return constantN
        if (expr.right === y) return symbol(expr.left)
        return expr
      case '!=':
        if (expr.left.type !== 'bool') return expr
        if (expr.right === n) return symbol(expr.left)
        if (expr.right === m) return constantY
        if (expr.right === y) return not(symbol(expr.left))
        return expr
      case 'not': {
        const operand = transform(expr.operand)
        switch (operand.kind) {
          case 'not':
            return operand.operand
          case 'and':
            return transform(two('or', not(operand.left), not(operand.right)))
          case 'or':
            return transform(two('and', not(operand.left), not(operand.right)))
          case 'symbol':
            if (operand === constantY) return constantN
            if (operand === constantM) return constantM
            if (operand === constantN) return constantY
            return not(operand)
          default:
            return compare(negated[operand.kind], operand.left, operand.right)
        }
      }
      default:
        return expr
    }
  }

  function isN(expr: Expr): Expr {
    switch (expr.kind) {
      case 'and':
        return two('or', isN(expr.left), isN(expr.right))
      case 'or':
        return two('and', isN(expr.left), isN(expr.right))
      case 'not':
        return notN(expr.operand)
      case 'symbol':
        return compare('=', expr.symbol, n)
      default:
        return not(expr)
    }
  }
  function notN(expr: Expr | undefined): Expr {
    if (expr === undefined) return not(constantN)
    switch (expr.kind) {
      case 'and':
      case 'or':
        return not(isN(expr))
      case 'not':
        return isN(expr.operand)
      case 'symbol':
        return compare('!=', expr.symbol, n)
      default:
        return expr
    }
  }

  return {
    symbol,
    not,
    and: (left, right) => two('and', left, right),
    or: (left, right) => two('or', left, right),
    compare,
    join: (left, right) =>
      left === undefined ? right : right === undefined ? left : two('and', left, right),
    transform,
    withoutDuplicates,
    withoutCommon,
    equal,
    notN,
    get count() {
      return count
    },
    get tooDeep() {
      return tooDeep
    },
  }
}

/** Whether the symbol occurs anywhere in the expression. */
export function mentions(expr: Expr | undefined, symbol: KconfigSymbol): boolean {
  if (expr === undefined) return false
  switch (expr.kind) {
    case 'and':
    case 'or':
      return mentions(expr.left, symbol) || mentions(expr.right, symbol)
    case 'not':
      return mentions(expr.operand, symbol)
    case 'symbol':
      return expr.symbol === symbol
    default:
      return expr.left === symbol || expr.right === symbol
  }
}

/** Whether the expression plainly needs the symbol: as an operand of `&&`, or compared so that `n` is ruled out. */
export function needs(expr: Expr | undefined, symbol: KconfigSymbol): boolean {
  if (expr === undefined) return false
  switch (expr.kind) {
    case 'and':
      return needs(expr.left, symbol) || needs(expr.right, symbol)
    case 'symbol':
      return expr.symbol === symbol
    case '=':
      return expr.left === symbol && expr.right.constant && (expr.right.name === 'y' || expr.right.name === 'm')
    case '!=':
      return expr.left === symbol && expr.right.constant && expr.right.name === 'n'
    default:
      return false
  }
}
