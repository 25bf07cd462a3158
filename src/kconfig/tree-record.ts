/**
 * A tree as bytes, and back: all that `parseKconfig` makes of its files, so that it need not be made again.
 *
 * Everything is a row of whole numbers in a table of its kind: symbols, expressions, menu nodes, properties. What a row
 * refers to is the number of another row, plus one; 0 is "none". Texts are numbers too, of a list of all texts. What a
 * help text says is not written down: only where in which file it starts.
 *
 * This format is for the program that wrote it and nobody else (see tree-cache.ts). It has no version, and what reads it
 * believes it.
 */
import type { Dialect } from './dialect.ts'
import { createSymbol, type DraftNode, type DraftProperty, type DraftSymbol } from './draft.ts'
import type { HelpBlock } from './help-block.ts'
import type { Comparison, Expr, Kconfig, Property, ReverseDependency, SymbolType } from './model.ts'

export interface TreeRecord {
  readonly numbers: Int32Array
  readonly texts: readonly string[]
}

const symbolTypes: readonly SymbolType[] = ['unknown', 'bool', 'tristate', 'int', 'hex', 'string']
const propertyKinds: readonly Property['kind'][] = [
  'prompt',
  'menu',
  'comment',
  'default',
  'select',
  'imply',
  'range',
  'definition',
]
const comparisons: readonly Comparison[] = ['=', '!=', '<', '<=', '>', '>=']
const SYMBOL = 0
const NOT = 1
const AND = 2
const OR = 3
const FIRST_COMPARISON = 4

// --- writing --------------------------------------------------------------------------------------------------------

/** @returns undefined for a tree with a help text that is not where its entry is */
export function recordTree(
  tree: Kconfig,
  readFile: (name: string) => string | undefined,
): TreeRecord | undefined {
  const out: number[] = []
  const texts: string[] = []
  const textNumbers = new Map<string, number>()
  const textNumber = (text: string | undefined): number => {
    if (text === undefined) return 0
    let number = textNumbers.get(text)
    if (number === undefined) {
      number = texts.push(text)
      textNumbers.set(text, number)
    }
    return number
  }
  const reference = (row: { readonly index: number } | undefined): number =>
    row === undefined ? 0 : row.index + 1
  const expression = (expr: Expr | undefined): number => (expr === undefined ? 0 : expr.id + 1)

  const { nodes, properties } = rowsOf(tree)
  out.push(tree.symbols.length, tree.nodeCount, tree.propertyCount, tree.expressionCount)
  for (const { name, type, constant, isChoice, optional } of tree.symbols)
    out.push(
      textNumber(name),
      symbolTypes.indexOf(type) * 8 + (constant ? 4 : 0) + (isChoice ? 2 : 0) + (optional ? 1 : 0),
    )

  const expressions = expressionsOf(tree, nodes, properties)
  out.push(expressions.length)
  for (const expr of expressions) {
    const [kind, left, right] = partsOf(expr)
    out.push(expr.id, kind, left, right, expr.mask, expr.depth)
  }

  out.push(nodes.length)
  for (const node of nodes) {
    const { help } = node
    if (help !== undefined && readFile(node.file) !== help.text) return undefined
    out.push(
      node.index,
      reference(node.symbol),
      textNumber(node.file),
      node.line,
      expression(node.dependency),
      expression(node.visibility),
      help === undefined ? 0 : help.start + 1,
      reference(node.prompt),
      reference(node.parent),
      reference(node.next),
      reference(node.firstChild),
    )
  }

  out.push(properties.length)
  for (const property of properties)
    out.push(
      property.index,
      propertyKinds.indexOf(property.kind),
      property.node.index,
      textNumber(property.file),
      property.line,
      textNumber(property.text),
      expression(property.value),
      reference(property.target),
      reference(property.low),
      reference(property.high),
      expression(property.condition),
    )

  const list = (rows: readonly { readonly index: number }[]): void => {
    out.push(rows.length)
    for (const { index } of rows) out.push(index)
  }
  const reverse = (terms: readonly ReverseDependency[]): void => {
    out.push(terms.length)
    for (const { selector, condition, term, property } of terms)
      out.push(reference(selector), expression(condition), expression(term), reference(property))
  }
  for (const symbol of tree.symbols) {
    out.push(reference(symbol.choice), expression(symbol.directDependency))
    list(symbol.members)
    list(symbol.properties)
    list(symbol.nodes)
    reverse(symbol.selectedBy)
    reverse(symbol.impliedBy)
  }
  list(tree.walkOrder)
  list(tree.bottomUp)
  list([tree.root, tree.modules, tree.constants.n, tree.constants.m, tree.constants.y])
  out.push(tree.files.length, ...tree.files.map(textNumber))
  out.push(tree.environment.size, ...[...tree.environment].flat().map(textNumber))
  return { numbers: Int32Array.from(out), texts }
}

