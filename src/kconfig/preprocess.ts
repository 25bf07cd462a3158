/**
 * The macro language of Kconfig files (Documentation/kbuild/kconfig-macro-language.rst): `$(name)`, `$(name,arg,…)`,
 * variables with `=`, `:=`, `+=`, and the built-in functions.
 *
 * `$(shell,…)` is where a configuration meets the outside: the command is handed to `shell`, and nothing is run here.
 * When `shell` does not know the answer yet it returns undefined. The expansion then contains `PENDING`, the command
 * is remembered in `unanswered`, and everything that contains PENDING is known to be unfinished. Commands that contain
 * it themselves are left for the next round, so that no command is ever run that the finished text would not run.
 */

/** Stands for output that is not known yet. U+FFFF cannot occur in a byte string. */
export const PENDING = '\uffff'

const MAX_ARGUMENTS = 16
/** How deep recursive functions go: the language's own limit. */
const MAX_EXPANSIONS = 1000
/** Macro calls inside macro calls. A bound of ours: the language has none, and a stack has an end. */
const MAX_NESTING = 400
/** How long a text can get by expansion, and how many calls a tree can make. Bounds of ours against macro bombs. */
const MAX_EXPANDED_LENGTH = 1 << 22
const MAX_CALLS = 4_000_000
/** What is kept of a command's output: all but the last byte of a 4096 byte buffer. */
const MAX_OUTPUT = 4095

export type Flavor = 'recursive' | 'simple' | 'append'

export interface PreprocessorInput {
  environment(name: string): string | undefined
  /** undefined: not known yet */
  shell(command: string): string | undefined
  /** `$(info,…)` */
  info(text: string): void
  /** `$(warning-if,y,…)`, as a whole line */
  warning(text: string): void
}

export interface Preprocessor {
  /** Expands the `$(…)` whose `(` is at `at` (just behind the dollar). */
  expandDollar(text: string, at: number): { readonly value: string; readonly end: number }
  /** Expands a word: it ends at the first character that is neither alphanumeric, nor `_`, `-` or a macro call. */
  expandWord(text: string, at: number): { readonly value: string; readonly end: number }
  assign(name: string, value: string, flavor: Flavor): void
  /** Commands whose output is needed and not known. */
  readonly unanswered: ReadonlySet<string>
  /** Environment variables that were used, with their values. */
  readonly environment: ReadonlyMap<string, string>
  /** The mistake that ends the reading of the tree, as a whole line. From then on every expansion is empty. */
  readonly failure: string | undefined
  /** Everything that was asked for, to be gone through again when more commands have answers. */
  readonly log: readonly LogEntry[]
  /** Where the reader is, for `$(filename)`, `$(lineno)` and messages. */
  file: string
  line: number
}

/** An expansion or an assignment of the text, in the order of reading. */
export interface LogEntry {
  readonly file: string
  readonly line: number
  /** the text behind a dollar, a word with macros, or the value of an assignment */
  readonly text: string
  readonly assign: { readonly name: string; readonly flavor: Flavor } | undefined
}

/** Goes through a log again. @returns the commands whose answers are still missing */
export function replay(log: readonly LogEntry[], input: PreprocessorInput): readonly string[] {
  const preprocessor = createPreprocessor(input)
  for (const { file, line, text, assign } of log) {
    preprocessor.file = file
    preprocessor.line = line
    if (assign === undefined) preprocessor.expandWord(text, 0)
    else preprocessor.assign(assign.name, text, assign.flavor)
  }
  return [...preprocessor.unanswered]
}

interface Variable {
  value: string
  flavor: 'recursive' | 'simple'
  expanding: number
}

const isWordCharacter = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  (code >= 48 && code <= 57) ||
  code === 95 ||
  code === 45

/** What the kernel's tool makes of a command's output: no newlines at the end, spaces for those inside. */
export function shellOutputToText(output: string): string {
  let end = Math.min(output.length, MAX_OUTPUT)
  while (end > 0 && output.charCodeAt(end - 1) === 10) end--
  const text = output.slice(0, end).replaceAll('\n', ' ')
  const terminator = text.indexOf('\0')
  return terminator < 0 ? text : text.slice(0, terminator)
}

