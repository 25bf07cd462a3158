/**
 * As much of the C preprocessor as it takes to see which tables of a kernel source file are compiled: comments go, and
 * so do the lines under conditions that a configuration does not meet. A condition of which nothing is known keeps its
 * lines, and those of its `#else` as well.
 */

/** What a configuration says of a symbol; undefined where there is no configuration to ask. */
export type SymbolValue = 'n' | 'm' | 'y'

export interface Compilation {
  /** of a symbol by its name without `CONFIG_` */
  readonly symbol?: (name: string) => SymbolValue
  /** compiled with MODULE defined */
  readonly asModule?: boolean
  /** The text of an included file, of `"name"` or `<name>`; what it does not have is passed over. */
  readonly include?: (name: string, isOwn: boolean) => string | undefined
}

/** `#define` of a file: its parameters, where it has a list of them, and what it stands for. */
export interface Macro {
  readonly parameters: readonly string[] | undefined
  readonly body: string
}

export interface CCode {
  /** What is compiled, without comments and directives. */
  readonly text: string
  readonly macros: ReadonlyMap<string, Macro>
}

export function readCCode(source: string, compilation: Compilation): CCode {
  const kept: string[] = []
  const macros = new Map<string, Macro>()
  readInto(kept, macros, { source, compilation, depth: 0 })
  return { text: kept.join('\n'), macros }
}

const deepestInclude = 3

interface Reading {
  readonly source: string
  readonly compilation: Compilation
  readonly depth: number
}

function readInto(kept: string[], macros: Map<string, Macro>, { source, compilation, depth }: Reading): void {
  const lines = withoutComments(source)
    .replaceAll(/\\\r?\n/g, ' ')
    .split('\n')
  /** For each open condition: whether its lines are in, and what is known of all branches before. */
  const open: { taken: Truth; before: Truth }[] = []
  for (const line of lines) {
    const [, directive, rest = ''] = /^\s*#\s*(\w+)\s*(.*)$/.exec(line) ?? []
    switch (directive) {
      case undefined:
        if (open.every(({ taken }) => taken !== false)) kept.push(line)
        break
      case 'if':
      case 'ifdef':
      case 'ifndef': {
        const taken = evaluate(directive === 'if' ? rest : `defined(${rest.trim()})`, compilation, macros)
        const value = directive === 'ifndef' ? not(taken) : taken
        open.push({ taken: value, before: value })
        break
      }
      case 'elif':
      case 'else': {
        const current = open.at(-1)
        if (current === undefined) break
        const own = directive === 'else' ? true : evaluate(rest, compilation, macros)
        current.taken = and(not(current.before), own)
        current.before = or(current.before, own)
        break
      }
      case 'endif':
        open.pop()
        break
      case 'include': {
        const [, own, name = own] = /^(?:"([^"]+)"|<([^>]+)>)/.exec(rest) ?? []
        if (name === undefined || depth === deepestInclude || open.some(({ taken }) => taken === false)) break
        const included = compilation.include?.(name, own !== undefined)
        if (included !== undefined)
          readInto(kept, macros, { source: included, compilation, depth: depth + 1 })
        break
      }
      case 'define': {
        const [, name, list, body = ''] = /^(\w+)(\([^)]*\))?\s*(.*)$/.exec(rest) ?? []
        if (name === undefined || open.some(({ taken }) => taken === false)) break
        const parameters = list
          ?.slice(1, -1)
          .split(',')
          .map((each) => each.trim())
        macros.set(name, { parameters, body })
        break
      }
    }
  }
}

const literalOrComment = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g

function withoutComments(source: string): string {
  return source.replaceAll(literalOrComment, (found) => (found.startsWith('/') ? ' ' : found))
}

/** undefined: not known */
type Truth = boolean | undefined

const not = (a: Truth): Truth => (a === undefined ? undefined : !a)
const and = (a: Truth, b: Truth): Truth =>
  a === false || b === false ? false : a === undefined || b === undefined ? undefined : true
const or = (a: Truth, b: Truth): Truth => not(and(not(a), not(b)))

/** Conditions over CONFIG_ symbols and MODULE; what compares numbers or calls anything else is not known. */
function evaluate(expression: string, compilation: Compilation, macros: ReadonlyMap<string, Macro>): Truth {
  const tokens = expression.match(/\w+|&&|\|\||[!()]|[^\s\w!()&|]+|[&|]/g) ?? []
  let at = 0
  let isClear = true
  const disjunction = (): Truth => {
    let value = conjunction()
    while (tokens[at] === '||') {
      at++
      value = or(value, conjunction())
    }
    return value
  }
  const conjunction = (): Truth => {
    let value = negation()
    while (tokens[at] === '&&') {
      at++
      value = and(value, negation())
    }
    return value
  }
  const negation = (): Truth => {
    if (tokens[at] !== '!') return primary()
    at++
    return not(negation())
  }
  const primary = (): Truth => {
    const token = tokens[at++]
    if (token === '(') {
      const value = disjunction()
      if (tokens[at++] !== ')') isClear = false
      return value
    }
    if (token === undefined || !/^\w+$/.test(token)) {
      isClear = false
      return undefined
    }
    if (token === '0') return false
    if (token === '1') return true
    const hasParentheses = tokens[at] === '('
    if (token === 'defined' && !hasParentheses) return isDefined(tokens[at++] ?? '', compilation, macros)
    if (!hasParentheses)
      return token.startsWith('CONFIG_') ? isDefined(token, compilation, macros) : undefined
    const [name = '', close] = [tokens[at + 1], tokens[at + 2]]
    at += 3
    if (close !== ')') {
      isClear = false
      return undefined
    }
    return token === 'defined' ? isDefined(name, compilation, macros) : isEnabled(token, name, compilation)
  }
  const value = disjunction()
  return isClear && at === tokens.length ? value : undefined
}

function isDefined(name: string, compilation: Compilation, macros: ReadonlyMap<string, Macro>): Truth {
  if (name === 'MODULE') return compilation.asModule ?? false
  if (macros.has(name)) return true
  const [, symbol] = /^CONFIG_(\w+)$/.exec(name) ?? []
  if (symbol === undefined || compilation.symbol === undefined) return undefined
  const value = compilation.symbol(symbol)
  if (value === 'y') return true
  // include/generated/autoconf.h defines CONFIG_X_MODULE in place of CONFIG_X.
  return symbol.endsWith('_MODULE') && compilation.symbol(symbol.slice(0, -'_MODULE'.length)) === 'm'
}

/** include/linux/kconfig.h */
function isEnabled(macro: string, name: string, { symbol, asModule = false }: Compilation): Truth {
  const [, known] = /^CONFIG_(\w+)$/.exec(name) ?? []
  if (known === undefined || symbol === undefined) return undefined
  const value = symbol(known)
  switch (macro) {
    case 'IS_ENABLED':
      return value !== 'n'
    case 'IS_BUILTIN':
      return value === 'y'
    case 'IS_MODULE':
      return value === 'm'
    case 'IS_REACHABLE':
      return value === 'y' || (value === 'm' && asModule)
    default:
      return undefined
  }
}
