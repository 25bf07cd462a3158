/**
 * From tokens to a menu tree (Documentation/kbuild/kconfig-language.rst): entries, their options, and blocks.
 *
 * Mistakes are reported as the kernel's grammar reports them. Three of its habits show in the texts:
 * ERROR-RECOVERY: after a mistake the rest of the line is skipped, and what follows is read as a new statement, so
 *   options of a broken entry are mistakes again. "syntax error" is only said when three tokens were good since the
 *   last mistake; "invalid statement" is always said.
 * UNKNOWN-STATEMENT: a line that starts with a word that is no keyword is an "unknown statement".
 * END-OF-BLOCK: `endmenu`, `endif` and `endchoice` all end the innermost block; a wrong one is reported and does not.
 */
import type { Dialect } from './dialect.ts'
import { appended, type DraftNode, type DraftProperty, type DraftSymbol } from './draft.ts'
import type { Expressions } from './expressions.ts'
import { createLexer, keywordsOf, type Token } from './lexer.ts'
import type { Comparison, Expr, Property, SymbolType } from './model.ts'
import { PENDING, type Preprocessor } from './preprocess.ts'
import type { SymbolTable } from './symbol-table.ts'

/** How deep parentheses and blocks may nest. A bound of ours. */
const MAX_DEPTH = 500

export interface ParserInput {
  readonly dialect: Dialect
  readonly table: SymbolTable
  readonly expressions: Expressions
  readonly preprocessor: Preprocessor
  readFile(name: string): string | undefined
  /** a line for the user: warnings and errors alike, in the order in which they come up */
  message(line: string): void
}

export interface Parsed {
  readonly root: DraftNode
  readonly nodes: readonly DraftNode[]
  readonly propertyCount: number
  readonly modules: DraftSymbol | undefined
  readonly files: readonly string[]
  readonly errors: number
  /** what ended the reading before its end */
  readonly failure: string | undefined
  /** symbols whose entry asks for `allnoconfig_y` (dialects with `option` lines) */
  readonly allNoYes: readonly DraftSymbol[]
}

const typeNames: Record<SymbolType, string> = {
  unknown: 'unknown',
  bool: 'bool',
  tristate: 'tristate',
  int: 'integer',
  hex: 'hex',
  string: 'string',
}
export const typeName = (type: SymbolType): string => typeNames[type]

const startsWithSpace = /^[ \t\n\v\f\r]+/

const comparisons = new Set<Token>(['=', '!=', '<', '<=', '>', '>='])

