/**
 * Finishing the menu tree after reading: dependencies are handed down to everything inside a block, selects become
 * reverse dependencies of their targets, entries that depend on the entry before them become its submenu, and `if`
 * blocks dissolve into the menu around them. What an entry is worth depends on the first two; where it stands in the
 * menu (and so in a .config, and in the order of questions) on the others.
 *
 * Curiosities that are kept:
 * FIRST-WITHOUT-DEPENDENCY: where a symbol has several entries, its direct dependency is the "or" of theirs, and an
 *   entry without any is left out of it instead of making it "always".
 * LITERAL-M: a literal `m` in a condition means `m && MODULES`.
 */
import type { Dialect } from './dialect.ts'
import { appended, type DraftNode, type DraftProperty, type DraftSymbol } from './draft.ts'
import { type Expressions, mayMentionM, mentions, needs } from './expressions.ts'
import type { Expr } from './model.ts'
import { isValidText } from './numbers.ts'
import { typeName } from './parser.ts'

export interface FinalizeInput {
  readonly dialect: Dialect
  readonly expressions: Expressions
  readonly modules: DraftSymbol
  readonly m: DraftSymbol
  readonly y: DraftSymbol
  readonly propertyCount: number
  message(line: string): void
}

/** @returns the entry at which an expression got deeper than can be handled */
export function finalize(input: FinalizeInput, root: DraftNode): DraftNode | undefined {
  const { dialect, expressions, message } = input
  const tristateChoices = dialect.choices === 'tristate'
  const checked = new Set<DraftSymbol>()
  const always = expressions.symbol(input.y)

  const rewritten = new Map<Expr, Expr>()
  function rewriteM(expr: Expr): Expr {
    if (!mayMentionM(expr)) return expr
    switch (expr.kind) {
      case 'symbol':
        return expr.symbol === input.m ? expressions.and(expr, expressions.symbol(input.modules)) : expr
      case 'not':
      case 'and':
      case 'or': {
        const known = rewritten.get(expr)
        if (known !== undefined) return known
        const result =
          expr.kind === 'not'
            ? expressions.not(rewriteM(expr.operand))
            : expr.kind === 'and'
              ? expressions.and(rewriteM(expr.left), rewriteM(expr.right))
              : expressions.or(rewriteM(expr.left), rewriteM(expr.right))
        rewritten.set(expr, result)
        return result
      }
      default:
        return expr
    }
  }

  /** A condition with what surrounds it joined on, simplified. */
  function within(outer: Expr | undefined, own: Expr | undefined): Expr | undefined {
    const prepared = own && expressions.transform(rewriteM(own))
    const joined = expressions.join(outer, prepared)
    return joined && expressions.withoutDuplicates(joined)
  }

  const warnAt = (place: { file: string; line: number }, text: string): void =>
    message(`${place.file}:${place.line}:warning: ${text}`)

  function setType(node: DraftNode, type: DraftSymbol['type']): void {
    const { symbol } = node
    if (symbol === undefined || symbol.type === type) return
    if (symbol.type === 'unknown') symbol.type = type
    else
      warnAt(
        node,
        `ignoring type redefinition of '${symbol.name ?? '<choice>'}' from '${typeName(symbol.type)}' to '${typeName(type)}'`,
      )
  }

  /** A choice without a type has that of its first member with one; members without a type have that of the choice. */
  function shareTypes(choice: DraftNode, symbol: DraftSymbol): void {
    if (symbol.type === 'unknown')
      for (let child = choice.firstChild; child !== undefined; child = child.next)
        if (child.symbol !== undefined && child.symbol.type !== 'unknown') {
          setType(choice, child.symbol.type)
          break
        }
    for (let child = choice.firstChild; child !== undefined; child = child.next)
      if (child.symbol?.type === 'unknown') setType(child, symbol.type)
  }

  let tooDeep: DraftNode | undefined
  function handDown(child: DraftNode, outer: Expr | undefined): void {
    if (expressions.tooDeep) tooDeep ??= child
    const dependency = within(outer, child.dependency)
    child.dependency = dependency
    if (child.symbol === undefined) {
      if (child.prompt !== undefined) child.prompt.condition = within(dependency, child.prompt.condition)
      return
    }
    const own = expressions.symbol(child.symbol)
    for (const property of child.symbol.properties) {
      if (property.node !== child) continue
      const condition = property.condition === undefined ? dependency : within(dependency, property.condition)
      property.condition = condition
      if (property.target === undefined) continue
      const reverse = {
        selector: child.symbol,
        condition,
        term: condition === undefined ? own : expressions.and(own, condition),
        property,
      }
      const { target } = property
      if (property.kind === 'select') target.selectedBy = appended(target.selectedBy, reverse)
      else target.impliedBy = appended(target.impliedBy, reverse)
    }
  }

  function finish(parent: DraftNode, insideChoice: boolean): void {
    const { symbol } = parent
    if (parent.firstChild !== undefined) {
      let outer = parent.dependency
      if (tristateChoices && symbol?.isChoice) {
        shareTypes(parent, symbol)
        outer = expressions.symbol(symbol)
      }
      for (let child: DraftNode | undefined = parent.firstChild; child !== undefined; child = child.next)
        handDown(child, outer)
      for (let child: DraftNode | undefined = parent.firstChild; child !== undefined; child = child.next)
        finish(child, symbol?.isChoice === true)
    } else if (symbol !== undefined && (tristateChoices || !insideChoice)) {
      adoptDependents(parent, symbol)
      // FIRST-WITHOUT-DEPENDENCY
      symbol.directDependency =
        symbol.directDependency === undefined || parent.dependency === undefined
          ? (symbol.directDependency ?? parent.dependency)
          : expressions.or(symbol.directDependency, parent.dependency)
    }
    for (let child = parent.firstChild; child !== undefined; child = child.next) {
      if (tristateChoices && symbol?.isChoice) becomeMember(child, parent, symbol)
      dissolve(child, parent)
    }
    if (symbol === undefined) return
    if (!checked.has(symbol)) {
      checked.add(symbol)
      if (symbol.type === 'unknown') warnAt(parent, 'config symbol defined without type')
      if (tristateChoices && symbol.isChoice && parent.prompt === undefined)
        warnAt(parent, 'choice must have a prompt')
      checkProperties(symbol)
    }
    if (tristateChoices && symbol.isChoice && !symbol.optional && parent.prompt !== undefined) {
      // A visible choice that is not optional cannot be switched off: as if something selected it at m.
      const m = expressions.symbol(input.m)
      const visible = parent.prompt.condition
      const term = visible === undefined ? m : expressions.and(visible, m)
      const held = { selector: undefined, condition: term, term, property: undefined }
      symbol.selectedBy = appended(symbol.selectedBy, held)
    }
  }

  /** Entries right behind a symbol that depend on it become its children. */
  function adoptDependents(parent: DraftNode, symbol: DraftSymbol): void {
    let base: Expr | undefined
    let last: DraftNode | undefined
    for (let node = parent.next; node !== undefined; node = node.next) {
      const dependency = node.prompt !== undefined ? node.prompt.condition : node.dependency
      if (!mentions(dependency, symbol)) break
      if (!needs(dependency, symbol)) {
        // Not plainly: then its conditions must at least cover everything that the symbol itself needs.
        base ??= expressions.withoutDuplicates(
          expressions.transform(expressions.notN(parent.prompt?.condition)),
        )
        const own = expressions.withoutDuplicates(expressions.transform(expressions.notN(dependency)))
        const [, missing] = expressions.withoutCommon(own, base)
        if (missing !== always) break
      }
      finish(node, false)
      node.parent = parent
      last = node
    }
    if (last === undefined) return
    parent.firstChild = parent.next
    parent.next = last.next
    last.next = undefined
  }

  function becomeMember(child: DraftNode, choiceNode: DraftNode, choice: DraftSymbol): void {
    const { symbol } = child
    if (symbol === undefined || symbol.choice !== undefined) return
    if (child.prompt === undefined) warnAt(child, 'choice value must have a prompt')
    for (const property of symbol.properties) {
      if (property.kind === 'default') warnAt(property, 'defaults for choice values not supported')
      if (property.node === child) continue
      if (property.kind === 'prompt' && property.node.parent?.symbol !== choiceNode.symbol)
        warnAt(property, 'choice value used outside its choice group')
    }
    if (choice.type === 'tristate' && symbol.type !== 'tristate') {
      // Where several members can be m, one that is y or n only makes sense while the choice is at y.
      const atY = expressions.compare('=', choice, input.y)
      child.dependency = expressions.join(atY, child.dependency)
      for (const property of symbol.properties)
        if (property.node === child) property.condition = expressions.join(atY, property.condition)
    }
    symbol.choice = choice
    choice.members = appended(choice.members, symbol)
  }

  /** Entries without a prompt of their own do not show in the menu: their children take their place. */
  function dissolve(child: DraftNode, parent: DraftNode): void {
    if (child.firstChild === undefined || child.prompt !== undefined) return
    let last = child.firstChild
    for (;;) {
      last.parent = parent
      if (last.next === undefined) break
      last = last.next
    }
    last.next = child.next
    child.next = child.firstChild
    child.firstChild = undefined
  }

  const isNumber = (of: DraftSymbol, value: DraftSymbol): boolean =>
    value.type === 'int' ||
    value.type === 'hex' ||
    (value.type === 'unknown' && isValidText(of.type, value.name ?? ''))

  function checkProperties(symbol: DraftSymbol): void {
    for (const property of symbol.properties) checkProperty(symbol, property)
  }
  function checkProperty(symbol: DraftSymbol, property: DraftProperty): void {
    const { type } = symbol
    const name = symbol.name ?? '<choice>'
    const logical = type === 'bool' || type === 'tristate'
    if (property.kind === 'default') {
      const value = property.value?.kind === 'symbol' ? (property.value.symbol as DraftSymbol) : undefined
      if (value === undefined) {
        if (type === 'string' || type === 'int' || type === 'hex')
          warnAt(property, `default for config symbol '${name}' must be a single symbol`)
        return
      }
      if ((type === 'int' || type === 'hex') && !isNumber(symbol, value))
        warnAt(property, `'${name}': number is invalid`)
      if (symbol.isChoice && value.choice !== symbol)
        warnAt(property, `choice default symbol '${value.name ?? ''}' is not contained in the choice`)
    } else if (property.target !== undefined) {
      const { kind, target } = property
      if (!logical) warnAt(property, `config symbol '${name}' uses ${kind}, but is not bool or tristate`)
      else if (target.type !== 'unknown' && target.type !== 'bool' && target.type !== 'tristate')
        warnAt(
          property,
          `'${target.name ?? ''}' has wrong type. '${kind}' only accept arguments of bool and tristate type`,
        )
    } else if (property.low !== undefined && property.high !== undefined) {
      if (type !== 'int' && type !== 'hex') warnAt(property, 'range is only allowed for int or hex symbols')
      if (!isNumber(symbol, property.low) || !isNumber(symbol, property.high))
        warnAt(property, 'range is invalid')
    }
  }

  finish(root, false)
  return expressions.tooDeep ? (tooDeep ?? root) : undefined
}
