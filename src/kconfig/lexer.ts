/**
 * Tokens of Kconfig text, on demand: what the next characters are depends on what the parser has just accepted (a help
 * text, the value of an assignment), and `source` continues in another file in the middle of the stream.
 *
 * The kernel's lexer has a few habits that trees rely on, or that show in line numbers; they are named where they are
 * kept: LINE-OF-STATEMENT, UNCLOSED-QUOTE, and in help-block.ts HELP-INDENTATION.
 */
import type { Dialect } from './dialect.ts'
import { type HelpBlock, helpExtent } from './help-block.ts'
import { PENDING, type Preprocessor } from './preprocess.ts'

export type Token =
  | 'end-of-input'
  | 'end-of-line'
  | 'word'
  | 'quoted'
  | 'help-text'
  | 'assigned-text'
  | Keyword
  | Operator

type Keyword = (typeof keywords)[number]
type Operator = '||' | '&&' | '=' | '!=' | '<' | '<=' | '>' | '>=' | '!' | '(' | ')' | ':=' | '+='

const keywords = [
  'bool',
  'choice',
  'comment',
  'config',
  'def_bool',
  'def_tristate',
  'default',
  'depends',
  'endchoice',
  'endif',
  'endmenu',
  'help',
  'hex',
  'if',
  'imply',
  'int',
  'mainmenu',
  'menu',
  'menuconfig',
  'modules',
  'on',
  'option',
  'optional',
  'prompt',
  'range',
  'select',
  'source',
  'string',
  'tristate',
  'visible',
] as const

/** How deep `source` may nest. A bound of ours; trees use about ten levels. */
const MAX_SOURCE_DEPTH = 200
/** How many files a tree may `source`, counted each time. The largest trees read some two thousand. */
const MAX_SOURCES = 100_000

export interface Lexer {
  /** The next token; its text is then in `text`. */
  next(): Token
  text: string
  /** Of a help text: where it stands, and whether it has no words. */
  help: HelpBlock | undefined
  helpIsBlank: boolean
  /** Continues in another file, as if it stood here. */
  source(name: string): void
  /** The next token is a help text. */
  startHelp(): void
  /** LINE-OF-STATEMENT: where the statement starts that the last token belongs to. */
  readonly file: string
  readonly line: number
  /** The file being read, which after its last token is already the one that sourced it. */
  readonly currentFile: string
  /** Something that ended the reading, as whole lines. */
  readonly failure: string | undefined
  /** Every file that was opened, in order. */
  readonly files: readonly string[]
}

export interface LexerInput {
  readonly preprocessor: Preprocessor
  readonly keywords: ReadonlyMap<string, Keyword>
  /** the content of a file as a byte string */
  readFile(name: string): string | undefined
  warning(line: string): void
  readonly dialect: Dialect
}

interface Buffer {
  readonly name: string
  readonly text: string
  position: number
  line: number
  /** where the `source` line starts that this buffer is reading from now */
  sourceLine: number
}

/** Which words are keywords, and which. */
export function keywordsOf(dialect: Dialect): ReadonlyMap<string, Keyword> {
  const map = new Map<string, Keyword>(keywords.map((word) => [word, word]))
  if (dialect.choices === 'bool') map.delete('optional')
  if (!dialect.optionLines) map.delete('option')
  if (dialect.wideWords) {
    map.delete('modules')
    for (const [word, keyword] of oldNames) map.set(word, keyword)
  }
  return map
}

/** What keywords were called once. */
const oldNames: readonly (readonly [string, Keyword])[] = [
  ['---help---', 'help'],
  ['boolean', 'bool'],
  ['def_boolean', 'def_bool'],
  ['enable', 'select'],
  ['requires', 'depends'],
]

const NEWLINE = 10
const DOLLAR = 36
const DASH = 45
const DOT = 46
const SLASH = 47
const BACKSLASH = 92
const SMALL_A = 97

