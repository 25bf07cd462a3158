/**
 * `.config` files: reading one into a configuration, and writing a configuration as one, as a minimal one
 * (`savedefconfig`), or as the files that a build includes (`auto.conf`, `autoconf.h`, `rustc_cfg`).
 */
import type { Configuration } from './configuration.ts'
import type { Dialect } from './dialect.ts'
import type { Kconfig, KconfigSymbol, MenuNode, Tristate } from './model.ts'
import { MOD, NO, YES } from './model.ts'
import { isValidText } from './numbers.ts'
import { nodeAfter } from './tree.ts'

/** One assignment of a `.config`, before any tree has looked at it. */
export interface Assignment {
  readonly name: string
  /** y, m, n, a number, or a string still in its quotes */
  readonly value: string
  readonly line: number
}

export interface ConfigLine {
  readonly line: number
  readonly assignment: Assignment | undefined
  /** set for a line that is neither an assignment nor a comment nor empty */
  readonly unexpected: string | undefined
}

/** Splits the text of a `.config` into assignments. `strict` reads as 6.9 and later do. */
export function* readLines(text: string, prefix: string, strict: boolean): Generator<ConfigLine> {
  let line = 0
  for (let start = 0; start < text.length; ) {
    let end = text.indexOf('\n', start)
    if (end < 0) end = text.length
    let content = text.slice(start, end)
    start = end + 1
    line++
    if (content.endsWith('\r')) content = content.slice(0, -1)
    if (content === '') continue
    const unset = content.startsWith('#')
    if (unset) {
      if (!content.startsWith(prefix, 2) || content[1] !== ' ') continue
      const space = content.indexOf(' ', 2 + prefix.length)
      if (space < 0) continue
      const rest = content.slice(space + 1)
      if (strict ? rest !== 'is not set' : !rest.startsWith('is not set')) continue
      const assignment = { name: content.slice(2 + prefix.length, space), value: 'n', line }
      yield { line, assignment, unexpected: undefined }
      continue
    }
    const equals = content.startsWith(prefix) ? content.indexOf('=', prefix.length) : -1
    if (equals < 0) {
      if (strict || !content.startsWith(prefix)) yield { line, assignment: undefined, unexpected: content }
      continue
    }
    const assignment = {
      name: content.slice(prefix.length, equals),
      value: content.slice(equals + 1),
      line,
    }
    yield { line, assignment, unexpected: undefined }
  }
}

/** The first text with the assignments of the second in it: lines for the same names are replaced. */
export function mergeConfig(base: string, fragment: string, prefix = 'CONFIG_'): string {
  const replaced = new Set<string>()
  for (const { assignment } of readLines(fragment, prefix, false))
    if (assignment !== undefined) replaced.add(assignment.name)
  const drop = new Set<number>()
  for (const { assignment, line } of readLines(base, prefix, false))
    if (assignment !== undefined && replaced.has(assignment.name)) drop.add(line)
  const kept = base.split('\n').filter((_, index) => !drop.has(index + 1))
  const text = kept.join('\n')
  return `${text === '' || text.endsWith('\n') ? text : `${text}\n`}${fragment}`
}

/** The text inside a quoted string value; undefined when the closing quote is missing. */
export function unquote(value: string, { escapesStrings }: Dialect): string | undefined {
  if (!escapesStrings) return value.length > 1 && value.endsWith('"') ? value.slice(1, -1) : undefined
  let out = ''
  for (let i = 1; i < value.length; i++) {
    const c = value[i]
    if (c === '"') return out
    if (c === '\\') {
      i++
      if (i >= value.length) return undefined
    }
    out += value[i]
  }
  return undefined
}

export const quote = (text: string, { escapesStrings }: Dialect): string =>
  `"${escapesStrings ? text.replace(/["\\]/g, '\\$&') : text}"`

export interface ReadOptions {
  /** the file's name in warnings */
  readonly name: string
  /** also warn about names that the tree does not know */
  readonly warnUnknown?: boolean
}

export interface ReadResult {
  /** `file:line:warning: …` */
  readonly warnings: readonly string[]
  /** the text says something that the tree does not know */
  readonly foreign: boolean
}

