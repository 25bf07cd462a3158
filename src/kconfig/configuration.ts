/**
 * The values of a tree's symbols: what the user asked for, and what follows from it.
 *
 * A symbol's value is found on demand and kept until something changes; `invalidate` forgets all of them, which is the
 * whole invalidation rule. For each symbol, in this order:
 *
 * - *visibility*: the best of its prompts' conditions, an upper bound on what the user can set;
 * - the *user's value*, as far as it is visible;
 * - else the first *default* whose condition holds, and what *imply* adds within the direct dependencies;
 * - at least what *select* demands, even against the direct dependencies (that is the "unmet direct dependencies"
 *   warning);
 * - bool symbols, and tristate ones while modules are off, go from m to y.
 *
 * Choices are where dialects differ: `chooseTristate` is the way up to 6.8, `chooseBool` that of 6.9 and later.
 *
 * Named curiosities: STALE-PROMPT (the visibility of a prompt is that of the last calculation), and
 * CHOICE-BECOMES-NEW (a choice counts as answered only while all its visible members are).
 *
 * The one factory holds all state in typed arrays over symbol numbers; what it gives out are functions over them.
 */
import { printExpr, printReverseDependencies } from './expression-text.ts'
import type {
  Expr,
  Kconfig,
  KconfigSymbol,
  MenuNode,
  Property,
  ReverseDependency,
  Tristate,
} from './model.ts'
import { MOD, NO, YES } from './model.ts'
import { compareValues, isValidText, parseNumber } from './numbers.ts'

const VALID = 1
const WRITE = 2
const USER = 4
/** 6.1: the members of this choice are to be filled in before it is asked for */
const FILL = 8

/** What a user gave a symbol: a tristate, or the text of an int, hex or string. */
export interface UserValue {
  readonly tristate: Tristate
  readonly text: string | undefined
}

export interface Configuration {
  readonly tree: Kconfig
  /** The value of a bool or tristate; n for others. */
  tristate(symbol: KconfigSymbol): Tristate
  /** The value as text: y, m, n, or the text of an int, hex or string. */
  text(symbol: KconfigSymbol): string
  visibility(symbol: KconfigSymbol): Tristate
  /** bool and tristate as they act now: a tristate is a bool while modules are off. */
  actsAsBool(symbol: KconfigSymbol): boolean
  /** What select demands at least. */
  selected(symbol: KconfigSymbol): Tristate
  implied(symbol: KconfigSymbol): Tristate
  directDependency(symbol: KconfigSymbol): Tristate
  /** Whether the symbol belongs into a .config. */
  isWritten(symbol: KconfigSymbol): boolean
  evaluate(expr: Expr | undefined): Tristate
  /** The value that the symbol would have if the user had not said anything about it. */
  defaultText(symbol: KconfigSymbol): string
  /** The first property of the kind whose condition holds. */
  activeProperty(symbol: KconfigSymbol, kind: 'default' | 'range'): Property | undefined
  isMenuVisible(node: MenuNode): boolean
  isChangeable(symbol: KconfigSymbol): boolean
  isWithinRange(symbol: KconfigSymbol, value: string): boolean
  canBe(symbol: KconfigSymbol, value: Tristate): boolean
  /** Of a choice: the member that is y. */
  chosen(choice: KconfigSymbol): KconfigSymbol | undefined
  /** The member that a choice takes when nobody has said anything. */
  defaultMember(choice: KconfigSymbol): KconfigSymbol | undefined

  userValue(symbol: KconfigSymbol): UserValue | undefined
  /** Sets as a person would in a menu: refused (false) when the symbol cannot take the value now. */
  set(symbol: KconfigSymbol, value: string): boolean
  setTristate(symbol: KconfigSymbol, value: Tristate): boolean
  /** Makes this member the chosen one. */
  choose(member: KconfigSymbol): void