/** Every menu node and every property, those that the menu has no place for any more included. */
function rowsOf(tree: Kconfig) {
  const nodes = new Set<Kconfig['root']>()
  const properties = new Set<Property>()
  const add = (node: Kconfig['root'] | undefined): void => {
    if (node !== undefined) nodes.add(node)
  }
  add(tree.root)
  for (const { nodes: own, properties: those } of tree.symbols) {
    for (const node of own) add(node)
    for (const property of those) properties.add(property)
  }
  // A set takes what is added while it is walked.
  for (const node of nodes) {
    if (node.prompt !== undefined) properties.add(node.prompt)
    add(node.parent)
    add(node.next)
    add(node.firstChild)
  }
  for (const property of properties) add(property.node)
  return { nodes: [...nodes], properties: [...properties] }
}

/** The expressions that anything refers to, operands before what they are operands of. */
function expressionsOf(
  tree: Kconfig,
  nodes: readonly Kconfig['root'][],
  properties: readonly Property[],
): readonly Expr[] {
  const found: (Expr | undefined)[] = new Array(tree.expressionCount)
  const stack: (Expr | undefined)[] = []
  for (const { dependency, visibility } of nodes) stack.push(dependency, visibility)
  for (const { value, condition } of properties) stack.push(value, condition)
  for (const { directDependency, selectedBy, impliedBy } of tree.symbols) {
    stack.push(directDependency)
    for (const { condition, term } of [...selectedBy, ...impliedBy]) stack.push(condition, term)
  }
  while (stack.length > 0) {
    const expr = stack.pop()
    if (expr === undefined || found[expr.id] !== undefined) continue
    found[expr.id] = expr
    if (expr.kind === 'not') stack.push(expr.operand)
    else if (expr.kind === 'and' || expr.kind === 'or') stack.push(expr.left, expr.right)
  }
  return found.filter((expr) => expr !== undefined)
}

/** Its kind and the numbers of its operands; those of a comparison are symbols. */
function partsOf(expr: Expr): readonly [number, number, number] {
  switch (expr.kind) {
    case 'symbol':
      return [SYMBOL, expr.symbol.index, 0]
    case 'not':
      return [NOT, expr.operand.id, 0]
    case 'and':
      return [AND, expr.left.id, expr.right.id]
    case 'or':
      return [OR, expr.left.id, expr.right.id]
    default:
      return [FIRST_COMPARISON + comparisons.indexOf(expr.kind), expr.left.index, expr.right.index]
  }
}

// --- reading --------------------------------------------------------------------------------------------------------

const none: never[] = []

