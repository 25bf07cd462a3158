/**
 * Finding symbols whose value would depend on itself, through dependencies, selects, defaults or choices.
 *
 * Two walks in depth over "needs the value of". `provedFree` is the fast one, which only answers whether there are
 * loops; nearly always there are none. The other one finds and reports them step by step, in the kernel's order and
 * words. Both keep their own stack: a dependency chain of a real tree is a hundred symbols long, that of a hostile one
 * as long as it likes.
 */
import type { Dialect } from './dialect.ts'
import type { DraftProperty, DraftSymbol } from './draft.ts'
import type { Expr, KconfigSymbol } from './model.ts'

type Role = 'depends' | 'selected' | 'implied' | 'value' | 'visible'

interface Edge {
  readonly expr: Expr
  readonly role: Role
  readonly property: DraftProperty | undefined
}

/** One level of the walk: a symbol, and what of it is being looked at. */
interface Frame {
  readonly symbol: DraftSymbol
  /** the expressions of the symbol, or for a group (a choice, or a way into one) the symbols to enter */
  readonly edges: readonly Edge[]
  readonly group: readonly DraftSymbol[]
  readonly enterDirectly: boolean
  position: number
  role: Role | undefined
  property: DraftProperty | undefined
  targets: readonly DraftSymbol[]
  target: number
}

export interface LoopInput {
  readonly dialect: Dialect
  message(line: string): void
}

/**
 * Whether no value needs itself, found fast: a walk over symbols and expressions alike, with nothing noted for a report.
 * @returns undefined when something does; else the longest way down and the symbols, each behind what it needs
 */
function provedFree(symbols: Iterable<DraftSymbol>, symbolCount: number, expressionCount: number) {
  const NEW = 0
  const OPEN = 1
  const DONE = 2
  const symbolState = new Uint8Array(symbolCount)
  const expressionState = new Uint8Array(expressionCount)
  const order: DraftSymbol[] = []
  // What is still to be done, and beside it what that is: an expression to go into, or one, a symbol, or a choice whose
  // members follow, that is through with.
  const stack: (Expr | DraftSymbol)[] = []
  const tasks: number[] = []
  const INTO = 0
  const EXPRESSION_DONE = 1
  const SYMBOL_DONE = 2
  const CHOICE_DONE = 3
  let open = 0
  let longest = 0

  const push = (item: Expr | DraftSymbol, task: number): void => {
    stack.push(item)
    tasks.push(task)
  }
  const need = (expr: Expr | undefined): void => {
    if (expr !== undefined && expressionState[expr.id] !== DONE) push(expr, INTO)
  }
  const pushNeeds = (symbol: DraftSymbol): void => {
    for (const property of symbol.properties) {
      if (property.target !== undefined) continue
      need(property.condition)
      if (!symbol.isChoice) need(property.value)
    }
    for (const { term } of symbol.impliedBy) need(term)
    for (const { term } of symbol.selectedBy) need(term)
    need(symbol.directDependency)
  }
  /** Goes into a symbol, or the choice that it is a member of, as one. @returns false when it is already open */
  const enter = (symbol: DraftSymbol): boolean => {
    const state = symbolState[symbol.index]
    if (state === DONE) return true
    if (state === OPEN) return false
    if (++open > longest) longest = open
    const group = symbol.choice ?? (symbol.isChoice ? symbol : undefined)
    if (group === undefined) {
      symbolState[symbol.index] = OPEN
      push(symbol, SYMBOL_DONE)
      pushNeeds(symbol)
      return true
    }
    if (symbolState[group.index] === OPEN) return false
    symbolState[group.index] = OPEN
    // Bottom of the stack first: the members' needs come after those of the choice itself, and may name it.
    push(group, SYMBOL_DONE)
    for (const member of group.members) {
      symbolState[member.index] = OPEN
      pushNeeds(member)
    }
    push(group, CHOICE_DONE)
    pushNeeds(group)
    return true
  }
  /** @returns false when the expression is met again below itself: something in it needs it */
  const enterExpression = (expr: Expr): boolean => {
    const state = expressionState[expr.id]
    if (state === DONE) return true
    if (state === OPEN) return false
    expressionState[expr.id] = OPEN
    push(expr, EXPRESSION_DONE)
    switch (expr.kind) {
      case 'symbol':
        return enter(expr.symbol as DraftSymbol)
      case 'not':
        push(expr.operand, INTO)
        return true
      case 'and':
      case 'or':
        push(expr.right, INTO)
        push(expr.left, INTO)
        return true
      default:
        return enter(expr.left as DraftSymbol) && enter(expr.right as DraftSymbol)
    }
  }

  for (const start of symbols) {
    if (symbolState[start.index] !== NEW) continue
    if (!enter(start)) return undefined
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const task = tasks.pop()
      if (task === INTO) {
        if (!enterExpression(top as Expr)) return undefined
      } else if (task === EXPRESSION_DONE) expressionState[(top as Expr).id] = DONE
      else if (task === CHOICE_DONE) symbolState[(top as DraftSymbol).index] = DONE
      else {
        const symbol = top as DraftSymbol
        open--
        symbolState[symbol.index] = DONE
        order.push(symbol)
        for (const member of symbol.members) {
          symbolState[member.index] = DONE
          order.push(member)
        }
      }
    }
  }
  return { longest, order }
}

