/**
 * Tokens of Kconfig text, on demand: what the next characters are depends on what the parser has just accepted (a help
 * text, the value of an assignment), and `source` continues in another file in the middle of the stream.
 *
 * The kernel's lexer has a few habits that trees rely on, or that show in line numbers; they are named where they are
 * kept: LINE-OF-STATEMENT, HELP-INDENTATION, UNCLOSED-QUOTE.
 */
import type { Dialect } from './dialect.ts'
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
  readonly keywords: ReadonlySet<string>
  /** the content of a file as a byte string */
  readFile(name: string): string | undefined
  warning(line: string): void
  /** see `Dialect.sourceStack` */
  readonly sourceStack: Dialect['sourceStack']
}

interface Buffer {
  readonly name: string
  readonly text: string
  position: number
  line: number
  /** where the `source` line starts that this buffer is reading from now */
  sourceLine: number
}

export function keywordSet(options: {
  readonly optional: boolean
  readonly optionLines: boolean
  readonly dashedHelp: boolean
}): ReadonlySet<string> {
  const set = new Set<string>(keywords)
  if (!options.optional) set.delete('optional')
  if (!options.optionLines) set.delete('option')
  if (options.dashedHelp) set.add('---help---')
  return set
}

const NEWLINE = 10
const TAB = 9
const SPACE = 32
const DOLLAR = 36
const BACKSLASH = 92

/** 1: part of a word; 2: blank; 0: anything else. */
const characterClass = new Uint8Array(256)
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-')
  characterClass[c.charCodeAt(0)] = 1
characterClass[SPACE] = 2
characterClass[TAB] = 2

export function createLexer(input: LexerInput, top: string): Lexer {
  const { preprocessor } = input
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
        const line = input.sourceStack === 'all' ? from.sourceLine : from.line - 1
        lines.push(`  included from: ${from.name}:${line}`)
        if (input.sourceStack === 'until-repeated' && from.name === name) break
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

  /**
   * HELP-INDENTATION: the first line with text sets the indentation; the text ends before the first line that is
   * indented less. A line at the very left always ends it. Blank lines at the end are part of it.
   */
  function readHelp(): string {
    const { text } = buffer
    let position = buffer.position
    let indentation = 0
    let lastIndentation = 0
    let out = ''
    for (;;) {
      let lineStart = position
      let columns = 0
      for (; ; lineStart++) {
        const code = text.charCodeAt(lineStart)
        if (code === SPACE) columns++
        else if (code === TAB) columns = (columns & ~7) + 8
        else break
      }
      if (lineStart >= text.length) {
        if (lineStart > position && indentation > 0 && columns > indentation)
          out += ' '.repeat(columns - indentation)
        buffer.position = lineStart
        return out
      }
      if (text.charCodeAt(lineStart) === NEWLINE) {
        buffer.line++
        position = lineStart + 1
        const following = text.charCodeAt(position)
        if (position < text.length && following !== SPACE && following !== TAB && following !== NEWLINE) {
          buffer.position = position
          return out
        }
        out += '\n'
        continue
      }
      if (lineStart > position) {
        lastIndentation = columns
        if (indentation > 0) {
          if (columns < indentation) {
            buffer.position = lineStart
            return out
          }
          out += ' '.repeat(columns - indentation)
        }
      }
      let end = text.indexOf('\n', lineStart)
      if (end < 0) end = text.length
      let last = end
      while (last > lineStart && characterClass[text.charCodeAt(last - 1)] === 2) last--
      out += text.slice(lineStart, last)
      if (indentation === 0) indentation = lastIndentation
      position = end
    }
  }

  function readAssigned(): Token {
    const { text } = buffer
    let position = buffer.position
    while (characterClass[text.charCodeAt(position)] === 2) position++
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
      return input.sourceStack === 'all' ? 'end-of-input' : 'end-of-line'
    }
    buffer = outer
    return 'end-of-line'
  }
  let finished = false

  function scan(): Token {
    if (finished) return 'end-of-input'
    const { text } = buffer
    const length = text.length
    for (;;) {
      const position = buffer.position
      if (position >= length) return endOfFile()
      const code = text.charCodeAt(position)
      switch (code) {
        case SPACE:
        case TAB:
          buffer.position++
          continue
        case NEWLINE:
          buffer.position++
          buffer.line++
          return 'end-of-line'
        case 35: {
          const end = text.indexOf('\n', position)
          buffer.position = end < 0 ? length : end
          continue
        }
        case BACKSLASH:
          if (text.charCodeAt(position + 1) === NEWLINE) {
            buffer.position += 2
            buffer.line++
            continue
          }
          break
        case 34:
        case 39:
          buffer.position++
          // The warning about an unclosed quote names the statement, which this token may be the first of.
          lexer.text = readString(code)
          return 'quoted'
        case 124:
          if (text.charCodeAt(position + 1) === 124) return operator('||')
          break
        case 38:
          if (text.charCodeAt(position + 1) === 38) return operator('&&')
          break
        case 61:
          return operator('=')
        case 33:
          return operator(text.charCodeAt(position + 1) === 61 ? '!=' : '!')
        case 60:
          return operator(text.charCodeAt(position + 1) === 61 ? '<=' : '<')
        case 62:
          return operator(text.charCodeAt(position + 1) === 61 ? '>=' : '>')
        case 40:
          return operator('(')
        case 41:
          return operator(')')
        case 58:
          if (text.charCodeAt(position + 1) === 61) return operator(':=')
          break
        case 43:
          if (text.charCodeAt(position + 1) === 61) return operator('+=')
          break
        default:
          if (characterClass[code] === 1 || code === DOLLAR) {
            let end = position
            while (characterClass[text.charCodeAt(end)] === 1) end++
            if (text.charCodeAt(end) !== DOLLAR) {
              const word = text.slice(position, end)
              buffer.position = end
              lexer.text = word
              if (word === '---help---' && input.keywords.has(word)) return 'help'
              return input.keywords.has(word) ? (word as Keyword) : 'word'
            }
            preprocessor.file = buffer.name
            preprocessor.line = buffer.line
            const expansion = preprocessor.expandWord(restOfLine(position), 0)
            buffer.position = position + expansion.end
            if (preprocessor.failure !== undefined) return 'end-of-input'
            if (expansion.value === '') continue
            lexer.text = expansion.value
            return 'word'
          }
      }
      input.warning(
        `${buffer.name}:${buffer.line}:warning: ignoring unsupported character '${text[position] ?? ''}'`,
      )
      buffer.position++
    }
  }

  function operator(token: Operator): Token {
    buffer.position += token.length
    return token
  }

  function next(): Token {
    for (;;) {
      if (failure !== undefined || preprocessor.failure !== undefined) return 'end-of-input'
      let token: Token
      if (mode === 'help') {
        lexer.text = readHelp()
        mode = 'statements'
        token = 'help-text'
      } else if (mode === 'assigned') {
        token = readAssigned()
        if (token === 'end-of-line') mode = 'statements'
      } else token = scan()
      if (previous === 'end-of-line' || previous === 'help-text') {
        if (token === 'end-of-line') continue
        statementFile = finished && input.sourceStack === 'until-repeated' ? '<none>' : buffer.name
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
