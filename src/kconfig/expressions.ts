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

const comparisonCode: Record<Comparison, number> = { '=': 5, '!=': 6, '<': 7, '<=': 8, '>': 9, '>=': 10 }

const negated: Record<Comparison, Comparison> = {
  '=': '!=',
  '!=': '=',
  '<': '>=',
  '>=': '<',
  '>': '<=',
  '<=': '>',
}

export function createExpressions({ n, m, y }: Constants): Expressions {
  // The table: open addressing over node ids (0 is free), with the three parts of a node's key beside it by id.
  let slots = new Int32Array(1 << 17)
  const nodes: Expr[] = []
  let keys = new Int32Array(3 << 15)
  // What the simplifications have found out, by id. They grow with the nodes: an array with holes becomes a slow map.
  const simplified: (Expr | undefined)[] = []
  const deduplicated: (Expr | undefined)[] = []
  const transformed: (Expr | undefined)[] = []
  let count = 0
  let tooDeep = false

  /** Where `find` stopped: the free slot for the node that it did not find. */
  let free = 0

  const hashOf = (kind: number, left: number, right: number): number => {
    const hash =
      Math.imul(left + 1, 0x9e3779b1) ^ Math.imul(right + 1, 0x85ebca6b) ^ Math.imul(kind, 0xc2b2ae35)
    return hash ^ (hash >>> 15)
  }

  function grow(): void {
    const larger = new Int32Array(slots.length * 2)
    const wrap = larger.length - 1
    for (let id = 0; id < count; id++) {
      let slot = hashOf(keys[id * 3] ?? 0, keys[id * 3 + 1] ?? 0, keys[id * 3 + 2] ?? 0) & wrap
      while (larger[slot] !== 0) slot = (slot + 1) & wrap
      larger[slot] = id + 1
    }
    slots = larger
  }

  /** The node with these parts, if it has been made. */
  function find(kind: number, left: number, right: number): Expr | undefined {
    if (count * 2 >= slots.length) grow()
    const wrap = slots.length - 1
    let slot = hashOf(kind, left, right) & wrap
    for (;;) {
      const id = (slots[slot] ?? 0) - 1
      if (id < 0) {
        free = slot
        return undefined
      }
      if (keys[id * 3 + 1] === left && keys[id * 3 + 2] === right && keys[id * 3] === kind) return nodes[id]
      slot = (slot + 1) & wrap
    }
  }

  /** Puts a node that `find` has just missed into the table. */
  function keep(made: Expr, kind: number, left: number, right: number): Expr {
    if (count * 3 >= keys.length) {
      const larger = new Int32Array(keys.length * 2)
      larger.set(keys)
      keys = larger
    }
    keys[count * 3] = kind
    keys[count * 3 + 1] = left
    keys[count * 3 + 2] = right
    nodes.push(made)
    simplified.push(undefined)
    deduplicated.push(undefined)
    transformed.push(undefined)
    count++
    slots[free] = count
    return made
  }

  // `mask` is a small Bloom filter of the symbols inside: expressions without a bit in common have no symbol in common.
  // y and n are left out, because the simplifications treat them as absent. m has the sign bit to itself.
  const maskOf = (of: KconfigSymbol): number =>
    of === y || of === n ? 0 : of === m ? 1 << 31 : 1 << (of.index % 31)

  function refuse(): Expr {
    tooDeep = true
    return constantN
  }

  function symbol(of: KconfigSymbol): Expr {
    const known = find(1, of.index, 0)
    if (known !== undefined) return known
    return keep({ kind: 'symbol', id: count, mask: maskOf(of), depth: 1, symbol: of }, 1, of.index, 0)
  }
  function not(operand: Expr): Expr {
    const known = find(2, operand.id, 0)
    if (known !== undefined) return known
    if (operand.depth >= MAX_DEPTH) return refuse()
    return keep(
      { kind: 'not', id: count, mask: operand.mask, depth: operand.depth + 1, operand },
      2,
      operand.id,
      0,
    )
  }
  function two(kind: 'and' | 'or', left: Expr, right: Expr): Expr {
    const code = kind === 'and' ? 3 : 4
    const known = find(code, left.id, right.id)
    if (known !== undefined) return known
    const depth = Math.max(left.depth, right.depth) + 1
    if (depth > MAX_DEPTH) return refuse()
    return keep(
      { kind, id: count, mask: left.mask | right.mask, depth, left, right },
      code,
      left.id,
      right.id,
    )
  }
  function compare(kind: Comparison, left: KconfigSymbol, right: KconfigSymbol): Expr {
    const code = comparisonCode[kind]
    const known = find(code, left.index, right.index)
    if (known !== undefined) return known
    const mask = maskOf(left) | maskOf(right)
    return keep({ kind, id: count, mask, depth: 1, left, right }, code, left.index, right.index)
  }

  const constantN = symbol(n)
  const constantM = symbol(m)
  const constantY = symbol(y)

  /** `A && y` is A, `A && n` is n, and the same for `||`, all the way down. */
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
    if (pair[0].kind !== other && (other === 'and' || other === 'or'))
      pair = crossOut(other, pair[0], pair[1])
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
      if ((isNot(first) && second.kind === 'symbol') || (isNot(second) && first.kind === 'symbol'))
        return constantY
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
    return changed
      ? two(kind, rebuild(kind, left, lefts), rebuild(kind, right, rights))
      : two(kind, left, right)
  }

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

/** Whether a literal `m` can be in the expression; see `maskOf`. */
export const mayMentionM = (expr: Expr): boolean => expr.mask < 0

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
      return (
        expr.left === symbol && expr.right.constant && (expr.right.name === 'y' || expr.right.name === 'm')
      )
    case '!=':
      return expr.left === symbol && expr.right.constant && expr.right.name === 'n'
    default:
      return false
  }
}
