/** Reads the Makefiles of a whole kernel tree, from the top down, as `make` would enter its directories. */
import { type Condition, type Conditions, createConditions } from './condition.ts'
import { type Directory, type DirectoryObject, type Listed, readDirectory } from './directory.ts'
import { capture, type KbuildResult, limits, type Place, stop } from './error.ts'
import { type Evaluator, expandVariable, holding, type SourceTree } from './expand.ts'
import { runFile, runText } from './run.ts'
import { createTexts } from './text.ts'
import { assign, createScope, undefinedVariable, type Variable } from './variables.ts'

/** What a symbol is, as far as it is known: a text for one that is set to it, or open. */
export type SymbolState =
  /** its value in one configuration, as .config has it without quotes; `n` and unset are the same */
  { readonly type: 'value'; readonly value: string } | { readonly type: 'bool' | 'tristate' }

export interface KbuildInput {
  readonly tree: SourceTree
  /** the folder below arch/ */
  readonly srcarch: string
  /** what make's ARCH is; the same as `srcarch` but for i386, x86_64 and the like */
  readonly arch?: string
  /** of a symbol by its name without `CONFIG_` */
  symbol(name: string): SymbolState
}

/** What is built, and when. */
export interface Kbuild {
  readonly conditions: Conditions
  /** by path relative to the top of the tree: `drivers/net/tun.o` */
  readonly modules: ReadonlyMap<string, KbuildObject>
  readonly builtin: ReadonlyMap<string, KbuildObject>
  /**
   * The directories that are entered and what they list, each once: conditions in them are those of their own
   * Makefile, without those under which the directory is entered.
   */
  readonly directories: ReadonlyMap<string, Directory>
  /** modules in the order of modules.order, without those that are in no configuration looked at */
  readonly order: readonly string[]
}

export interface KbuildObject {
  readonly path: string
  /** all that has to be so: what the directory says of the object and what all those above it say */
  readonly when: Condition
  /** every line that lists it, with the directories on the way there */
  readonly places: readonly ObjectPlace[]
  /** the objects it is linked from; none for one that is compiled from a source of its own name */
  readonly parts: readonly Listed[]
}

export interface ObjectPlace {
  readonly at: Place | undefined
  /** of the line alone */
  readonly when: Condition
  /** from the top down; only directories that are not always entered */
  readonly gates: readonly Gate[]
}

/** A directory that is entered only under a condition. */
export interface Gate {
  readonly directory: string
  readonly at: Place | undefined
  readonly when: Condition
}

export function readKbuild(input: KbuildInput): KbuildResult<Kbuild> {
  return capture(() => read(input))
}

function read({ tree, srcarch, arch = srcarch, symbol }: KbuildInput): Kbuild {
  const conditions = createConditions((name) => symbol(name).type === 'bool')
  let steps = 0
  const tick = (more: number): void => {
    steps += more
    if (steps > limits.steps) stop('limit', 'a Makefile works without end')
  }
  const texts = createTexts(conditions, tick)
  const evaluator: Evaluator = {
    conditions,
    texts,
    tree,
    symbol: symbolVariables(conditions, symbol),
    parsed: new Map(),
    runText,
    tick,
  }
  const inherited = topVariables(evaluator, srcarch, arch)

  const directories = new Map<string, Directory>()
  const modules = new Map<string, KbuildObject>()
  const builtin = new Map<string, KbuildObject>()
  const order = new Set<string>()
  let visits = 0

  const collect = (
    into: Map<string, KbuildObject>,
    objects: readonly DirectoryObject[],
    entered: Condition,
    gates: readonly Gate[],
  ): void => {
    for (const { path, when, at, parts } of objects) {
      const both = conditions.and(when, entered)
      if (both === conditions.FALSE) continue
      const known = into.get(path)
      into.set(path, {
        path,
        when: conditions.or(known?.when ?? conditions.FALSE, both),
        places: [...(known?.places ?? []), { at, when, gates }],
        parts: known?.parts ?? parts,
      })
    }
  }
  const visit = (
    path: string,
    from: Place,
    builtinWhen: Condition,
    modulesWhen: Condition,
    gates: readonly Gate[],
    above: readonly string[],
  ): void => {
    if (above.includes(path)) stop('invalid', `the directory ${path} enters itself`, from)
    if (++visits > limits.directories || above.length > limits.depth)
      stop('limit', 'directories are entered without end', from)
    steps = 0
    const directory = directories.get(path) ?? readDirectory(evaluator, path, inherited, from)
    directories.set(path, directory)
    collect(builtin, directory.builtin, builtinWhen, gates)
    collect(modules, directory.modules, modulesWhen, gates)
    const below = new Map(directory.below.map((each) => [each.path, each]))
    const descend = (entered: Directory['below'][number]): void => {
      if (!below.delete(entered.path)) return
      const gate: Gate = { directory: entered.path, at: entered.at, when: entered.when }
      visit(
        entered.path,
        entered.at ?? from,
        conditions.and(builtinWhen, entered.builtinWhen),
        conditions.and(modulesWhen, entered.modulesWhen),
        entered.when === conditions.TRUE ? gates : [...gates, gate],
        [...above, path],
      )
    }
    for (const { path: next, isDirectory } of directory.order) {
      const entered = isDirectory ? below.get(next) : undefined
      if (entered !== undefined) descend(entered)
      else if (!isDirectory && modules.has(next)) order.add(next)
    }
    for (const entered of [...below.values()]) descend(entered)
  }
  visit('', { file: 'Makefile', line: 1 }, conditions.TRUE, conditions.TRUE, [], [])
  return { conditions, modules, builtin, directories, order: [...order] }
}