export function treeOfRecord(
  { numbers, texts }: TreeRecord,
  dialect: Dialect,
  readFile: (name: string) => string | undefined,
): Kconfig {
  let at = 0
  const next = (): number => numbers[at++] as number
  const some = <T>(rows: readonly T[], reference: number): T | undefined =>
    reference === 0 ? undefined : rows[reference - 1]
  const text = (): string | undefined => some(texts, next())
  const list = <T>(rows: readonly T[]): readonly T[] => {
    const length = next()
    if (length === 0) return none
    const made: T[] = []
    for (let i = 0; i < length; i++) made.push(rows[next()] as T)
    return made
  }

  const symbolCount = next()
  const nodeCount = next()
  const propertyCount = next()
  const expressionCount = next()
  const symbols: DraftSymbol[] = []
  const byName = new Map<string, DraftSymbol>()
  for (let index = 0; index < symbolCount; index++) {
    const name = text()
    const bits = next()
    const constant = (bits & 4) !== 0
    const isChoice = (bits & 2) !== 0
    const symbol = createSymbol(index, name, {
      constant,
      isChoice,
      type: symbolTypes[bits >> 3] as SymbolType,
    })
    symbol.optional = (bits & 1) !== 0
    symbols.push(symbol)
    if (name !== undefined && !constant && !isChoice) byName.set(name, symbol)
  }

  const expressions: Expr[] = new Array(expressionCount)
  for (let left = next(); left > 0; left--) {
    const id = next()
    expressions[id] = readExpression(id)
  }
  function readExpression(id: number): Expr {
    const kind = next()
    const first = next()
    const second = next()
    const mask = next()
    const depth = next()
    switch (kind) {
      case SYMBOL:
        return { kind: 'symbol', id, mask, depth, symbol: symbols[first] as DraftSymbol }
      case NOT:
        return { kind: 'not', id, mask, depth, operand: expressions[first] as Expr }
      case AND:
      case OR: {
        const left = expressions[first] as Expr
        const right = expressions[second] as Expr
        return { kind: kind === AND ? 'and' : 'or', id, mask, depth, left, right }
      }
      default: {
        const left = symbols[first] as DraftSymbol
        const right = symbols[second] as DraftSymbol
        return { kind: comparisons[kind - FIRST_COMPARISON] as Comparison, id, mask, depth, left, right }
      }
    }
  }
  const expression = (): Expr | undefined => some(expressions, next())

  const nodes: DraftNode[] = new Array(nodeCount)
  const places: number[] = []
  for (let left = next(); left > 0; left--) {
    const index = next()
    const symbol = some(symbols, next())
    const file = text() ?? ''
    const line = next()
    const dependency = expression()
    const visibility = expression()
    const help = next()
    nodes[index] = {
      index,
      symbol,
      prompt: undefined,
      parent: undefined,
      next: undefined,
      firstChild: undefined,
      dependency,
      visibility,
      help: help === 0 ? undefined : helpAt(file, help - 1, readFile),
      file,
      line,
    }
    places.push(index, at)
    at += 4
  }

  const properties: DraftProperty[] = new Array(propertyCount)
  for (let left = next(); left > 0; left--) {
    const index = next()
    properties[index] = {
      index,
      kind: propertyKinds[next()] as Property['kind'],
      node: nodes[next()] as DraftNode,
      file: text() ?? '',
      line: next(),
      text: text(),
      value: expression(),
      target: some(symbols, next()),
      low: some(symbols, next()),
      high: some(symbols, next()),
      condition: expression(),
    }
  }

  const reverse = (): readonly ReverseDependency[] => {
    const length = next()
    if (length === 0) return none
    const made: ReverseDependency[] = []
    for (let i = 0; i < length; i++) {
      const selector = some(symbols, next())
      const condition = expression()
      made.push({ selector, condition, term: expression() as Expr, property: some(properties, next()) })
    }
    return made
  }
  for (const symbol of symbols) {
    symbol.choice = some(symbols, next())
    symbol.directDependency = expression()
    symbol.members = list(symbols)
    symbol.properties = list(properties)
    symbol.nodes = list(nodes)
    symbol.selectedBy = reverse()
    symbol.impliedBy = reverse()
  }
  const walkOrder = list(symbols)
  const bottomUp = list(symbols)
  next()
  const root = nodes[next()] as DraftNode
  const [modules, n, m, y] = [next(), next(), next(), next()].map((index) => symbols[index] as DraftSymbol)
  const files = Array.from({ length: next() }, () => text() ?? '')
  const environment = new Map(Array.from({ length: next() }, () => [text() ?? '', text() ?? ''] as const))

  // Nodes refer to each other and to properties: those places of their rows were passed over.
  for (let i = 0; i < places.length; i += 2) {
    const node = nodes[places[i] as number] as DraftNode
    at = places[i + 1] as number
    node.prompt = some(properties, next())
    node.parent = some(nodes, next())
    node.next = some(nodes, next())
    node.firstChild = some(nodes, next())
  }
  return {
    dialect,
    symbols,
    byName,
    walkOrder,
    root,
    nodeCount,
    propertyCount,
    expressionCount,
    bottomUp,
    modules: modules as DraftSymbol,
    constants: { n: n as DraftSymbol, m: m as DraftSymbol, y: y as DraftSymbol },
    files,
    environment,
  }
}

/** The file of a help text is read when somebody wants to see it. */
const helpAt = (file: string, start: number, readFile: (name: string) => string | undefined): HelpBlock => ({
  get text() {
    return readFile(file) ?? ''
  },
  start,
})
