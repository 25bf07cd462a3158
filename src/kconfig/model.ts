/**
 * What a parsed Kconfig tree is made of. Everything here is fixed once `parseKconfig` has returned: values live in a
 * {@link ./configuration.ts Configuration}, of which there can be any number for one tree.
 *
 * Text is kept as *byte strings*: every character is one byte of the file (latin-1). That makes what we write equal to
 * what we read without ever having to guess an encoding, and it makes symbol order (a hash over bytes) come out right.
 * Decode with `byteStringToText` before showing a prompt or a help text to a person.
 */
import type { Dialect } from './dialect.ts'
import type { HelpBlock } from './help-block.ts'

/** n = 0, m = 1, y = 2: `&&` is the minimum, `||` the maximum, `!` is 2 minus the value. */
export type Tristate = 0 | 1 | 2
export const NO = 0
export const MOD = 1
export const YES = 2

/** `unknown`: the name is mentioned somewhere, and no file that was read defines it. */
export type SymbolType = 'unknown' | 'bool' | 'tristate' | 'int' | 'hex' | 'string'

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>='

/**
 * An expression. Equal expressions are the same object (see expressions.ts), so `===` compares them and what is
 * computed about one can be kept in an array indexed by `id`.
 */
export type Expr =
  | {
      readonly kind: 'symbol'
      readonly id: number
      readonly mask: number
      readonly depth: number
      readonly symbol: KconfigSymbol
    }
  | {
      readonly kind: 'not'
      readonly id: number
      readonly mask: number
      readonly depth: number
      readonly operand: Expr
    }
  | {
      readonly kind: 'and' | 'or'
      readonly id: number
      readonly mask: number
      readonly depth: number
      readonly left: Expr
      readonly right: Expr
    }
  | {
      readonly kind: Comparison
      readonly id: number
      readonly mask: number
      readonly depth: number
      readonly left: KconfigSymbol
      readonly right: KconfigSymbol
    }

export type ComparisonExpr = Extract<Expr, { readonly kind: Comparison }>

/** Where something is written. */
export interface Location {
  /** as named in the tree: relative to its top folder, or however `source` spelled it */
  readonly file: string
  readonly line: number
}

/**
 * One option line of an entry. `condition` is its `if`, with everything around the entry (`depends on`, `if`, menus)
 * already joined to it; undefined means "always".
 */
export interface Property {
  readonly index: number
  /**
   * `menu` is the prompt of a menu or of a menuconfig; `definition` marks where an entry starts and exists in
   * dialects that count it among the properties.
   */
  readonly kind: 'prompt' | 'menu' | 'comment' | 'default' | 'select' | 'imply' | 'range' | 'definition'
  readonly node: MenuNode
  readonly file: string
  readonly line: number
  /** of prompt, menu, comment */
  readonly text: string | undefined
  /** of default */
  readonly value: Expr | undefined
  /** of select and imply */
  readonly target: KconfigSymbol | undefined
  /** of range */
  readonly low: KconfigSymbol | undefined
  readonly high: KconfigSymbol | undefined
  readonly condition: Expr | undefined
}

/** One `select` or `imply` seen from its target: it holds the target at `selector && condition` or above. */
export interface ReverseDependency {
  /** undefined for the term by which a visible, non-optional choice holds itself at `m` */
  readonly selector: KconfigSymbol | undefined
  readonly condition: Expr | undefined
  /** the whole term, `selector && condition`, as messages print it */
  readonly term: Expr
  readonly property: Property | undefined
}

/**
 * A configuration symbol, a constant (`"text"`, `y`, `100`), or a choice: a choice is a symbol, mostly without a name,
 * whose members are the symbols that exclude each other.
 */
export interface KconfigSymbol {
  /** position in `tree.symbols` */
  readonly index: number
  readonly name: string | undefined
  readonly type: SymbolType
  /** written between quotes, or one of the three tristate constants */
  readonly constant: boolean
  readonly isChoice: boolean
  /** the choice that this symbol is a member of */
  readonly choice: KconfigSymbol | undefined
  /** of a choice: its members in order */
  readonly members: readonly KconfigSymbol[]
  /** of a choice: it may be switched off although it is visible (`optional`, dialects before 6.9) */
  readonly optional: boolean
  readonly properties: readonly Property[]
  /** every entry that defines it, in the order of reading; empty for a symbol that is only mentioned */
  readonly nodes: readonly MenuNode[]
  /** undefined: none */
  readonly directDependency: Expr | undefined
  readonly selectedBy: readonly ReverseDependency[]
  readonly impliedBy: readonly ReverseDependency[]
}

/** An entry in the menu: config, menuconfig, choice, menu, comment, or an `if` that has kept no entries of its own. */
export interface MenuNode {
  readonly index: number
  readonly symbol: KconfigSymbol | undefined
  readonly prompt: Property | undefined
  readonly parent: MenuNode | undefined
  readonly next: MenuNode | undefined
  readonly firstChild: MenuNode | undefined
  /** `depends on` and everything around the entry */
  readonly dependency: Expr | undefined
  /** `visible if` of a menu */
  readonly visibility: Expr | undefined
  /** what it says: `helpBlockText` */
  readonly help: HelpBlock | undefined
  readonly file: string
  readonly line: number
}

export interface Kconfig {
  readonly dialect: Dialect
  /** every symbol, constants and choices included, in the order in which the names were first read */
  readonly symbols: readonly KconfigSymbol[]
  /** defined and mentioned symbols by name; neither constants nor choices */
  readonly byName: ReadonlyMap<string, KconfigSymbol>
  /** the same as `symbols`, in the order in which the kernel's own tool walks its hash table */
  readonly walkOrder: readonly KconfigSymbol[]
  readonly root: MenuNode
  readonly nodeCount: number
  readonly propertyCount: number
  readonly expressionCount: number
  /**
   * empty, but for a tree with dependency chains so long that following one could use up the stack: then all symbols,
   * each behind those that it needs
   */
  readonly bottomUp: readonly KconfigSymbol[]
  /** the symbol with the `modules` option; the constant `n` where there is none */
  readonly modules: KconfigSymbol
  readonly constants: { readonly n: KconfigSymbol; readonly m: KconfigSymbol; readonly y: KconfigSymbol }
  /** every file that was read, in that order */
  readonly files: readonly string[]
  /** environment variables that the text refers to, in order of first use */
  readonly environment: ReadonlyMap<string, string>
}

export const byteStringToText = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8')
export const textToByteString = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

/** The name that messages give a symbol. */
export const displayName = (symbol: KconfigSymbol): string => symbol.name ?? '<choice>'