/**
 * The objects that are compiled from a source of their own, in a tree that was read for one configuration: parts in
 * place of what they are linked to.
 */
export function compiledObjects({ builtin, modules, directories }: Kbuild): ReadonlySet<string> {
  const listed = [...builtin.values(), ...modules.values()].flatMap(({ path, parts }) =>
    parts.length === 0 ? [path] : parts.map((part) => part.path),
  )
  const libraries = [...directories.values()].flatMap(({ library, extra }) =>
    [...library, ...extra].map(({ path }) => path),
  )
  return new Set([...listed, ...libraries].filter((path) => path.endsWith('.o')))
}

/** `CONFIG_…` as variables: nothing for n, and for an open symbol each value under its condition. */
function symbolVariables(conditions: Conditions, symbol: KbuildInput['symbol']): (name: string) => Variable {
  const known = new Map<string, Variable>()
  const make = (name: string): Variable => {
    const state = symbol(name)
    const values: readonly (readonly [string, Condition])[] =
      state.type === 'value'
        ? state.value === 'n' || state.value === ''
          ? []
          : [[state.value, conditions.TRUE]]
        : (['y', 'm'] as const).map((value) => [value, conditions.is(name, value)])
    return values.reduce((variable, [text, when]) => {
      if (when === conditions.FALSE) return variable
      const piece = { when: conditions.TRUE, text, at: undefined }
      return assign(conditions, variable, when, { type: 'text', when, text: [piece] })
    }, undefinedVariable(conditions))
  }
  return (name) => {
    const variable = known.get(name) ?? make(name)
    known.set(name, variable)
    return variable
  }
}

/** Compiler flags that the top Makefile begins with `:=`; architectures add to them. */
const flags = ['', '_KERNEL', '_MODULE'].flatMap((kind) =>
  ['KBUILD_CPPFLAGS', 'KBUILD_CFLAGS', 'KBUILD_AFLAGS', 'KBUILD_RUSTFLAGS', 'KBUILD_LDFLAGS'].map(
    (name) => name + kind,
  ),
)

/**
 * The variables that the top Makefile and that of the architecture hand to every directory. The top Makefile itself is
 * not run, since nearly all of it is about tools and targets: what it hands on is set here as its section "Objects we
 * will link into vmlinux / subdirs we need to visit" does.
 */
function topVariables(evaluator: Evaluator, srcarch: string, arch: string): ReadonlyMap<string, Variable> {
  const { conditions, texts } = evaluator
  const scope = createScope()
  const exported = new Set(['srctree', 'objtree', 'ARCH', 'SRCARCH', 'BITS'])
  const file = `arch/${srcarch}/Makefile`
  const position = {
    evaluator,
    scope,
    when: conditions.TRUE,
    at: { file, line: 1 },
    depth: 0,
    exported,
  }
  const set = (name: string, value: string): void => scope.set(name, holding(evaluator, texts.literal(value)))
  set('srctree', '.')
  set('objtree', '.')
  set('ARCH', arch)
  set('SRCARCH', srcarch)
  set('CONFIG_SHELL', 'sh')
  set('libs-y', 'lib/')
  for (const name of flags) set(name, '')
  const shared = ['scripts/Kbuild.include', 'scripts/Makefile.compiler']
  for (const name of shared) runFile(position, name, true)
  for (const name of scope.own.keys()) exported.add(name)
  for (const name of ['core-y', 'drivers-y', 'drivers-m']) set(name, '')
  runFile(position, file)
  const directories = (name: string): Variable => holding(evaluator, expandVariable(position, name))
  const core = directories('core-y')
  const drivers = holding(evaluator, [
    ...expandVariable(position, 'drivers-y'),
    ...texts.literal(' '),
    ...expandVariable(position, 'drivers-m'),
  ])
  const libraries = texts.words(expandVariable(position, 'libs-y')).filter(({ text }) => text.endsWith('/'))
  return new Map([
    ...[...scope.own].filter(([name]) => exported.has(name)),
    ['ARCH_CORE', core] as const,
    ['ARCH_DRIVERS', drivers] as const,
    ['ARCH_LIB', holding(evaluator, texts.join(libraries))] as const,
  ])
}
