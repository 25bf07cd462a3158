/**
 * The structure of a ruleset in nft's language (nft(8)), as far as it takes to see what each statement is about: blocks
 * of tables, chains, sets and objects, and the words of statements. What the words mean is needs.ts's.
 */

/** A word, a quoted string or a punctuation mark. */
export interface Token {
  readonly text: string
  readonly quoted: boolean
  /** 1-based. */
  readonly line: number
}

/** What stands between two line breaks or semicolons; with a block, what stands before it. */
export interface Statement {
  /** The braces of sets and maps included. */
  readonly words: readonly Token[]
  /** The statements of a table, chain, set, flowtable or object. */
  readonly block?: readonly Statement[]
}

/** nft's scanner.l: a number can have a unit or be an address, a name can have dashes and dots. */
const tokenPattern =
  /(?<skip>[ \t\r]+|#[^\n]*|\\\n)|"(?<quoted>[^"\n]*)"|(?<word>[\w.\-+*/\\%~]+)|(?<mark>.)/gsu

function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = []
  let line = 1
  for (const match of text.matchAll(tokenPattern)) {
    const { skip, quoted, word, mark } = match.groups ?? {}
    if (skip === undefined)
      tokens.push({ text: quoted ?? word ?? mark ?? '', quoted: quoted !== undefined, line })
    if (match[0].endsWith('\n')) line++
  }
  return tokens
}

export function parseStatements(text: string): readonly Statement[] {
  const tokens = tokenize(text)
  let at = 0
  return block(0, () => at >= tokens.length)

  function isMark(text: string): boolean {
    const token = tokens[at]
    return token !== undefined && !token.quoted && token.text === text
  }

  /** Blocks open at the top (0) and in a table (1); in a rule a brace is always that of a set. */
  function block(level: number, isEnd: () => boolean): readonly Statement[] {
    const statements: Statement[] = []
    while (!isEnd()) {
      if (at >= tokens.length) break
      if (isMark('\n') || isMark(';')) at++
      // A brace too many is nft's to complain about.
      else if (isMark('}')) at++
      else statements.push(statement(level))
    }
    return statements
  }

  function statement(level: number): Statement {
    const words: Token[] = []
    for (let depth = 0; at < tokens.length; at++) {
      const token = tokens[at]
      if (token === undefined) break
      if (depth === 0 && (isMark('\n') || isMark(';') || isMark('}'))) break
      if (isMark('{') && depth === 0 && level < 2 && opensBlock(words)) {
        at++
        const inner = block(level + blockDepth(words), () => isMark('}'))
        at++
        return { words, block: inner }
      }
      if (isMark('{')) depth++
      if (isMark('}')) depth--
      if (!isMark('\n')) words.push(token)
    }
    return { words }
  }
}

const commands = new Set(['add', 'create', 'insert', 'replace'])
const blockWords = new Set([
  'chain',
  'counter',
  'flowtable',
  'limit',
  'map',
  'quota',
  'secmark',
  'set',
  'synproxy',
  'table',
])
const ctObjects = new Set(['expectation', 'helper', 'timeout'])

/** Words without the command before them: `add chain …` and `chain …` are alike. */
export function withoutCommand(words: readonly Token[]): readonly Token[] {
  return commands.has(words[0]?.text ?? '') ? words.slice(1) : words
}

/** What is in a chain or an object holds no blocks, wherever it was written. */
function blockDepth(words: readonly Token[]): number {
  return withoutCommand(words)[0]?.text === 'table' ? 1 : 2
}

/** A brace after anything else is that of a set. `limit rate …` and `counter packets …` are statements of a rule. */
function opensBlock(given: readonly Token[]): boolean {
  const words = withoutCommand(given)
  const [first, second] = words
  if (first === undefined || first.quoted) return false
  if (first.text === 'ct') return words.length >= 3 && ctObjects.has(second?.text ?? '') && words.length <= 5
  return (
    blockWords.has(first.text) &&
    words.length <= 4 &&
    !words.some(({ text }) => ['@', '$', '='].includes(text))
  )
}