/** The kernel's `conf_read_simple`: forgets all user values and takes those of the text. */
export function assignAll(configuration: Configuration, text: string, options: ReadOptions): ReadResult {
  const { tree, raw } = configuration
  const { dialect, byName, constants } = tree
  const tristateChoices = dialect.choices === 'tristate'
  const warnings: string[] = []
  const warn = (line: number, message: string): void => {
    warnings.push(`${options.name}:${line}:warning: ${message}`)
  }
  let foreign = false
  raw.forgetAll()
  /** 6.1: the best value given to a member, for each choice */
  const choiceLevel = new Map<KconfigSymbol, Tristate>()
  const named: Readonly<Record<string, KconfigSymbol>> = { n: constants.n, m: constants.m, y: constants.y }

  for (const { line, assignment, unexpected } of readLines(
    text,
    dialect.configPrefix,
    dialect.strictConfigLines,
  )) {
    if (assignment === undefined) {
      warn(line, `unexpected data: ${unexpected ?? ''}`)
      continue
    }
    const { name, value } = assignment
    const symbol = byName.get(name) ?? (Object.hasOwn(named, name) ? named[name] : undefined)
    if (symbol === undefined) {
      if (options.warnUnknown) warn(line, `unknown symbol: ${name}`)
      foreign = true
      continue
    }
    if (configuration.userValue(symbol) !== undefined) warn(line, `override: reassigning to symbol ${name}`)
    const given = accept(configuration, symbol, value)
    if (typeof given === 'string') {
      warn(line, given)
      continue
    }
    const { choice } = symbol
    if (choice === undefined) continue
    if (!tristateChoices) {
      raw.prefer(symbol)
      continue
    }
    const level = choiceLevel.get(choice) ?? NO
    if (given === MOD && level === YES) {
      warn(line, `${name} creates inconsistent choice state`)
      raw.forget(choice)
    } else if (given === YES) {
      if (level !== NO) warn(line, `override: ${name} changes choice state`)
      raw.pick(choice, symbol)
    }
    const best = Math.max(given, level) as Tristate
    choiceLevel.set(choice, best)
    raw.storeTristate(choice, best)
  }
  return { warnings, foreign }
}

/** Stores one value. @returns the tristate that was stored, or why nothing was */
function accept(configuration: Configuration, symbol: KconfigSymbol, value: string): Tristate | string {
  const { raw } = configuration
  const name = symbol.name ?? ''
  switch (symbol.type) {
    case 'bool':
    case 'tristate': {
      const first = value[0]
      const given =
        first === 'y'
          ? YES
          : first === 'n'
            ? NO
            : first === 'm' && symbol.type === 'tristate'
              ? MOD
              : undefined
      if (given === undefined) return `symbol value '${value}' invalid for ${name}`
      raw.setTristate(symbol, given)
      return given
    }
    case 'string': {
      // What does not start with a quote is passed over without a word.
      if (!value.startsWith('"')) return NO
      const text = unquote(value, configuration.tree.dialect)
      if (text === undefined) return 'invalid string found'
      raw.setText(symbol, text)
      return NO
    }
    case 'int':
    case 'hex':
      if (!isValidText(symbol.type, value)) return `symbol value '${value}' invalid for ${name}`
      raw.setText(symbol, value)
      return NO
    default:
      return NO
  }
}

/**
 * The kernel's `conf_read`: takes the values of the text, then looks at what has become of them.
 * @returns also whether the configuration as it stands differs from the text
 */
export function readConfig(
  configuration: Configuration,
  text: string,
  options: ReadOptions,
): ReadResult & { readonly changed: boolean } {
  const { tree, raw } = configuration
  const { warnings, foreign } = assignAll(configuration, text, options)
  configuration.tristate(tree.modules)
  let unsaved = 0
  for (const symbol of tree.walkOrder) {
    configuration.text(symbol)
    if (symbol.isChoice) continue
    const user = configuration.userValue(symbol)
    const written = configuration.isWritten(symbol)
    if (user === undefined && !written) continue
    if (user !== undefined && written) {
      const logical = symbol.type === 'bool' || symbol.type === 'tristate'
      if (logical && user.tristate === configuration.tristate(symbol)) continue
      if (!logical && user.text === configuration.text(symbol)) continue
    }
    unsaved++
  }
  if (tree.dialect.forgetsInvisibleValues)
    for (const symbol of tree.walkOrder) {
      const user = configuration.userValue(symbol)
      if (user === undefined || symbol.choice !== undefined) continue
      // A value that has no effect would come back if its symbol became visible; it shall appear as new then.
      const always = tree.dialect.dependencies === 'none'
      if ((always || unsaved === 0) && configuration.visibility(symbol) === NO) raw.forget(symbol)
      if (symbol.type === 'bool' || symbol.type === 'tristate' || symbol.type === 'unknown') continue
      if (user.text !== undefined && configuration.isWithinRange(symbol, user.text)) continue
      raw.forget(symbol)
      raw.forgetValue(symbol)
      unsaved++
    }
  if (tree.dialect.dependencies === 'none')
    // A choice is new when one of its visible members is.
    for (const choice of tree.walkOrder)
      if (
        choice.members.some(
          (member) => configuration.visibility(member) !== NO && isNew(configuration, member),
        )
      )
        raw.forget(choice)
  return { warnings, foreign, changed: foreign || warnings.length > 0 || unsaved > 0 }
}

