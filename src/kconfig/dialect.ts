/**
 * The dialects of Kconfig that trees are written in, as a list of what differs rather than a version to compare with:
 * a tree is asked which of the differences its own scripts/kconfig shows (`detectDialect`), so that a tree between two
 * releases, or a project that copied the sources at some time, comes out right too.
 */

export interface Dialect {
  /** for people: the Linux release that this set of rules is known from */
  readonly name: string
  /**
   * `tristate`: a choice has a value of its own, may be `m` (then several members can be `m`) and may be `optional`.
   * `bool`: a visible choice always has exactly one member at `y`, found by priority (Linux 6.9 and later).
   */
  readonly choices: 'tristate' | 'bool'
  /**
   * The hash table whose order decides how randconfig deals out its numbers and in which order warnings come. Busybox
   * has another hash; it has no seeds either, and says nothing that its order shows in.
   */
  readonly hashBuckets: number
  /** The value of an int or hex symbol that nothing gives one: nothing at all, or `0` and `0x0`. */
  readonly numbersStartAtZero: boolean
  /** How strictly lines of a .config are read: what follows "is not set" and lines without `=`. */
  readonly strictConfigLines: boolean
  /** A value that lost its meaning is forgotten while reading when the configuration is otherwise up to date. */
  readonly forgetsInvisibleValues: boolean
  /**
   * What is told about a file that includes itself: the `source` lines back to its first appearance, or all of them.
   * The newer reader also takes the end of the top file for the end of everything, even in the middle of a line.
   */
  readonly sourceStack: 'until-repeated' | 'all'
  /** Line numbers that syntax errors are reported at: that of the statement, or the one after. */
  readonly syntaxErrorLineOffset: number
  /** The older way to write: `option modules`, `option env="X"`, `---help---`. */
  readonly optionLines: boolean
  /**
   * Words behind the first of a line may have `/` and `.` in them, only `if` and `on` are keywords there, and a text of
   * one word needs no quotes (`source lib/Kconfig`).
   */
  readonly wideWords: boolean
  /** A number out of its range becomes the bound as the tree spells it, or the bound written out as a number. */
  readonly boundsAsSpelled: boolean
  /**
   * What dependencies are, apart from making prompts visible.
   * `direct`: a value that limits defaults raised by `imply`, and that a select can go against, with a warning.
   * `direct, imply to y`: the same, but that a symbol implied at `y` is never `m` (before 5.5).
   * `none`: nothing. A select makes the user's value and the default count that no prompt shows (busybox).
   */
  readonly dependencies: 'direct' | 'direct, imply to y' | 'none'
  /** allnoconfig and its relatives give all answers at once, or one question after the other, each seeing the last. */
  readonly answers: 'at once' | 'in turn'
  /** Strings are written with `\\` before quotes and backslashes, or as they are (U-Boot). */
  readonly escapesStrings: boolean
  /** randconfig makes another pass when anything was drawn, or only when the last choice was (before 5.5). */
  readonly lastChoiceDecides: boolean
  /** How a .config is laid out: with the ends of menus, without, or with all symbols, whether they matter or not. */
  readonly layout: 'ends of menus' | 'no ends' | 'all symbols'
  /** What every name starts with in a .config. */
  readonly configPrefix: string
}

export const linux61: Dialect = {
  name: '6.1',
  choices: 'tristate',
  hashBuckets: 9973,
  numbersStartAtZero: false,
  strictConfigLines: false,
  forgetsInvisibleValues: true,
  sourceStack: 'until-repeated',
  syntaxErrorLineOffset: 1,
  optionLines: false,
  wideWords: false,
  boundsAsSpelled: true,
  dependencies: 'direct',
  answers: 'at once',
  escapesStrings: true,
  lastChoiceDecides: false,
  layout: 'ends of menus',
  configPrefix: 'CONFIG_',
}

export const linux612: Dialect = {
  name: '6.12',
  choices: 'bool',
  hashBuckets: 16384,
  numbersStartAtZero: true,
  strictConfigLines: true,
  forgetsInvisibleValues: false,
  sourceStack: 'all',
  syntaxErrorLineOffset: 0,
  optionLines: false,
  wideWords: false,
  boundsAsSpelled: true,
  dependencies: 'direct',
  answers: 'at once',
  escapesStrings: true,
  lastChoiceDecides: false,
  layout: 'ends of menus',
  configPrefix: 'CONFIG_',
}

/**
 * Reads a tree's own scripts/kconfig and tells which dialect its Kconfig files are in.
 * @param read the text of a file of the tree, undefined where there is none
 */
export function detectDialect(read: (path: string) => string | undefined): Dialect {
  const source = (name: string): string => read(`scripts/kconfig/${name}`) ?? ''
  const lexer = source('lexer.l') || source('zconf.l')
  const parser = source('parser.y') || source('zconf.y')
  const symbols = source('symbol.c')
  const reader = source('confdata.c')
  if (parser === '') return linux612
  const boolChoices = !parser.includes('T_OPTIONAL')
  const buckets = /SYMBOL_HASHSIZE\s+(?:(\d+)|\(1U << (\d+)\))/.exec(source('internal.h') + source('expr.h'))
  const base = boolChoices ? linux612 : linux61
  const dependencies = !symbols.includes('dir_dep')
    ? 'none'
    : symbols.includes('sym->implied.tri == yes')
      ? 'direct, imply to y'
      : 'direct'
  return {
    ...base,
    name: dependencies === 'none' ? '2.6.16' : dependencies === 'direct' ? base.name : '4.20',
    hashBuckets: buckets?.[1]
      ? Number(buckets[1])
      : buckets?.[2]
        ? 2 ** Number(buckets[2])
        : base.hashBuckets,
    numbersStartAtZero: symbols.includes('newval.val = "0x0"'),
    strictConfigLines: reader.includes('getline_stripped'),
    forgetsInvisibleValues: reader.includes('conf_unsaved'),
    sourceStack: lexer.includes('cur_filename') ? 'all' : 'until-repeated',
    syntaxErrorLineOffset: parser.includes('zconf_lineno() + 1') ? 1 : 0,
    optionLines: parser.includes('T_OPTION '),
    wideWords: lexer.includes('TF_PARAM'),
    boundsAsSpelled: !symbols.includes('char str[64]'),
    dependencies,
    answers: source('conf.c').includes('set_random') ? 'in turn' : 'at once',
    escapesStrings: !reader.includes("Last char has to be a '\"'"),
    lastChoiceDecides: reader.includes('has_changed = randomize_choice_values'),
    layout: reader.includes('bbox: we want to see all syms')
      ? 'all symbols'
      : reader.includes('# end of')
        ? 'ends of menus'
        : 'no ends',
  }
}