export function createPreprocessor(input: PreprocessorInput): Preprocessor {
  const variables = new Map<string, Variable>()
  const environment = new Map<string, string>()
  const unanswered = new Set<string>()
  let nesting = 0
  let calls = 0
  let failure: string | undefined

  const fail = (message: string): string => {
    failure ??= `${state.file}:${state.line}: ${message}`
    return ''
  }

  interface Builtin {
    readonly minimum: number
    readonly maximum: number
    readonly run: (first: string, second: string) => string
  }
  const builtins: Readonly<Record<string, Builtin>> = {
    'error-if': {
      minimum: 2,
      maximum: 2,
      run: (condition, message) => (condition === 'y' ? fail(message) : ''),
    },
    filename: { minimum: 0, maximum: 0, run: () => state.file },
    info: {
      minimum: 1,
      maximum: 1,
      run: (text) => {
        input.info(text)
        return ''
      },
    },
    lineno: { minimum: 0, maximum: 0, run: () => String(state.line) },
    shell: { minimum: 1, maximum: 1, run: shell },
    'warning-if': {
      minimum: 2,
      maximum: 2,
      run: (condition, message) => {
        if (condition === 'y') input.warning(`${state.file}:${state.line}: ${message}`)
        return ''
      },
    },
  }

  function shell(command: string): string {
    if (command.includes(PENDING)) return PENDING
    const output = input.shell(command)
    if (output !== undefined) return output
    unanswered.add(command)
    return PENDING
  }

  function fromEnvironment(name: string): string | undefined {
    if (name === '') return undefined
    const known = environment.get(name)
    if (known !== undefined) return known
    const value = input.environment(name)
    if (value !== undefined) environment.set(name, value)
    return value
  }

  function expandVariable(name: string, parameters: readonly string[]): string | undefined {
    const variable = variables.get(name)
    if (variable === undefined) return undefined
    if (parameters.length === 0 && variable.expanding > 0)
      return fail(`Recursive variable '${name}' references itself (eventually)`)
    if (variable.expanding > MAX_EXPANSIONS) return fail('Too deep recursive expansion')
    if (variable.flavor === 'simple') return variable.value
    variable.expanding++
    const value = expandAll(variable.value, parameters)
    variable.expanding--
    return value
  }

  /** Splits `name,arg,arg` at the commas that are not inside parentheses. */
  function splitArguments(clause: string): string[] {
    const parts: string[] = []
    let depth = 0
    let start = 0
    for (let i = 0; i < clause.length; i++) {
      const code = clause.charCodeAt(i)
      if (code === 40) depth++
      else if (code === 41) depth--
      else if (code === 44 && depth === 0) {
        if (parts.length >= MAX_ARGUMENTS) {
          fail('too many function arguments')
          return parts
        }
        parts.push(clause.slice(start, i))
        start = i + 1
      }
    }
    if (parts.length >= MAX_ARGUMENTS) fail('too many function arguments')
    parts.push(clause.slice(start))
    return parts
  }

  function evaluateClause(clause: string, parameters: readonly string[]): string {
    if (/^\s*\+?\d+$/.test(clause)) {
      const parameter = parameters[Number(clause) - 1]
      if (parameter !== undefined) return parameter
    }
    const [nameText = '', ...argumentTexts] = splitArguments(clause)
    const name = expandAll(nameText, parameters)
    const values = argumentTexts.map((text) => expandAll(text, parameters))
    const variable = expandVariable(name, values)
    if (variable !== undefined) return variable
    const builtin = Object.hasOwn(builtins, name) ? builtins[name] : undefined
    if (builtin !== undefined) {
      if (failure !== undefined) return ''
      if (values.length < builtin.minimum) return fail(`too few function arguments passed to '${name}'`)
      if (values.length > builtin.maximum) return fail(`too many function arguments passed to '${name}'`)
      return builtin.run(values[0] ?? '', values[1] ?? '')
    }
    if (values.length === 0) return fromEnvironment(name) ?? ''
    return ''
  }

  function expandDollar(
    text: string,
    at: number,
    parameters: readonly string[] = [],
  ): { value: string; end: number } {
    // A dollar without a parenthesis is just a dollar: neither $A nor ${A} is a reference.
    if (text.charCodeAt(at) !== 40) return { value: '$', end: at }
    if (failure !== undefined) return { value: '', end: text.length }
    let depth = 0
    let end = at + 1
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end)
      if (code === 40) depth++
      else if (code === 41 && depth-- === 0) break
    }
    if (end >= text.length) {
      fail(`unterminated reference to '${text.slice(at + 1)}': missing ')'`)
      return { value: '', end }
    }
    if (nesting >= MAX_NESTING || ++calls > MAX_CALLS) {
      fail('Too deep recursive expansion')
      return { value: '', end: text.length }
    }
    nesting++
    const value = evaluateClause(text.slice(at + 1, end), parameters)
    nesting--
    return { value, end: end + 1 }
  }

  function expandAll(text: string, parameters: readonly string[] = []): string {
    let at = text.indexOf('$')
    if (at < 0) return text
    let out = ''
    let start = 0
    while (at >= 0) {
      out += text.slice(start, at)
      const expansion = expandDollar(text, at + 1, parameters)
      out += expansion.value
      if (out.length > MAX_EXPANDED_LENGTH) fail('expansion is too long')
      start = expansion.end
      at = text.indexOf('$', start)
    }
    return out + text.slice(start)
  }

  function expandWord(text: string, at: number): { value: string; end: number } {
    let out = ''
    let start = at
    let position = at
    for (;;) {
      const code = text.charCodeAt(position)
      if (code === 36) {
        out += text.slice(start, position)
        const expansion = expandDollar(text, position + 1)
        out += expansion.value
        start = expansion.end
        position = expansion.end
      } else if (isWordCharacter(code)) position++
      else break
    }
    return { value: out + text.slice(start, position), end: position }
  }

  function assign(name: string, value: string, flavor: Flavor): void {
    const existing = variables.get(name)
    const resulting = flavor === 'append' ? (existing?.flavor ?? 'recursive') : flavor
    const text = resulting === 'simple' ? expandAll(value) : value
    if (existing !== undefined && flavor === 'append') {
      existing.value = `${existing.value} ${text}`
      if (existing.value.length > MAX_EXPANDED_LENGTH) fail('expansion is too long')
    } else if (existing !== undefined) {
      existing.value = text
      existing.flavor = resulting
    } else variables.set(name, { value: text, flavor: resulting, expanding: 0 })
  }

  const log: LogEntry[] = []
  const note = (text: string, made: LogEntry['assign']): void => {
    log.push({ file: state.file, line: state.line, text, assign: made })
  }

  const state: Preprocessor = {
    expandDollar(text, at) {
      const expansion = expandDollar(text, at)
      note(`$${text.slice(at, expansion.end)}`, undefined)
      return expansion
    },
    expandWord(text, at) {
      const expansion = expandWord(text, at)
      note(text.slice(at, expansion.end), undefined)
      return expansion
    },
    assign(name, value, flavor) {
      note(value, { name, flavor })
      assign(name, value, flavor)
    },
    log,
    unanswered,
    environment,
    get failure() {
      return failure
    },
    file: '',
    line: 0,
  }
  return state
}