/** What a character can start. 0: anything else, a macro call among them. */
const WORD = 1
const BLANK = 2
const END_OF_LINE = 3
const QUOTE = 4
const COMMENT = 5
const OPERATOR = 6
const characterClass = new Uint8Array(256)
for (const [start, characters] of [
  [WORD, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-'],
  [BLANK, ' \t'],
  [END_OF_LINE, '\n'],
  [QUOTE, '"\''],
  [COMMENT, '#'],
  [OPERATOR, '|&=!<>():+'],
] as const)
  for (let i = 0; i < characters.length; i++) characterClass[characters.charCodeAt(i)] = start

/** Where a word ends that may have slashes and dots in it; see `Dialect.wideWords`. */
function endOfWideWord(text: string, from: number): number {
  for (let end = from; ; end++) {
    const code = text.charCodeAt(end)
    if (characterClass[code] !== WORD && code !== SLASH && code !== DOT) return end
  }
}

const operators: readonly Operator[] = [
  '&&',
  '||',
  '!=',
  '=',
  '!',
  '(',
  ')',
  ':=',
  '+=',
  '<=',
  '>=',
  '<',
  '>',
]

/** The longest operator that stands there. */
function operatorAt(text: string, position: number): Operator | undefined {
  for (const operator of operators) if (text.startsWith(operator, position)) return operator
  return undefined
}

export function createLexer(input: LexerInput, top: string): Lexer {
  const { preprocessor } = input
  const { sourceStack, wideWords } = input.dialect
  const stack: Buffer[] = []
  const files: string[] = []
  const seen = new Set<string>()
  let failure: string | undefined
  let mode: 'statements' | 'assigned' | 'help' = 'statements'
  let beforePrevious: Token = 'end-of-line'
  let previous: Token = 'end-of-line'
  let statementFile = top
  let statementLine = 0
  let sources = 0

  let buffer: Buffer = { name: top, text: '', position: 0, line: 1, sourceLine: 0 }

  function open(name: string): Buffer | undefined {
    const text = input.readFile(name)
    if (text === undefined) return undefined
    if (!seen.has(name)) {
      seen.add(name)
      files.push(name)
    }
    return { name, text, position: 0, line: 1, sourceLine: 0 }
  }

  const opened = open(top)
  if (opened === undefined) failure = `can't find file ${top}`
  else buffer = opened
  preprocessor.file = top
  preprocessor.line = 1
  stack.push(buffer)

  function source(name: string): void {
    if (name.includes(PENDING)) return
    const next = open(name)
    if (next === undefined) {
      failure ??= `${statementFile}:${statementLine}: can't open file "${name}"`
      return
    }
    buffer.sourceLine = statementLine
    if (stack.some((open) => open.name === name)) {
      const lines = ['Recursive inclusion detected.', 'Inclusion path:', `  current file : ${name}`]
      for (let i = stack.length - 1; i >= 0; i--) {
        const from = stack[i]
        if (from === undefined) break
        const line = sourceStack === 'all' ? from.sourceLine : from.line - 1
        lines.push(`  included from: ${from.name}:${line}`)
        if (sourceStack === 'until-repeated' && from.name === name) break
      }
      failure ??= lines.join('\n')
      return
    }
    if (stack.length >= MAX_SOURCE_DEPTH || ++sources > MAX_SOURCES) {
      failure ??= `${statementFile}:${statementLine}: too many source lines inside each other`
      return
    }
    buffer = next
    stack.push(next)
  }

  /** Reads a string literal whose opening quote has been passed. */
  function readString(quote: number): string {
    const { text } = buffer
    let position = buffer.position
    let start = position
    let out = ''
    for (;;) {
      const code = position < text.length ? text.charCodeAt(position) : -1
      if (code === quote) {
        out += text.slice(start, position)
        buffer.position = position + 1
        return out
      }
      if (code === NEWLINE || code === -1) {
        // UNCLOSED-QUOTE: the string ends with its line, with a warning; at the end of the file without one.
        out += text.slice(start, position)
        if (code === NEWLINE)
          input.warning(`${statementFile}:${statementLine}:warning: multi-line strings not supported`)
        buffer.position = position
        return out
      }
      if (code === BACKSLASH) {
        out += text.slice(start, position)
        const escaped = position + 1 < text.length && text.charCodeAt(position + 1) !== NEWLINE
        start = position + 1
        position += escaped ? 2 : 1
      } else if (code === DOLLAR) {
        out += text.slice(start, position)
        const line = restOfLine(position + 1)
        preprocessor.file = buffer.name
        preprocessor.line = buffer.line
        const expansion = preprocessor.expandDollar(line, 0)
        out += expansion.value
        position += 1 + expansion.end
        start = position
        if (preprocessor.failure !== undefined) return out
      } else position++
    }
  }

  function restOfLine(from: number): string {
    const end = buffer.text.indexOf('\n', from)
    return end < 0 ? buffer.text.slice(from) : buffer.text.slice(from, end)
  }

  function readHelp(): void {
    const block = { text: buffer.text, start: buffer.position }
    const { end, lines, blank } = helpExtent(block)
    buffer.position = end
    buffer.line += lines
    lexer.help = block
    lexer.helpIsBlank = blank
  }

  function readAssigned(): Token {
    const { text } = buffer
    let position = buffer.position
    while (characterClass[text.charCodeAt(position)] === BLANK) position++
    if (position >= text.length || text.charCodeAt(position) === NEWLINE) {
      mode = 'statements'
      buffer.position = position
      return scan()
    }
    let end = text.indexOf('\n', position)
    if (end < 0) end = text.length
    lexer.text = text.slice(position, end)
    buffer.position = end
    return 'assigned-text'
  }

  function endOfFile(): Token {
    if (previous !== 'end-of-line' && previous !== 'help-text')
      input.warning(`${buffer.name}:${buffer.line}:warning: no new line at end of file`)
    mode = 'statements'
    stack.pop()
    const outer = stack[stack.length - 1]
    if (outer === undefined) {
      finished = true
      return sourceStack === 'all' ? 'end-of-input' : 'end-of-line'
    }
    buffer = outer
    return 'end-of-line'
  }
  let finished = false

  /** No token of this line has been read yet. */
  const atStart = (): boolean => previous === 'end-of-line' || previous === 'help-text'

  function scan(): Token {
    if (finished) return 'end-of-input'
    const { text } = buffer
    const length = text.length
    let { position } = buffer
    for (;;) {
      if (position >= length) {
        buffer.position = position
        return endOfFile()
      }
      const code = text.charCodeAt(position)
      switch (characterClass[code]) {
        case WORD: {
          let end = position + 1
          while (characterClass[text.charCodeAt(end)] === WORD) end++
          if (wideWords && !atStart()) end = endOfWideWord(text, end)
          if (text.charCodeAt(end) === DOLLAR) break
          buffer.position = end
          const word = text.slice(position, end)
          lexer.text = word
          // Keywords start with a small letter or, one of them, with a dash.
          if (code < SMALL_A && code !== DASH) return 'word'
          const keyword = input.keywords.get(word)
          if (keyword === undefined) return 'word'
          return wideWords && keyword !== 'if' && keyword !== 'on' && !atStart() ? 'word' : keyword
        }
        case BLANK:
          position++
          continue
        case END_OF_LINE:
          buffer.position = position + 1
          buffer.line++
          return 'end-of-line'
        case QUOTE:
          buffer.position = position + 1
          // The warning about an unclosed quote names the statement, which this token may be the first of.
          lexer.text = readString(code)
          return 'quoted'
        case COMMENT: {
          const end = text.indexOf('\n', position)
          position = end < 0 ? length : end
          continue
        }
        case OPERATOR: {
          const token = operatorAt(text, position)
          if (token === undefined) break
          buffer.position = position + token.length
          return token
        }
        default:
          if (wideWords && (code === SLASH || code === DOT) && !atStart()) {
            const end = endOfWideWord(text, position)
            buffer.position = end
            lexer.text = text.slice(position, end)
            return 'word'
          }
          if (code === BACKSLASH && text.charCodeAt(position + 1) === NEWLINE) {
            position += 2
            buffer.line++
            continue
          }
      }
      if (characterClass[code] === WORD || code === DOLLAR) {
        preprocessor.file = buffer.name
        preprocessor.line = buffer.line
        buffer.position = position
        const expansion = preprocessor.expandWord(restOfLine(position), 0)
        position += expansion.end
        buffer.position = position
        if (preprocessor.failure !== undefined) return 'end-of-input'
        if (expansion.value === '') continue
        lexer.text = expansion.value
        return 'word'
      }
      input.warning(
        `${buffer.name}:${buffer.line}:warning: ignoring unsupported character '${text[position] ?? ''}'`,
      )
      position++
    }
  }

  function next(): Token {
    for (;;) {
      if (failure !== undefined || preprocessor.failure !== undefined) return 'end-of-input'
      let token: Token
      if (mode === 'help') {
        readHelp()
        mode = 'statements'
        token = 'help-text'
      } else if (mode === 'assigned') {
        token = readAssigned()
        if (token === 'end-of-line') mode = 'statements'
      } else token = scan()
      if (atStart()) {
        if (token === 'end-of-line') continue
        statementFile = finished && sourceStack === 'until-repeated' ? '<none>' : buffer.name
        statementLine = buffer.line
      }
      if (
        beforePrevious === 'end-of-line' &&
        previous === 'word' &&
        (token === '=' || token === ':=' || token === '+=')
      )
        mode = 'assigned'
      beforePrevious = previous
      previous = token
      return token
    }
  }

  const lexer: Lexer = {
    next,
    text: '',
    help: undefined,
    helpIsBlank: false,
    source,
    startHelp: () => {
      mode = 'help'
    },
    get file() {
      return statementFile
    },
    get line() {
      return statementLine
    },
    get currentFile() {
      return finished ? '' : buffer.name
    },
    get failure() {
      return failure ?? preprocessor.failure
    },
    files,
  }
  return lexer
}
