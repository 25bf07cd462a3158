/**
 * Reading a whole tree: preprocessing, parsing, finishing and checking, in one call without any input or output of its
 * own.
 */

import { reportDependencyLoops } from './dependency-loops.ts'
import { type Dialect, linux612 } from './dialect.ts'
import type { DraftNode, DraftSymbol } from './draft.ts'
import { createExpressions } from './expressions.ts'
import { finalize } from './finalize.ts'
import type { Kconfig } from './model.ts'
import { parse } from './parser.ts'
import { createPreprocessor, type LogEntry } from './preprocess.ts'
import { createSymbolTable, walkOrder } from './symbol-table.ts'

export interface KconfigInput {
  /** the top file, mostly `Kconfig` */
  readonly top: string
  readonly dialect?: Dialect
  /** @returns the content of a file of the tree as a byte string, undefined where there is none */
  readFile(name: string): string | undefined
  environment(name: string): string | undefined
  /**
   * The output of a `$(shell,…)` command, as `shellOutputToText` leaves it. undefined means "not known": the result is
   * then `unanswered`, with every command that could be run now. Give the answers and call again.
   */
  shell(command: string): string | undefined
}

/** What reading has said, as the kernel's tool prints it: `output` are `$(info,…)` lines. */
export interface Messages {
  readonly messages: readonly string[]
  readonly output: readonly string[]
}

export type KconfigResult =
  | ({ readonly ok: true; readonly value: Kconfig } & Messages)
  | ({ readonly ok: false; readonly error: KconfigError } & Messages)

export type KconfigError =
  /** the tree has mistakes; `message` is all that was said, errors and warnings, one a line */
  | { readonly type: 'invalid'; readonly message: string }
  /** answers are missing, see `KconfigInput.shell` */
  | {
      readonly type: 'unanswered'
      readonly message: string
      readonly commands: readonly string[]
      readonly log: readonly LogEntry[]
    }

export function parseKconfig(input: KconfigInput): KconfigResult {
  const dialect = input.dialect ?? linux612
  const messages: string[] = []
  const output: string[] = []
  const message = (line: string): void => {
    messages.push(line)
  }
  const preprocessor = createPreprocessor({
    environment: input.environment,
    shell: input.shell,
    info: (text) => output.push(text),
    warning: message,
  })
  const table = createSymbolTable()
  const expressions = createExpressions(table)
  const parsed = parse(
    { dialect, table, expressions, preprocessor, readFile: input.readFile, message },
    input.top,
  )
  if (preprocessor.unanswered.size > 0) {
    const commands = [...preprocessor.unanswered]
    const error = {
      type: 'unanswered',
      message: `${commands.length} commands have to be run`,
      commands,
      log: preprocessor.log,
    } as const
    return { ok: false, error, messages, output }
  }
  const invalid = (): KconfigResult => {
    const error = { type: 'invalid', message: messages.join('\n') } as const
    return { ok: false, error, messages, output }
  }
  if (parsed.failure !== undefined) {
    message(parsed.failure)
    return invalid()
  }
  if (parsed.errors > 0) return invalid()

  const { root } = parsed
  // Busybox has no option for it; the name decides.
  const modules = parsed.modules ?? (dialect.dependencies === 'none' ? table.named('MODULES') : table.n)
  let propertyCount = parsed.propertyCount
  if (root.prompt === undefined)
    root.prompt = {
      index: propertyCount++,
      kind: 'menu',
      node: root,
      file: '',
      line: 0,
      text: 'Main menu',
      value: undefined,
      target: undefined,
      low: undefined,
      high: undefined,
      condition: undefined,
    }
  const tooDeep = finalize(
    { dialect, expressions, modules, m: table.m, y: table.y, propertyCount, message },
    root,
  )

  const order = walkOrder(table.symbols, dialect.hashBuckets)
  if (tooDeep !== undefined) {
    message(`${tooDeep.file}:${tooDeep.line}: an expression nests too deep`)
    return invalid()
  }
  const tristateChoices = dialect.choices === 'tristate'
  const { loops, bottomUp } = reportDependencyLoops(
    { dialect, message },
    tristateChoices ? order : [...definedSymbols(root)],
    { symbols: table.symbols.length, expressions: expressions.count },
  )
  const misplaced = tristateChoices ? 0 : reportMisplacedMembers(root, message)
  if (loops + misplaced > 0) return invalid()

  const value: Kconfig = {
    dialect,
    symbols: table.symbols,
    byName: table.byName,
    walkOrder: order,
    root,
    bottomUp,
    nodeCount: parsed.nodes.length,
    propertyCount,
    expressionCount: expressions.count,
    modules,
    constants: { n: table.n, m: table.m, y: table.y },
    files: parsed.files,
    environment:
      dialect.layout === 'all symbols'
        ? withVersion(preprocessor.environment, input)
        : preprocessor.environment,
  }
  return { ok: true, value, messages, output }
}

/** With what the heading of a busybox .config names, although no file refers to it. */
function withVersion(
  environment: ReadonlyMap<string, string>,
  input: KconfigInput,
): ReadonlyMap<string, string> {
  return new Map([...environment, ['KERNELVERSION', input.environment('KERNELVERSION') ?? '']])
}

/** The node after this one in reading order, or undefined after the last of the tree. */
export function nodeAfter<
  N extends { firstChild: N | undefined; next: N | undefined; parent: N | undefined },
>(node: N): N | undefined {
  if (node.firstChild !== undefined) return node.firstChild
  for (let at: N | undefined = node; at !== undefined; at = at.parent)
    if (at.next !== undefined) return at.next
  return undefined
}

function* definedSymbols(root: DraftNode): Iterable<DraftSymbol> {
  for (let node: DraftNode | undefined = root; node !== undefined; node = nodeAfter(node))
    if (node.symbol !== undefined) yield node.symbol
}

/** Members of a choice can neither have defaults nor prompts elsewhere (6.9 and later). */
function reportMisplacedMembers(root: DraftNode, message: (line: string) => void): number {
  let errors = 0
  for (let node: DraftNode | undefined = root; node !== undefined; node = nodeAfter(node)) {
    if (node.symbol?.isChoice !== true) continue
    for (let child = node.firstChild; child !== undefined; child = child.next) {
      let wrong = false
      for (const property of child.symbol?.properties ?? []) {
        const say = (text: string): void => {
          message(`${property.file}:${property.line}: error: ${text}`)
          wrong = true
        }
        if (property.kind === 'default') say('defaults for choice values not supported')
        if (property.node !== child && property.kind === 'prompt' && property.node.parent !== child.parent)
          say('choice value has a prompt outside its choice group')
      }
      if (wrong) errors++
    }
  }
  return errors
}