const isNew = (configuration: Configuration, symbol: KconfigSymbol): boolean =>
  configuration.userValue(symbol) === undefined

// --- writing --------------------------------------------------------------------------------------------------------

/** The comment at the top. Busybox would add the time, which it leaves out for KCONFIG_NOTIMESTAMP, and we always. */
function heading({ dialect, environment, root }: Kconfig): string {
  if (dialect.layout === 'all symbols')
    return `#\n# Automatically generated make config: don't edit\n# Busybox version: ${environment.get('KERNELVERSION') ?? ''}\n#\n`
  return `#\n# Automatically generated file; DO NOT EDIT.\n# ${root.prompt?.text ?? ''}\n#\n`
}

/** The line of a `.config` for a symbol; undefined for one that has none. */
export function configLine(
  configuration: Configuration,
  symbol: KconfigSymbol,
  unset: 'comment' | 'n' = 'comment',
): string | undefined {
  const name = `${configuration.tree.dialect.configPrefix}${symbol.name ?? '(null)'}`
  switch (symbol.type) {
    case 'unknown':
      return undefined
    case 'bool':
    case 'tristate': {
      const value = configuration.text(symbol)
      return value === 'n' && unset === 'comment' ? `# ${name} is not set\n` : `${name}=${value}\n`
    }
    case 'string':
      return `${name}=${quote(configuration.text(symbol), configuration.tree.dialect)}\n`
    default: {
      const value = configuration.text(symbol)
      const empty = value === '' && configuration.tree.dialect.layout === 'all symbols'
      return `${name}=${empty ? '0' : value}\n`
    }
  }
}

/** The text of the `.config`: every symbol that matters now, in menu order, with the menus as comments. */
export function writeConfig(configuration: Configuration): string {
  const { tree } = configuration
  const { layout } = tree.dialect
  const everySymbol = layout === 'all symbols'
  const out: string[] = [heading(tree)]
  const written = new Uint8Array(tree.symbols.length)
  let separate = false
  for (let node = tree.root.firstChild; node !== undefined; ) {
    const { symbol } = node
    if (symbol === undefined) {
      if (configuration.isMenuVisible(node)) {
        out.push(`\n#\n# ${node.prompt?.text ?? ''}\n#\n`)
        separate = false
      }
    } else if (
      !symbol.isChoice &&
      (everySymbol || (written[symbol.index] !== 1 && configuration.isWritten(symbol)))
    ) {
      if (separate) out.push('\n')
      separate = false
      written[symbol.index] = 1
      const line = configLine(configuration, symbol)
      if (line !== undefined) out.push(line)
    }
    if (node.firstChild !== undefined) {
      node = node.firstChild
      continue
    }
    let at: MenuNode | undefined = node
    for (; at !== undefined; at = at.parent) {
      if (
        layout === 'ends of menus' &&
        at.symbol === undefined &&
        at !== tree.root &&
        at.prompt?.kind === 'menu' &&
        configuration.isMenuVisible(at)
      ) {
        out.push(`# end of ${at.prompt.text ?? ''}\n`)
        separate = true
      }
      if (at.next !== undefined) break
    }
    node = at?.next
  }
  return out.join('')
}

/** The text of a defconfig: only what differs from the defaults. */
export function writeMinimalConfig(configuration: Configuration): string {
  const { tree, raw } = configuration
  const tristateChoices = tree.dialect.choices === 'tristate'
  configuration.invalidate()
  let out = ''
  for (let node = tree.root.firstChild; node !== undefined; node = nodeAfter(node)) {
    const { symbol } = node
    if (symbol === undefined) {
      if (tristateChoices) configuration.isMenuVisible(node)
      continue
    }
    if (symbol.isChoice || !configuration.isWritten(symbol)) continue
    raw.unmarkWritten(symbol)
    if (!configuration.isChangeable(symbol)) continue
    if (configuration.text(symbol) === configuration.defaultText(symbol)) continue
    const { choice } = symbol
    if (choice !== undefined && configuration.defaultMember(choice) === symbol) {
      const plain = tristateChoices ? !choice.optional && symbol.type === 'bool' : true
      if (plain && configuration.tristate(symbol) === YES) continue
    }
    out += configLine(configuration, symbol) ?? ''
  }
  return out
}
