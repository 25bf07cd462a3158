/**
 * The statements of a Makefile, as far as they set variables: rules and recipes are left out, since what a kernel
 * Makefile *builds* is said by variables alone. GNU make manual, 3 "Writing Makefiles", 6.5 to 6.8 and 7.
 */
import { limits, type Place, stop } from './error.ts'
import { closing, parseTemplate, splitAtTop, type Template } from './template.ts'

export type Statement =
  | {
      readonly type: 'assignment'
      readonly name: Template
      readonly operator: Operator
      readonly value: Template
      readonly exported: boolean
      readonly at: Place
    }
  | { readonly type: 'conditional'; readonly branches: readonly Branch[]; readonly at: Place }
  | { readonly type: 'include'; readonly files: Template; readonly optional: boolean; readonly at: Place }
  | { readonly type: 'export' | 'undefine'; readonly names: Template; readonly at: Place }
  /** a line that is nothing but references, which can do things: `$(eval …)`, `$(error …)` */
  | { readonly type: 'expansion'; readonly text: Template; readonly at: Place }

/** `!=` runs a command, see `shell` in functions.ts. */
export type Operator = '=' | ':=' | '+=' | '?=' | '!='

export interface Branch {
  /** undefined: a plain `else` */
  readonly test: Test | undefined
  readonly body: readonly Statement[]
}

export type Test =
  | { readonly type: 'equal'; readonly left: Template; readonly right: Template; readonly negated: boolean }
  | { readonly type: 'defined'; readonly name: Template; readonly negated: boolean }

interface Frame {
  readonly at: Place
  readonly branches: { test: Test | undefined; body: Statement[] }[]
}