export function parse(input: ParserInput, top: string): Parsed {
  const { dialect, table, expressions, preprocessor, message } = input
  const tristateChoices = dialect.choices === 'tristate'
  const lexer = createLexer(
    {
      preprocessor,
      keywords: keywordsOf(dialect),
      dialect,
      readFile: input.readFile,
      warning: message,
    },
    top,
  )
  const nodes: DraftNode[] = []
  let propertyCount = 0
  let errors = 0
  let modules: DraftSymbol | undefined
  const allNoYes: DraftSymbol[] = []

  const createNode = (symbol: DraftSymbol | undefined, parent: DraftNode | undefined): DraftNode => {
    const node: DraftNode = {
      index: nodes.length,
      symbol,
      prompt: undefined,
      parent,
      next: undefined,
      firstChild: undefined,
      dependency: undefined,
      visibility: undefined,
      help: undefined,
      file: lexer.currentFile,
      line: lexer.line,
    }
    nodes.push(node)
    return node
  }
  const root: DraftNode = createNode(undefined, undefined)
  let block = root
  let entry = root
  let lastSibling: DraftNode | undefined

  // --- tokens -----------------------------------------------------------------------------------------------------

  let token: Token = 'end-of-line'
  let peeked = false
  let errorStatus = 0
  let broken = false

  function peek(): Token {
    if (!peeked) {
      token = lexer.next()
      peeked = true
    }
    return token
  }
  function take(): string {
    peeked = false
    if (errorStatus > 0) errorStatus--
    return lexer.text
  }
  function accept(expected: Token): boolean {
    if (peek() !== expected) return false
    take()
    return true
  }
  /** Takes the token or starts recovery; `broken` is then set until the statement loop has dealt with it. */
  function expect(expected: Token): boolean {
    if (accept(expected)) return true
    mistake()
    return false
  }
  function mistake(): void {
    if (broken) return
    broken = true
    peek()
    if (errorStatus === 0) {
      errors++
      message(`${lexer.file}:${lexer.line + dialect.syntaxErrorLineOffset}: syntax error`)
    }
  }
  function error(text: string): void {
    errors++
    message(`${lexer.file}:${lexer.line}: ${text}`)
  }

  // --- building ---------------------------------------------------------------------------------------------------

  function addEntry(symbol: DraftSymbol | undefined): void {
    const node = createNode(symbol, block)
    if (lastSibling === undefined) block.firstChild = node
    else lastSibling.next = node
    lastSibling = node
    entry = node
    if (symbol !== undefined) {
      symbol.nodes = appended(symbol.nodes, node)
      if (tristateChoices) addProperty('definition', undefined)
    }
  }
  function openBlock(): DraftNode {
    block = entry
    lastSibling = undefined
    return block
  }
  function closeBlock(): void {
    lastSibling = block
    block = block.parent ?? root
  }

  /** Adds an option to the entry; what is particular to its kind is for the caller to fill in. */
  function addProperty(kind: Property['kind'], condition: Expr | undefined): DraftProperty {
    const property: DraftProperty = {
      index: propertyCount++,
      kind,
      node: entry,
      file: lexer.currentFile,
      line: lexer.line,
      text: undefined,
      value: undefined,
      target: undefined,
      low: undefined,
      high: undefined,
      condition,
    }
    const { symbol } = entry
    if (symbol !== undefined) symbol.properties = appended(symbol.properties, property)
    return property
  }

  function addPrompt(kind: 'prompt' | 'menu' | 'comment', text: string, condition: Expr | undefined): void {
    const warn = (what: string): void => message(`${lexer.currentFile}:${lexer.line}:warning: ${what}`)
    const shown = startsWithSpace.test(text) ? text.replace(startsWithSpace, '') : text
    if (shown !== text) warn('leading whitespace ignored')
    if (entry.prompt !== undefined) warn('prompt redefined')
    let visible = condition
    if (kind === 'prompt')
      for (let menu = entry.parent; menu !== undefined; menu = menu.parent)
        if (menu.visibility !== undefined) visible = expressions.join(visible, menu.visibility)
    const property = addProperty(kind, visible)
    property.text = shown
    entry.prompt = property
  }

  function setType(type: SymbolType): void {
    const { symbol } = entry
    if (symbol === undefined || symbol.type === type) return
    if (symbol.type === 'unknown') {
      symbol.type = type
      return
    }
    message(
      `${entry.file}:${entry.line}:warning: ignoring type redefinition of '${symbol.name ?? '<choice>'}'` +
        ` from '${typeName(symbol.type)}' to '${typeName(type)}'`,
    )
  }

  // --- expressions ------------------------------------------------------------------------------------------------

  function operandSymbol(): DraftSymbol | undefined {
    if (peek() === 'word') return table.named(take())
    if (peek() === 'quoted') return table.constant(take())
    mistake()
    return undefined
  }
  function nameSymbol(): DraftSymbol | undefined {
    if (peek() === 'word') return table.named(take())
    mistake()
    return undefined
  }

  function unary(depth: number): Expr | undefined {
    if (depth > MAX_DEPTH) {
      mistake()
      return undefined
    }
    if (accept('!')) {
      const operand = unary(depth + 1)
      return operand && expressions.not(operand)
    }
    if (accept('(')) {
      const inside = disjunction(depth + 1)
      if (inside === undefined || !expect(')')) return undefined
      return inside
    }
    const left = operandSymbol()
    if (left === undefined) return undefined
    const operator = peek()
    if (!comparisons.has(operator)) return expressions.symbol(left)
    take()
    const right = operandSymbol()
    return right && expressions.compare(operator as Comparison, left, right)
  }
  function conjunction(depth: number): Expr | undefined {
    let left = unary(depth)
    while (left !== undefined && accept('&&')) {
      const right = unary(depth)
      left = right && expressions.and(left, right)
    }
    return left
  }
  function disjunction(depth: number): Expr | undefined {
    let left = conjunction(depth)
    while (left !== undefined && accept('||')) {
      const right = conjunction(depth)
      left = right && expressions.or(left, right)
    }
    return left
  }
  const expression = (): Expr | undefined => disjunction(0)

  /** ` if EXPR` at the end of a line, or nothing. */
  function optionalCondition(): Expr | undefined {
    return accept('if') ? expression() : undefined
  }

  // --- options of entries -----------------------------------------------------------------------------------------

  /** Reads one option line of the entry; false when the next line is not one. */
  function configOption(): boolean {
    switch (peek()) {
      case 'bool':
      case 'tristate':
      case 'int':
      case 'hex':
      case 'string': {
        const type = token as SymbolType
        take()
        promptOfType()
        if (broken || !expect('end-of-line')) return true
        setType(type)
        return true
      }
      case 'prompt':
        promptOption()
        return true
      case 'default':
      case 'def_bool':
      case 'def_tristate': {
        const type = token === 'def_bool' ? 'bool' : token === 'def_tristate' ? 'tristate' : undefined
        take()
        const value = expression()
        const condition = broken ? undefined : optionalCondition()
        if (broken || value === undefined || !expect('end-of-line')) return true
        addProperty('default', condition).value = value
        if (type !== undefined) setType(type)
        return true
      }
      case 'select':
      case 'imply': {
        const kind = token as 'select' | 'imply'
        take()
        const target = nameSymbol()
        const condition = broken ? undefined : optionalCondition()
        if (broken || target === undefined || !expect('end-of-line')) return true
        addProperty(kind, condition).target = target
        return true
      }
      case 'range': {
        take()
        const low = operandSymbol()
        const high = broken ? undefined : operandSymbol()
        const condition = broken ? undefined : optionalCondition()
        if (broken || low === undefined || high === undefined || !expect('end-of-line')) return true
        const property = addProperty('range', condition)
        property.low = low
        property.high = high
        return true
      }
      case 'modules':
        take()
        if (!expect('end-of-line')) return true
        setModules()
        return true
      case 'option':
        take()
        optionLine()
        return true
      case 'depends':
        dependsOption()
        return true
      case 'help':
        helpOption()
        return true
      default:
        return false
    }
  }

  function setModules(): void {
    const { symbol } = entry
    if (symbol === undefined) return
    if (modules !== undefined)
      error(
        `symbol '${symbol.name ?? ''}' redefines option 'modules' already defined by symbol '${modules.name ?? ''}'`,
      )
    modules = symbol
  }

  /** `option env="X"`, `option modules` and others of the years before 5.0. */
  function optionLine(): void {
    while (peek() === 'word') {
      const name = take()
      const value = accept('=') ? (peek() === 'word' || peek() === 'quoted' ? take() : '') : undefined
      if (name === 'modules') setModules()
      else if (name === 'env' && value !== undefined) {
        const text = preprocessor.expandDollar(`(${value})`, 0).value
        addProperty('default', undefined).value = expressions.symbol(table.constant(text))
      } else if (name === 'allnoconfig_y' && entry.symbol !== undefined) allNoYes.push(entry.symbol)
    }
    expect('end-of-line')
  }

  const isText = (): boolean => peek() === 'quoted' || (dialect.wideWords && token === 'word')

  function promptOfType(): void {
    if (!isText()) return
    const text = take()
    const condition = optionalCondition()
    if (!broken) addPrompt('prompt', text, condition)
  }
  function promptOption(): void {
    take()
    if (!isText()) {
      mistake()
      return
    }
    const text = take()
    const condition = optionalCondition()
    if (!broken && expect('end-of-line')) addPrompt('prompt', text, condition)
  }
  function dependsOption(): void {
    take()
    if (!accept('on') && dialect.dependencies !== 'none') {
      mistake()
      return
    }
    const dependency = expression()
    if (broken || !expect('end-of-line')) return
    entry.dependency = expressions.join(entry.dependency, dependency)
  }
  function helpOption(): void {
    take()
    if (!expect('end-of-line')) return
    lexer.startHelp()
    peek()
    take()
    const name = entry.symbol?.name ?? '<choice>'
    const warn = (what: string): void => message(`${lexer.file}:${lexer.line}: warning: '${name}' ${what}`)
    if (entry.help !== undefined)
      warn('defined with more than one help text -- only the last one will be used')
    if (lexer.helpIsBlank) warn('defined with blank help text')
    entry.help = lexer.help
  }

  function choiceOption(): boolean {
    switch (peek()) {
      case 'prompt':
        promptOption()
        return true
      case 'bool':
      case 'tristate': {
        const type = token as SymbolType
        if (!tristateChoices && type === 'tristate') return false
        take()
        if (!tristateChoices && !isText()) {
          mistake()
          return true
        }
        promptOfType()
        if (broken || !expect('end-of-line')) return true
        if (tristateChoices) setType(type)
        return true
      }
      case 'optional':
        take()
        if (expect('end-of-line') && entry.symbol !== undefined) entry.symbol.optional = true
        return true
      case 'default': {
        take()
        const target = nameSymbol()
        const condition = broken ? undefined : optionalCondition()
        if (broken || target === undefined || !expect('end-of-line')) return true
        addProperty('default', condition).value = expressions.symbol(target)
        return true
      }
      case 'depends':
        dependsOption()
        return true
      case 'help':
        helpOption()
        return true
      default:
        return false
    }
  }

  function menuOption(): boolean {
    if (peek() === 'depends') {
      dependsOption()
      return true
    }
    if (peek() !== 'visible') return false
    take()
    const condition = optionalCondition()
    if (!broken && expect('end-of-line')) entry.visibility = expressions.join(entry.visibility, condition)
    return true
  }

  function options(read: () => boolean): void {
    while (!broken && read());
  }

  // --- statements -------------------------------------------------------------------------------------------------

  let currentChoice: DraftNode | undefined

  function configStatement(kind: 'config' | 'menuconfig'): void {
    take()
    const symbol = nameSymbol()
    if (broken || symbol === undefined || !expect('end-of-line')) return
    addEntry(symbol)
    options(configOption)
    if (broken) return
    if (kind === 'menuconfig') {
      if (entry.prompt !== undefined) entry.prompt.kind = 'menu'
      else message(`${lexer.file}:${lexer.line}: warning: menuconfig statement without prompt`)
      return
    }
    if (tristateChoices || currentChoice === undefined) return
    const wrong = (what: string): void => {
      errors++
      message(`${entry.file}:${entry.line}: error: ${what}`)
    }
    if (entry.prompt === undefined) wrong('choice member must have a prompt')
    if (symbol.type !== 'bool') wrong('choice member must be bool')
    const choice = currentChoice.symbol
    if (choice !== undefined && symbol.choice === undefined) {
      symbol.choice = choice
      choice.members = appended(choice.members, symbol)
    }
  }

  function choiceStatement(depth: number): void {
    take()
    const name = tristateChoices && peek() === 'word' ? take() : undefined
    if (!expect('end-of-line')) return
    addEntry(table.choice(name))
    if (!tristateChoices) setType('bool')
    options(choiceOption)
    if (broken) return
    if (!tristateChoices && entry.prompt === undefined) {
      errors++
      message(`${entry.file}:${entry.line}: error: choice must have a prompt`)
    }
    const node = openBlock()
    currentChoice = node
    statements('choice', depth)
    currentChoice = undefined
    endOfBlock('choice', node)
  }

  function menuStatement(depth: number): void {
    take()
    if (!isText()) {
      mistake()
      return
    }
    const text = take()
    if (!expect('end-of-line')) return
    addEntry(undefined)
    addPrompt('menu', text, undefined)
    options(menuOption)
    if (broken) return
    const node = openBlock()
    statements('menu', depth)
    endOfBlock('menu', node)
  }

  function ifStatement(depth: number, within: Block): void {
    take()
    const condition = expression()
    if (broken || !expect('end-of-line')) return
    addEntry(undefined)
    entry.dependency = condition
    const node = openBlock()
    statements(within === 'choice' ? 'choice' : 'if', depth)
    endOfBlock('if', node)
  }

  function commentStatement(): void {
    take()
    if (!isText()) {
      mistake()
      return
    }
    const text = take()
    if (!expect('end-of-line')) return
    addEntry(undefined)
    addPrompt('comment', text, undefined)
    options(() => {
      if (peek() !== 'depends') return false
      dependsOption()
      return true
    })
  }

  function sourceStatement(): void {
    take()
    if (!isText()) {
      mistake()
      return
    }
    const name = take()
    if (expect('end-of-line')) lexer.source(name)
  }

  function assignment(name: string): void {
    const operator = peek()
    if (operator !== '=' && operator !== ':=' && operator !== '+=') {
      mistake()
      return
    }
    take()
    const value = peek() === 'assigned-text' ? take() : ''
    if (!expect('end-of-line')) return
    preprocessor.assign(name, value, operator === '=' ? 'recursive' : operator === ':=' ? 'simple' : 'append')
  }

  function endOfBlock(kind: 'menu' | 'if' | 'choice', node: DraftNode): void {
    const end = peek()
    if (end !== 'endmenu' && end !== 'endif' && end !== 'endchoice') {
      // Only the end of the input gets here.
      message(`${node.file}:${node.line}: missing end statement for this entry`)
      if (block === node) closeBlock()
      return
    }
    take()
    if (!expect('end-of-line')) return
    const found = end.slice(3)
    if (found !== kind) {
      error(`unexpected '${found}' within ${kind} block`)
      return
    }
    if (block.file !== lexer.currentFile) {
      error(`'${found}' in different file than '${kind}'`)
      message(`${block.file}:${block.line}: location of the '${kind}'`)
      return
    }
    closeBlock()
  }

  type Block = 'top' | 'menu' | 'if' | 'choice'

  /** Reads statements up to the end of the block, which is left for the caller. */
  function statements(within: Block, depth: number): void {
    if (depth > MAX_DEPTH) {
      mistake()
      return
    }
    for (;;) {
      const start = peek()
      let unknown: string | undefined
      switch (start) {
        case 'config':
          configStatement(start)
          break
        case 'comment':
          commentStatement()
          break
        case 'if':
          ifStatement(depth + 1, within)
          break
        case 'menuconfig':
          if (within === 'choice') mistake()
          else configStatement(start)
          break
        case 'choice':
          if (within === 'choice') mistake()
          else choiceStatement(depth + 1)
          break
        case 'menu':
          if (within === 'choice') mistake()
          else menuStatement(depth + 1)
          break
        case 'source':
          if (within === 'choice') mistake()
          else sourceStatement()
          break
        case 'word': {
          if (within === 'choice') {
            mistake()
            break
          }
          const name = take()
          assignment(name)
          if (broken) unknown = name
          break
        }
        case 'endmenu':
        case 'endif':
        case 'endchoice':
          if (within !== 'top') return
          mistake()
          break
        case 'end-of-input':
          if (within === 'top') return
          // An open block at the end: said once, then every open block is named.
          mistake()
          return
        default:
          mistake()
      }
      if (!broken) continue
      // ERROR-RECOVERY
      errorStatus = 3
      for (;;) {
        const skipped = peek()
        if (skipped === 'end-of-input') return
        peeked = false
        if (skipped === 'end-of-line') break
      }
      errorStatus = 2
      broken = false
      error(unknown === undefined ? 'invalid statement' : `unknown statement "${unknown}"`)
    }
  }

  if (peek() === 'mainmenu') {
    take()
    if (isText()) {
      const text = take()
      if (expect('end-of-line')) addPrompt('menu', text, undefined)
    } else mistake()
  }
  if (!broken) statements('top', 0)
  else errors++
  if (broken) errors++

  return {
    root,
    nodes,
    propertyCount,
    modules,
    files: lexer.files,
    errors,
    failure: lexer.failure?.includes(PENDING) ? undefined : lexer.failure,
    allNoYes,
  }
}