/** Chains up to this length are followed by plain recursion when values are calculated. */
const SHORT_CHAIN = 400

/**
 * @returns how many loops were found, each of which was reported; and, when there are chains too long to follow by
 *   recursion, all symbols with each behind what it needs
 */
export function reportDependencyLoops(
  input: LoopInput,
  symbols: Iterable<DraftSymbol>,
  counts: { readonly symbols: number; readonly expressions: number },
): { readonly loops: number; readonly bottomUp: readonly DraftSymbol[] } {
  const free = provedFree(symbols, counts.symbols, counts.expressions)
  if (free !== undefined) return { loops: 0, bottomUp: free.longest > SHORT_CHAIN ? free.order : [] }
  const tristateChoices = input.dialect.choices === 'tristate'
  const open = new Set<DraftSymbol>()
  const seen = new Set<DraftSymbol>()
  const cleared: boolean[] = []
  const stack: Frame[] = []

  const symbolsOf: (readonly DraftSymbol[] | undefined)[] = []
  function symbolsIn(expr: Expr): readonly DraftSymbol[] {
    const known = symbolsOf[expr.id]
    if (known !== undefined) return known
    const out = new Set<KconfigSymbol>()
    const pending: Expr[] = [expr]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      switch (next.kind) {
        case 'symbol':
          out.add(next.symbol)
          break
        case 'not':
          pending.push(next.operand)
          break
        case 'and':
        case 'or':
          pending.push(next.right, next.left)
          break
        default:
          out.add(next.left)
          out.add(next.right)
      }
    }
    const list = [...out] as DraftSymbol[]
    symbolsOf[expr.id] = list
    return list
  }

  function edgesOf(symbol: DraftSymbol): Edge[] {
    const edges: Edge[] = []
    const add = (expr: Expr | undefined, role: Role, property?: DraftProperty): void => {
      if (expr !== undefined && cleared[expr.id] !== true) edges.push({ expr, role, property })
    }
    add(symbol.directDependency, 'depends')
    for (const { term } of symbol.selectedBy) add(term, 'selected')
    for (const { term } of symbol.impliedBy) add(term, 'implied')
    for (const property of symbol.properties) {
      if (property.target !== undefined) continue
      add(property.condition, 'visible', property)
      if (property.kind === 'default' && !symbol.isChoice) add(property.value, 'value', property)
    }
    return edges
  }

  const push = (
    symbol: DraftSymbol,
    edges: readonly Edge[],
    group: readonly DraftSymbol[],
    enterDirectly: boolean,
  ) =>
    stack.push({
      symbol,
      edges,
      group,
      enterDirectly,
      position: -1,
      role: undefined,
      property: undefined,
      targets: [],
      target: 0,
    })

  /** Goes into a symbol. @returns false when that closes a loop */
  function enter(symbol: DraftSymbol): boolean {
    if (open.has(symbol)) {
      report(symbol)
      return false
    }
    if (seen.has(symbol)) return true
    if (symbol.choice !== undefined) push(symbol, [], [symbol.choice], false)
    else if (symbol.isChoice) {
      for (const member of [symbol, ...symbol.members]) {
        open.add(member)
        seen.add(member)
      }
      push(symbol, [], [symbol, ...symbol.members], true)
    } else {
      open.add(symbol)
      seen.add(symbol)
      push(symbol, edgesOf(symbol), [], false)
    }
    return true
  }

  function leave(frame: Frame): void {
    if (frame.edges.length > 0 || frame.group.length === 0) {
      // Members of a choice stay open until the whole choice is done.
      if (frame.symbol.choice === undefined) open.delete(frame.symbol)
    } else if (frame.enterDirectly) for (const member of frame.group) open.delete(member)
  }

  /** Walks everything below a symbol. @returns false when a loop was found */
  function walk(start: DraftSymbol): boolean {
    if (!enter(start)) return false
    for (let frame = stack[stack.length - 1]; frame !== undefined; frame = stack[stack.length - 1]) {
      const next = frame.targets[frame.target]
      if (next !== undefined) {
        frame.target++
        if (frame.enterDirectly) push(next, edgesOf(next), [], false)
        else if (!enter(next)) {
          for (const left of stack) leave(left)
          stack.length = 0
          open.clear()
          return false
        }
        continue
      }
      if (frame.group.length > 0 && frame.position < 0) {
        frame.position = 0
        frame.targets = frame.group
        frame.target = 0
        continue
      }
      const done = frame.edges[frame.position]
      if (done !== undefined) cleared[done.expr.id] = true
      const edge = frame.edges[++frame.position]
      if (edge === undefined) {
        leave(frame)
        stack.pop()
        continue
      }
      frame.role = edge.role
      frame.property = edge.property
      frame.targets = cleared[edge.expr.id] === true ? [] : symbolsIn(edge.expr)
      frame.target = 0
    }
    return true
  }

  function report(closing: DraftSymbol): void {
    let last = closing
    const chain = [...stack]
    if (closing.choice !== undefined) {
      push(closing, [], [], false)
      const way = stack.pop()
      if (way !== undefined) chain.push(way)
      last = closing.choice
    }
    let first = chain.length - 1
    while (first >= 0 && chain[first]?.symbol !== last) first--
    if (first < 0) {
      input.message('unexpected recursive dependency error')
      return
    }
    for (let i = first; i < chain.length; i++) {
      const frame = chain[i]
      if (frame === undefined) continue
      const next = chain[i + 1]?.symbol ?? last
      if (tristateChoices) describe(frame, next, last)
      else describeBriefly(frame, next, last)
    }
    input.message('For a resolution refer to Documentation/kbuild/kconfig-language.rst')
    input.message('subsection "Kconfig recursive dependency limitations"')
    input.message('')
  }

  const nameOf = (symbol: DraftSymbol): string => symbol.name ?? '<choice>'
  const kindOf = (property: DraftProperty | undefined): string =>
    property === undefined ? 'unknown' : property.kind === 'definition' ? 'symbol' : property.kind

  /** The report with the place of each step, up to 6.8. */
  function describe(frame: Frame, next: DraftSymbol, last: DraftSymbol): void {
    const { symbol } = frame
    const special = symbol.isChoice || symbol.choice !== undefined
    const place = special
      ? symbol.properties[0]?.node
      : (frame.property ?? symbol.properties[0] ?? symbol.nodes[0])
    const at = `${place?.file ?? '<none>'}:${place?.line ?? 0}`
    const first = symbol.properties[0]
    if (symbol === last)
      input.message(`${special ? `${first?.file}:${first?.line}` : at}:error: recursive dependency detected!`)
    const say = (text: string): void => input.message(`${at}:\t${text}`)
    if (symbol.isChoice) say(`choice ${nameOf(symbol)} contains symbol ${nameOf(next)}`)
    else if (symbol.choice !== undefined) say(`symbol ${nameOf(symbol)} is part of choice ${nameOf(next)}`)
    else say(`symbol ${nameOf(symbol)} ${relation(frame, kindOf(frame.property))} ${nameOf(next)}`)
  }

  /** The shorter report of 6.9 and later. */
  function describeBriefly(frame: Frame, next: DraftSymbol, last: DraftSymbol): void {
    const { symbol } = frame
    if (symbol === last) input.message('error: recursive dependency detected!')
    const node = next.nodes[0]
    if (next.isChoice)
      input.message(
        `\tsymbol ${nameOf(symbol)} is part of choice block at ${node?.file ?? ''}:${node?.line ?? 0}`,
      )
    else
      input.message(`\tsymbol ${nameOf(symbol)} ${relation(frame, kindOf(frame.property))} ${nameOf(next)}`)
  }

  function relation(frame: Frame, kind: string): string {
    switch (frame.role) {
      case 'depends':
        return 'depends on'
      case 'selected':
        return 'is selected by'
      case 'implied':
        return 'is implied by'
      case 'value':
        return `${kind} value contains`
      default:
        return `${kind} is visible depending on`
    }
  }

  let loops = 0
  for (const symbol of symbols) if (!walk(symbol)) loops++
  return { loops, bottomUp: [] }
}