/** @param evalLine for the text of an `$(eval …)`: the line that all of it counts as */
export function parseMakefile(file: string, text: string, evalLine?: number): readonly Statement[] {
  if (text.length > limits.fileBytes) stop('limit', 'a Makefile of more than 4 MB', { file, line: 1 })
  const lines = text.split('\n')
  const top: Statement[] = []
  const frames: Frame[] = []
  let afterRule = false
  let index = 0

  /** The line at `index` with those that continue it, white space around each backslash made one blank. */
  const logicalLine = (): string => {
    let line = (lines[index++] ?? '').replace(/\r$/, '')
    while (/(?:^|[^\\])(?:\\\\)*\\$/.test(line) && index < lines.length)
      line = `${line.slice(0, -1).trimEnd()} ${(lines[index++] ?? '').replace(/\r$/, '').trimStart()}`
    return line
  }
  const body = (): Statement[] => frames.at(-1)?.branches.at(-1)?.body ?? top

  while (index < lines.length) {
    const at: Place = { file, line: evalLine ?? index + 1 }
    const raw = logicalLine()
    if (raw.startsWith('\t') && afterRule) continue
    const line = withoutComment(raw).trim()
    if (line === '') continue
    const [, keyword = '', rest = ''] = /^(-?[a-z]+)(?=$|[\s("'])\s*(.*)$/s.exec(line) ?? []
    if (conditionals.has(keyword)) {
      if (frames.length > limits.depth) stop('limit', 'conditionals nest too deep', at)
      frames.push({ at, branches: [{ test: parseTest(keyword, rest, at), body: [] }] })
    } else if (keyword === 'else') {
      const frame = frames.at(-1)
      if (frame === undefined) stop('invalid', 'else without if', at)
      const [, test = '', operands = ''] = /^([a-z]+)\b\s*(.*)$/s.exec(rest) ?? []
      frame.branches.push({
        test: conditionals.has(test) ? parseTest(test, operands, at) : undefined,
        body: [],
      })
    } else if (keyword === 'endif') {
      const frame = frames.pop()
      if (frame === undefined) stop('invalid', 'endif without if', at)
      body().push({ type: 'conditional', branches: frame.branches, at: frame.at })
    } else if (keyword === 'define' && !isAssignment(rest)) {
      const { name, operator } = definition(rest)
      const value = definitionBody(lines, index, at)
      index = value.next
      body().push({
        type: 'assignment',
        name: parseTemplate(name, at),
        operator,
        value: parseTemplate(value.text, at),
        exported: false,
        at,
      })
      afterRule = false
    } else if (/^(?:-?|s)include$/.test(keyword)) {
      body().push({
        type: 'include',
        files: parseTemplate(rest, at),
        optional: keyword !== 'include',
        at,
      })
      afterRule = false
    } else {
      const statement = parseOther(line, at)
      if (statement !== undefined) body().push(statement)
      afterRule = statement === undefined
    }
  }
  const open = frames.at(-1)
  if (open !== undefined) stop('invalid', 'missing endif', open.at)
  return top
}

const conditionals = new Set(['ifeq', 'ifneq', 'ifdef', 'ifndef'])

/** `#` starts a comment unless a backslash takes its meaning away. */
function withoutComment(line: string): string {
  if (!line.includes('#')) return line
  const match = /^((?:[^#\\]|\\.|\\$)*)#/s.exec(line)
  return (match?.[1] ?? line).replaceAll('\\#', '#')
}

function parseTest(keyword: string, operands: string, at: Place): Test {
  const negated = keyword === 'ifneq' || keyword === 'ifndef'
  if (keyword === 'ifdef' || keyword === 'ifndef')
    return { type: 'defined', name: parseTemplate(operands.trim(), at), negated }
  const [left, right] = parseOperands(operands, at)
  return { type: 'equal', left: parseTemplate(left, at), right: parseTemplate(right, at), negated }
}

/** `(a,b)`, `"a" "b"`, `'a' 'b'` and mixtures. */
function parseOperands(text: string, at: Place): readonly [string, string] {
  if (text.startsWith('(')) {
    const end = closing(text, 0)
    const [left, right] = splitAtTop(text.slice(1, end), ',', '(', 2)
    if (end !== -1 && left !== undefined && right !== undefined) return [left.trimEnd(), right.trimStart()]
  }
  const quoted = /^(?:"([^"]*)"|'([^']*)')\s*(?:"([^"]*)"|'([^']*)')/s.exec(text)
  if (quoted !== null) return [quoted[1] ?? quoted[2] ?? '', quoted[3] ?? quoted[4] ?? '']
  return stop('invalid', `cannot read this comparison: ${text}`, at)
}

/** Where a variable's name ends and what is done to it, or that this is a rule. */
function findOperator(
  line: string,
): { name: string; operator: Operator; value: string } | 'rule' | undefined {
  for (let index = 0; index < line.length; index++) {
    const character = line[index]
    if (character === '$' && (line[index + 1] === '(' || line[index + 1] === '{')) {
      const end = closing(line, index + 1)
      if (end === -1) return undefined
      index = end
      continue
    }
    const match = /^(?::{1,3}=|\+=|\?=|!=|=)/.exec(line.slice(index, index + 4))?.[0]
    if (match !== undefined)
      return {
        name: line.slice(0, index).trim(),
        operator: (match.startsWith(':') ? ':=' : match) as Operator,
        value: line.slice(index + match.length).trimStart(),
      }
    if (character === ':') return 'rule'
  }
  return undefined
}

const isAssignment = (text: string): boolean => /^(?::{0,3}|[+?!])=/.test(text)

function definition(header: string): { name: string; operator: Operator } {
  const found = findOperator(header)
  if (found === undefined || found === 'rule') return { name: header.trim(), operator: '=' }
  return found
}

function definitionBody(lines: readonly string[], from: number, at: Place): { text: string; next: number } {
  let depth = 1
  for (let index = from; index < lines.length; index++) {
    const line = lines[index] ?? ''
    if (/^ *define\b/.test(line)) depth++
    else if (/^ *endef\b/.test(line) && --depth === 0)
      return { text: lines.slice(from, index).join('\n'), next: index + 1 }
  }
  return stop('invalid', 'missing endef', at)
}

/** An assignment, an export, or references on their own. undefined for a rule. */
function parseOther(line: string, at: Place): Statement | undefined {
  let rest = line
  let exported = false
  for (;;) {
    const modifier = /^(export|override|private)\s+(?=[^\s:+?!=])/.exec(rest)
    if (modifier === null) break
    exported ||= modifier[1] === 'export'
    rest = rest.slice(modifier[0].length)
  }
  const found = findOperator(rest)
  if (found === 'rule') return undefined
  if (found !== undefined) {
    const { operator, name, value } = found
    return {
      type: 'assignment',
      name: parseTemplate(name, at),
      operator,
      value: parseTemplate(value, at),
      exported,
      at,
    }
  }
  if (exported) return { type: 'export', names: parseTemplate(rest, at), at }
  const undefined_ = /^undefine\s+(.*)$/s.exec(rest)?.[1]
  if (undefined_ !== undefined) return { type: 'undefine', names: parseTemplate(undefined_, at), at }
  if (/^(?:export|unexport|vpath|load)\b/.test(rest)) return undefined
  if (rest.startsWith('$')) return { type: 'expansion', text: parseTemplate(rest, at), at }
  return stop('invalid', `missing separator: ${line.slice(0, 80)}`, at)
}