  /** Everything below writes user values without asking whether they are possible, and forgets nothing. */
  readonly raw: RawAccess
  /** Forgets every calculated value. */
  invalidate(): void
  /** A configuration with the same user values, independent of this one. */
  copy(): Configuration
  /**
   * A copy in which what has been calculated stays so, whatever is set: the caller says what to forget
   * (`raw.forgetValue`). For finding out what little a change changes; see trial.ts.
   */
  fork(): Configuration
  /** Selects that went against direct dependencies since the configuration was made, in the kernel's words. */
  readonly warnings: readonly string[]
}

export interface RawAccess {
  setTristate(symbol: KconfigSymbol, value: Tristate): void
  setText(symbol: KconfigSymbol, value: string): void
  /** Changes the value that is kept and not whether it counts as the user's. */
  storeTristate(symbol: KconfigSymbol, value: Tristate): void
  storedTristate(symbol: KconfigSymbol): Tristate
  markAsUser(symbol: KconfigSymbol): void
  forget(symbol: KconfigSymbol): void
  forgetAll(): void
  forgetValue(symbol: KconfigSymbol): void
  /** 6.1: which member of a choice the user picked, and the best value any member was given */
  pick(choice: KconfigSymbol, member: KconfigSymbol | undefined): void
  fillBefore(symbol: KconfigSymbol): void
  fill(choice: KconfigSymbol): void
  /** 6.12: the member goes to the front (or the back) of the order in which members are asked */
  prefer(member: KconfigSymbol): void
  preferLast(member: KconfigSymbol): void
  isValid(symbol: KconfigSymbol): boolean
  unmarkWritten(symbol: KconfigSymbol): void
}

interface State {
  readonly flags: Uint8Array
  readonly userTristate: Uint8Array
  readonly userText: (string | undefined)[]
  readonly userChosen: (KconfigSymbol | undefined)[]
  readonly memberOrder: Map<KconfigSymbol, KconfigSymbol[]>
  /** present in a fork */
  readonly calculated?: Calculated
}

/** Values as they were calculated, each in an array by symbol. */
interface Calculated {
  readonly tri: Uint8Array
  readonly texts: string[]
  readonly chosenMember: (KconfigSymbol | undefined)[]
  readonly visible: Uint8Array
  readonly direct: Uint8Array
  readonly selectedAt: Uint8Array
  readonly impliedAt: Uint8Array
  readonly modulesOn: Tristate
}

export const tristateText = (value: Tristate): 'n' | 'm' | 'y' =>
  value === YES ? 'y' : value === MOD ? 'm' : 'n'

/** `&&` and `||` of values */
const both = (a: Tristate, b: Tristate): Tristate => (a < b ? a : b)
const either = (a: Tristate, b: Tristate): Tristate => (b > a ? b : a)

export function createConfiguration(tree: Kconfig, from?: State): Configuration {
  const { dialect, symbols, modules } = tree
  const tristateChoices = dialect.choices === 'tristate'
  const directDependencies = dialect.dependencies !== 'none'
  const implyToY = dialect.dependencies === 'direct, imply to y'
  const size = symbols.length
  const flags = from === undefined ? new Uint8Array(size) : from.flags.slice()
  const userTristate = from === undefined ? new Uint8Array(size) : from.userTristate.slice()
  const userText: (string | undefined)[] = from === undefined ? new Array(size) : from.userText.slice()
  const userChosen: (KconfigSymbol | undefined)[] =
    from === undefined ? new Array(size) : from.userChosen.slice()
  const memberOrder = new Map<KconfigSymbol, KconfigSymbol[]>()
  for (const [choice, order] of from?.memberOrder ?? []) memberOrder.set(choice, order.slice())

  const kept = from?.calculated
  const tri = kept?.tri.slice() ?? new Uint8Array(size)
  const texts: string[] = kept?.texts.slice() ?? new Array(size).fill('')
  const chosenMember: (KconfigSymbol | undefined)[] = kept?.chosenMember.slice() ?? new Array(size)
  const visible = kept?.visible.slice() ?? new Uint8Array(size)
  const direct = kept?.direct.slice() ?? new Uint8Array(size)
  const selectedAt = kept?.selectedAt.slice() ?? new Uint8Array(size)
  const impliedAt = kept?.impliedAt.slice() ?? new Uint8Array(size)
  const promptVisible = new Uint8Array(tree.propertyCount + 1)
  // 6.12 keeps the value of every expression between changes. Values do not need it; the order of warnings does.
  const known = tristateChoices || kept !== undefined ? undefined : new Uint8Array(tree.expressionCount)
  const warnings: string[] = []
  let modulesOn: Tristate = kept?.modulesOn ?? NO
  let settled = kept !== undefined

  for (const constant of [tree.constants.n, tree.constants.m, tree.constants.y])
    flags[constant.index] = (flags[constant.index] ?? 0) | VALID
  tri[tree.constants.m.index] = MOD
  tri[tree.constants.y.index] = YES

  const has = (symbol: KconfigSymbol, flag: number): boolean => ((flags[symbol.index] ?? 0) & flag) !== 0
  const raise = (symbol: KconfigSymbol, flag: number): void => {
    flags[symbol.index] = (flags[symbol.index] ?? 0) | flag
  }
  const lower = (symbol: KconfigSymbol, flag: number): void => {
    flags[symbol.index] = (flags[symbol.index] ?? 0) & ~flag
  }
  const at = (array: Uint8Array, symbol: KconfigSymbol): Tristate => array[symbol.index] as Tristate
  const isLogical = (symbol: KconfigSymbol): boolean => symbol.type === 'bool' || symbol.type === 'tristate'

  function actsAsBool(symbol: KconfigSymbol): boolean {
    if (symbol.type === 'bool') return true
    if (symbol.type !== 'tristate') return false
    if (modulesOn === NO) return true
    return tristateChoices && symbol.choice !== undefined && at(visible, symbol) === YES
  }

  const textOf = (symbol: KconfigSymbol): string =>
    isLogical(symbol) ? tristateText(at(tri, symbol)) : (texts[symbol.index] ?? '')

  function evaluate(expr: Expr | undefined): Tristate {
    if (expr === undefined) return YES
    if (known === undefined) return compute(expr)
    const before = known[expr.id]
    if (before !== undefined && before > 0) return (before - 1) as Tristate
    const value = compute(expr)
    known[expr.id] = value + 1
    return value
  }

  function compute(expr: Expr): Tristate {
    switch (expr.kind) {
      case 'symbol':
        calculate(expr.symbol)
        return at(tri, expr.symbol)
      case 'and': {
        const left = evaluate(expr.left)
        const right = evaluate(expr.right)
        return both(left, right)
      }
      case 'or': {
        const left = evaluate(expr.left)
        const right = evaluate(expr.right)
        return either(left, right)
      }
      case 'not':
        return (2 - evaluate(expr.operand)) as Tristate
      default: {
        const { left, right } = expr
        calculate(left)
        calculate(right)
        const order = compareValues(textOf(left), left.type, textOf(right), right.type)
        switch (expr.kind) {
          case '=':
            return order === 0 ? YES : NO
          case '!=':
            return order !== 0 ? YES : NO
          case '<':
            return order < 0 ? YES : NO
          case '<=':
            return order <= 0 ? YES : NO
          case '>':
            return order > 0 ? YES : NO
          default:
            return order >= 0 ? YES : NO
        }
      }
    }
  }

  function bestOf(terms: readonly ReverseDependency[]): Tristate {
    let best: Tristate = NO
    for (const { selector, condition } of terms) {
      let value: Tristate = YES
      if (selector !== undefined) {
        calculate(selector)
        value = at(tri, selector)
      }
      const allowed = evaluate(condition)
      if (allowed < value) value = allowed
      if (value > best) best = value
    }
    return best
  }

  function calculateVisibility(symbol: KconfigSymbol): void {
    const { index } = symbol
    let best: Tristate = NO
    for (const property of symbol.properties) {
      if (property.text === undefined) continue
      let value = evaluate(property.condition)
      // A member that could only be m is out of the question while its choice is at y.
      if (
        tristateChoices &&
        directDependencies &&
        symbol.choice !== undefined &&
        symbol.type === 'tristate' &&
        value === MOD &&
        at(tri, symbol.choice) === YES
      )
        value = NO
      promptVisible[property.index] = value
      if (value > best) best = value
    }
    if (best === MOD && (symbol.type !== 'tristate' || modulesOn === NO)) best = YES
    visible[index] = best
    if (symbol.choice !== undefined) return
    const rounded = (value: Tristate): Tristate => (value === MOD && actsAsBool(symbol) ? YES : value)
    direct[index] = directDependencies ? rounded(evaluate(symbol.directDependency)) : YES
    selectedAt[index] = symbol.selectedBy.length === 0 ? NO : rounded(bestOf(symbol.selectedBy))
    impliedAt[index] =
      symbol.impliedBy.length === 0 || (implyToY && direct[index] === NO)
        ? NO
        : rounded(bestOf(symbol.impliedBy))
  }

  function activeProperty(symbol: KconfigSymbol, kind: 'default' | 'range'): Property | undefined {
    for (const property of symbol.properties)
      if (property.kind === kind && evaluate(property.condition) !== NO) return property
    return undefined
  }

  function warnUnmet(symbol: KconfigSymbol): void {
    const value = (of: KconfigSymbol): string => textOf(of)
    const depends = symbol.directDependency === undefined ? 'y' : printExpr(symbol.directDependency, value)
    warnings.push(
      `\nWARNING: unmet direct dependencies detected for ${symbol.name ?? '(null)'}\n` +
        `  Depends on [${at(direct, symbol) === MOD ? 'm' : 'n'}]: ${depends}\n` +
        printReverseDependencies(symbol.selectedBy, YES, '  Selected by [y]:\n', evaluate, value) +
        printReverseDependencies(symbol.selectedBy, MOD, '  Selected by [m]:\n', evaluate, value),
    )
  }

  // --- choices ----------------------------------------------------------------------------------------------------

  function defaultMember(choice: KconfigSymbol): KconfigSymbol | undefined {
    for (const property of choice.properties) {
      if (property.kind !== 'default' || evaluate(property.condition) === NO) continue
      if (property.value?.kind === 'symbol' && at(visible, property.value.symbol) !== NO)
        return property.value.symbol
    }
    for (const member of membersInMenuOrder(choice)) if (at(visible, member) !== NO) return member
    return undefined
  }

  /** Members as they stand in the menu; a symbol listed twice counts once. */
  const membersInMenuOrder = (choice: KconfigSymbol): readonly KconfigSymbol[] => choice.members

  function chooseTristate(choice: KconfigSymbol): KconfigSymbol | undefined {
    let answered = true
    for (const member of choice.members) {
      calculateVisibility(member)
      if (at(visible, member) !== NO && !has(member, USER)) answered = false
    }
    // CHOICE-BECOMES-NEW
    if (!answered && directDependencies) lower(choice, USER)
    const picked = userChosen[choice.index]
    if (picked !== undefined && at(visible, picked) !== NO) return picked
    const member = defaultMember(choice)
    if (member === undefined) tri[choice.index] = NO
    return member
  }

  const orderOf = (choice: KconfigSymbol): KconfigSymbol[] => {
    let order = memberOrder.get(choice)
    if (order === undefined) {
      order = [...choice.members]
      memberOrder.set(choice, order)
    }
    return order
  }

  /** 6.12: exactly one visible member is y: the one asked for last, else the default, else the first not refused. */
  function chooseBool(choice: KconfigSymbol): KconfigSymbol | undefined {
    const order = orderOf(choice)
    let result: KconfigSymbol | undefined
    for (const member of order) {
      calculateVisibility(member)
      if (at(visible, member) === NO) continue
      if (has(member, USER) && userTristate[member.index] === YES) {
        result = member
        break
      }
    }
    if (result === undefined) {
      result = defaultMember(choice)
      if (result !== undefined && has(result, USER) && userTristate[result.index] === NO) result = undefined
    }
    result ??= choice.members.find((member) => at(visible, member) !== NO && !has(member, USER))
    for (let i = order.length - 1; i >= 0 && result === undefined; i--) {
      const member = order[i]
      if (member !== undefined && at(visible, member) !== NO) result = member
    }
    for (const member of choice.members) {
      if (at(visible, member) === NO) continue
      tri[member.index] = member === result ? YES : NO
      raise(member, VALID | WRITE)
    }
    return result
  }

  function fill(choice: KconfigSymbol): void {
    for (const member of choice.members) if (!has(member, USER)) userTristate[member.index] = NO
    raise(choice, USER)
    lower(choice, VALID | FILL)
  }

  // --- values -----------------------------------------------------------------------------------------------------

  function calculate(symbol: KconfigSymbol): void {
    const { index, type } = symbol
    const before = flags[index] ?? 0
    if ((before & VALID) !== 0) return
    if (tristateChoices && symbol.choice !== undefined && (before & FILL) !== 0) {
      lower(symbol, FILL)
      calculate(symbol.choice)
    }
    if (type === 'unknown') {
      flags[index] = (flags[index] ?? 0) | VALID
      texts[index] = symbol.name ?? ''
      tri[index] = NO
      return
    }
    flags[index] = ((flags[index] ?? 0) | VALID) & ~WRITE
    calculateVisibility(symbol)
    if (visible[index] !== NO) raise(symbol, WRITE)
    // Where the calculation comes back to this symbol, it sees n, or nothing.
    tri[index] = NO
    chosenMember[index] = undefined
    if (type === 'bool' || type === 'tristate') calculateTristate(symbol)
    else calculateText(symbol)
    if (symbol === modules) modulesOn = at(tri, symbol)
    if (!symbol.isChoice) return
    if (tristateChoices) {
      for (const member of symbol.members)
        if (has(symbol, WRITE) && at(visible, member) !== NO) raise(member, WRITE)
      lower(symbol, WRITE)
      if (has(symbol, FILL)) fill(symbol)
    } else lower(symbol, WRITE)
  }

  function calculateTristate(symbol: KconfigSymbol): void {
    const { index } = symbol
    let value: Tristate = NO
    const { choice } = symbol
    if (choice !== undefined && !tristateChoices) {
      chooseBool(choice)
      value = at(tri, symbol)
    } else if (choice !== undefined && visible[index] === YES) {
      value = chosenMember[choice.index] === symbol ? YES : NO
    } else {
      value = ownTristate(symbol)
      if (at(direct, symbol) < at(selectedAt, symbol)) warnUnmet(symbol)
      const least = at(selectedAt, symbol)
      if (least > value) value = least
    }
    if (value === MOD && (actsAsBool(symbol) || (implyToY && impliedAt[index] === YES))) value = YES
    tri[index] = value
    if (tristateChoices && symbol.isChoice && value === YES) chosenMember[index] = chooseTristate(symbol)
  }

  /** The value before select: the user's, or a default and what imply adds to it. */
  function ownTristate(symbol: KconfigSymbol): Tristate {
    if (!directDependencies) return ownTristateWithoutDependencies(symbol)
    const { index } = symbol
    const shown = at(visible, symbol)
    if (shown !== NO && has(symbol, USER)) {
      const wanted = userTristate[index] as Tristate
      return both(wanted, shown)
    }
    if (selectedAt[index] !== NO) raise(symbol, WRITE)
    if (symbol.isChoice) return NO
    let value: Tristate = NO
    for (const property of symbol.properties) {
      if (property.kind !== 'default') continue
      const allowed = evaluate(property.condition)
      if (allowed === NO) continue
      const offered = evaluate(property.value)
      value = both(offered, allowed)
      if (value !== NO) raise(symbol, WRITE)
      break
    }
    const implied = at(impliedAt, symbol)
    if (implied !== NO) {
      raise(symbol, WRITE)
      if (implied > value) value = implied
      const allowed = at(direct, symbol)
      if (allowed < value) value = allowed
    }
    return value
  }

  /** The same where a select brings back what no prompt shows, see `Dialect.dependencies`. */
  function ownTristateWithoutDependencies(symbol: KconfigSymbol): Tristate {
    const shown = at(visible, symbol)
    const counts = either(shown, at(selectedAt, symbol)) !== NO
    if (counts) raise(symbol, WRITE)
    if (counts && has(symbol, USER)) return both(at(userTristate, symbol), shown)
    const property = symbol.isChoice ? undefined : activeProperty(symbol, 'default')
    if (property === undefined) return NO
    raise(symbol, WRITE)
    const offered = evaluate(property.value)
    return counts ? both(offered, shown) : offered
  }

  const emptyText = (symbol: KconfigSymbol): string =>
    !dialect.numbersStartAtZero || symbol.type === 'string' ? '' : symbol.type === 'hex' ? '0x0' : '0'

  function calculateText(symbol: KconfigSymbol): void {
    const { index } = symbol
    let value = emptyText(symbol)
    texts[index] = value
    const given = userText[index]
    if (visible[index] !== NO && has(symbol, USER) && given !== undefined) value = given
    else {
      const property = activeProperty(symbol, 'default')
      if (property?.value?.kind === 'symbol') {
        raise(symbol, WRITE)
        calculate(property.value.symbol)
        value = plainText(property.value.symbol)
      }
    }
    texts[index] = value
    clampToRange(symbol)
  }

  /** The stored text: that of a bool or tristate is always "n" or what it was called with, never its value. */
  const plainText = (symbol: KconfigSymbol): string =>
    symbol.constant && isLogical(symbol)
      ? (symbol.name ?? '')
      : isLogical(symbol)
        ? 'n'
        : (texts[symbol.index] ?? '')

  const baseOf = (symbol: KconfigSymbol): 10 | 16 | 0 =>
    symbol.type === 'int' ? 10 : symbol.type === 'hex' ? 16 : 0

  function limit(bound: KconfigSymbol, base: 10 | 16 | 0): bigint {
    calculate(bound)
    return parseNumber(plainText(bound), baseOf(bound) || base).value
  }

  function clampToRange(symbol: KconfigSymbol): void {
    const base = baseOf(symbol)
    if (base === 0) return
    const range = activeProperty(symbol, 'range')
    if (range?.low === undefined || range.high === undefined) return
    const { value } = parseNumber(texts[symbol.index] ?? '', base)
    let bound = range.low
    if (value >= limit(bound, base)) {
      bound = range.high
      if (value <= limit(bound, base)) return
    }
    const number = limit(bound, base)
    texts[symbol.index] = dialect.boundsAsSpelled
      ? plainText(bound)
      : base === 16
        ? `0x${BigInt.asUintN(64, number).toString(16)}`
        : String(number)
  }

  function invalidate(): void {
    for (let i = 3; i < size; i++) flags[i] = (flags[i] ?? 0) & ~VALID
    known?.fill(0)
    settled = false
    calculate(modules)
  }

  /** Deep trees are calculated bottom-up first, so that the stack never gets deep. */
  function settle(): void {
    if (settled) return
    settled = true
    for (const symbol of tree.bottomUp) calculate(symbol)
  }

  function ensure(symbol: KconfigSymbol): void {
    if (!settled) settle()
    calculate(symbol)
  }

  function isWithinRange(symbol: KconfigSymbol, value: string): boolean {
    if (isLogical(symbol)) {
      const first = value.charAt(0).toLowerCase()
      if (first === 'y') return canBe(symbol, YES)
      if (first === 'm') return canBe(symbol, MOD)
      return first === 'n' && canBe(symbol, NO)
    }
    if (!isValidText(symbol.type, value)) return false
    const base = baseOf(symbol)
    if (base === 0) return true
    const range = activeProperty(symbol, 'range')
    if (range?.low === undefined || range.high === undefined) return true
    const number = parseNumber(value, base).value
    return number >= limit(range.low, base) && number <= limit(range.high, base)
  }

  function canBe(symbol: KconfigSymbol, value: Tristate): boolean {
    const shown = at(visible, symbol)
    if (shown === NO || !isLogical(symbol)) return false
    if (actsAsBool(symbol) && value === MOD) return false
    if (shown <= at(selectedAt, symbol)) return false
    if (tristateChoices && symbol.choice !== undefined && shown === YES) return value === YES
    if (implyToY && value === MOD && at(impliedAt, symbol) === YES) return false
    return value >= at(selectedAt, symbol) && value <= shown
  }

  function setTristate(symbol: KconfigSymbol, value: Tristate): boolean {
    const old = at(tri, symbol)
    if (tristateChoices) {
      if (old !== value && !canBe(symbol, value)) return false
      raise(symbol, USER)
      if (symbol.choice !== undefined && value === YES) {
        userChosen[symbol.choice.index] = symbol
        raise(symbol.choice, USER)
        for (const member of symbol.choice.members) if (at(visible, member) !== NO) raise(member, USER)
      }
    } else {
      if (!canBe(symbol, value)) return false
      raise(symbol, USER)
    }
    userTristate[symbol.index] = value
    if (old !== value) invalidate()
    return true
  }

  function choose(member: KconfigSymbol): void {
    const { choice } = member
    if (choice === undefined) return
    if (tristateChoices) {
      setTristate(member, YES)
      return
    }
    let changed = false
    const order = orderOf(choice)
    for (const other of choice.members) {
      if (at(visible, other) === NO) continue
      const value = other === member ? YES : NO
      if (at(tri, other) !== value) changed = true
      userTristate[other.index] = value
      raise(other, USER)
      moveTo(order, other, 'front')
    }
    if (changed) invalidate()
  }

  function moveTo(order: KconfigSymbol[], member: KconfigSymbol, where: 'front' | 'back'): void {
    const index = order.indexOf(member)
    if (index >= 0) order.splice(index, 1)
    if (where === 'front') order.unshift(member)
    else order.push(member)
  }

  function set(symbol: KconfigSymbol, value: string): boolean {
    if (isLogical(symbol)) {
      const first = value.charAt(0).toLowerCase()
      if (first === 'y') return setTristate(symbol, YES)
      if (first === 'm') return setTristate(symbol, MOD)
      return first === 'n' && setTristate(symbol, NO)
    }
    if (!isWithinRange(symbol, value)) return false
    raise(symbol, USER)
    const bare = symbol.type === 'hex' && !/^0[xX]/.test(value)
    if (!bare && userText[symbol.index] === value) return true
    userText[symbol.index] = bare ? `0x${value}` : value
    invalidate()
    return true
  }

  function isMenuVisible(node: MenuNode): boolean {
    const { prompt, symbol } = node
    if (prompt === undefined) return false
    if (node.visibility !== undefined && evaluate(node.visibility) === NO) return false
    if (symbol === undefined) {
      const value = evaluate(prompt.condition)
      promptVisible[prompt.index] = value
      return value !== NO
    }
    calculate(symbol)
    // STALE-PROMPT
    if (promptVisible[prompt.index] !== NO) return true
    if (at(tri, symbol) === NO) return false
    for (let child = node.firstChild; child !== undefined; child = child.next)
      if (isMenuVisible(child)) {
        if (tristateChoices) raise(symbol, USER)
        return true
      }
    return false
  }

  function defaultText(symbol: KconfigSymbol): string {
    calculateVisibility(symbol)
    calculate(modules)
    const property = activeProperty(symbol, 'default')
    if (!isLogical(symbol)) {
      let text = ''
      if (property?.value?.kind === 'symbol') {
        calculate(property.value.symbol)
        text = plainText(property.value.symbol)
      }
      return text === '' ? emptyText(symbol) : text
    }
    let value: Tristate = NO
    if (property !== undefined) {
      const offered = evaluate(property.value)
      const allowed = evaluate(property.condition)
      value = both(offered, allowed)
    }
    if (at(selectedAt, symbol) > value) value = at(selectedAt, symbol)
    if (value === MOD && symbol.choice === undefined && at(tri, modules) === NO) value = YES
    if (value === MOD && symbol.type === 'bool') value = YES
    if (value < at(impliedAt, symbol)) value = at(impliedAt, symbol)
    return tristateText(value)
  }

  const raw: RawAccess = {
    setTristate(symbol, value) {
      userTristate[symbol.index] = value
      raise(symbol, USER)
    },
    setText(symbol, value) {
      userText[symbol.index] = value
      raise(symbol, USER)
    },
    storeTristate(symbol, value) {
      userTristate[symbol.index] = value
    },
    storedTristate: (symbol) => at(userTristate, symbol),
    markAsUser: (symbol) => raise(symbol, USER),
    forget: (symbol) => lower(symbol, USER),
    forgetAll() {
      for (const symbol of symbols) {
        if (symbol.index < 3) continue
        lower(symbol, USER | VALID)
        if (tristateChoices && symbol.isChoice) raise(symbol, USER)
        userTristate[symbol.index] = NO
        userText[symbol.index] = undefined
        userChosen[symbol.index] = undefined
      }
      known?.fill(0)
      settled = false
    },
    forgetValue: (symbol) => lower(symbol, VALID),
    pick(choice, member) {
      userChosen[choice.index] = member
    },
    fillBefore: (symbol) => raise(symbol, FILL),
    fill,
    prefer(member) {
      if (member.choice !== undefined) moveTo(orderOf(member.choice), member, 'front')
    },
    preferLast(member) {
      if (member.choice !== undefined) moveTo(orderOf(member.choice), member, 'back')
    },
    isValid: (symbol) => has(symbol, VALID),
    unmarkWritten: (symbol) => lower(symbol, WRITE),
  }

  return {
    tree,
    tristate(symbol) {
      ensure(symbol)
      return at(tri, symbol)
    },
    text(symbol) {
      ensure(symbol)
      return textOf(symbol)
    },
    visibility(symbol) {
      ensure(symbol)
      return at(visible, symbol)
    },
    actsAsBool,
    selected(symbol) {
      ensure(symbol)
      return at(selectedAt, symbol)
    },
    implied(symbol) {
      ensure(symbol)
      return at(impliedAt, symbol)
    },
    directDependency(symbol) {
      ensure(symbol)
      return at(direct, symbol)
    },
    isWritten(symbol) {
      ensure(symbol)
      return has(symbol, WRITE)
    },
    evaluate(expr) {
      if (!settled) settle()
      return evaluate(expr)
    },
    defaultText,
    activeProperty,
    isMenuVisible,
    isChangeable: (symbol) =>
      !(symbol.isChoice && !tristateChoices) && at(visible, symbol) > at(selectedAt, symbol),
    isWithinRange,
    canBe,
    chosen(choice) {
      if (!tristateChoices) return chooseBool(choice)
      ensure(choice)
      return chosenMember[choice.index]
    },
    defaultMember,
    userValue: (symbol) =>
      has(symbol, USER) ? { tristate: at(userTristate, symbol), text: userText[symbol.index] } : undefined,
    set,
    setTristate,
    choose,
    raw,
    invalidate,
    copy() {
      const copied = createConfiguration(tree, { flags, userTristate, userText, userChosen, memberOrder })
      copied.invalidate()
      return copied
    },
    fork() {
      const calculated = { tri, texts, chosenMember, visible, direct, selectedAt, impliedAt, modulesOn }
      return createConfiguration(tree, {
        flags,
        userTristate,
        userText,
        userChosen,
        memberOrder,
        calculated,
      })
    },
    warnings,
  }
}
