/**
 * What one directory of a kernel tree builds: what its Makefile says, read as scripts/Makefile.build and
 * scripts/Makefile.lib of the kernel read it (Documentation/kbuild/makefiles.rst, 3 "The kbuild files").
 */
import type { Condition } from './condition.ts'
import { type Place, stop } from './error.ts'
import { type Evaluator, expandVariable, holding, type Position } from './expand.ts'
import { normalPath } from './path.ts'
import { runFile } from './run.ts'
import type { Word } from './text.ts'
import { createScope, type Variable } from './variables.ts'

/** A name that a directory lists, where and when. */
export interface Listed {
  /** relative to the top of the tree; objects with `.o`, directories without a final slash */
  readonly path: string
  readonly when: Condition
  readonly at: Place | undefined
}

export interface DirectoryObject extends Listed {
  /** the objects it is linked from; none for one that is compiled from a source of its own name */
  readonly parts: readonly Listed[]
}

export interface Directory {
  readonly path: string
  /** the Kbuild file or Makefile */
  readonly file: string
  /** `obj-m`, less what is in `obj-y` at the same time */
  readonly modules: readonly DirectoryObject[]
  /** `obj-y` */
  readonly builtin: readonly DirectoryObject[]
  /** `lib-y` and `lib-m` */
  readonly library: readonly Listed[]
  /** `extra-y` and `always-y`: made, but in no archive */
  readonly extra: readonly Listed[]
  /**
   * The directories below that are entered, in the order in which modules.order takes them. `builtinWhen`: their
   * built-in objects are linked; `modulesWhen`: their modules are built.
   */
  readonly below: readonly (Listed & { readonly builtinWhen: Condition; readonly modulesWhen: Condition })[]
  /**
   * Modules and directories in the order of modules.order: directories in `obj-y` first, then `obj-m` as written.
   */
  readonly order: readonly {
    readonly path: string
    readonly isDirectory: boolean
    readonly when: Condition
  }[]
}

/** The names that Makefile.build empties before it reads a Makefile. */
const emptied = [
  ...[
    'obj-y',
    'obj-m',
    'lib-y',
    'lib-m',
    'always-y',
    'always-m',
    'extra-y',
    'targets',
    'subdir-y',
    'subdir-m',
  ],
  ...['asflags-y', 'ccflags-y', 'cppflags-y', 'ldflags-y', 'subdir-asflags-y', 'subdir-ccflags-y'],
]

export function readDirectory(
  evaluator: Evaluator,
  path: string,
  inherited: ReadonlyMap<string, Variable>,
  from: Place,
): Directory {
  const { conditions, texts, tree } = evaluator
  const { and, or, not, TRUE, FALSE } = conditions
  const file = ['Kbuild', 'Makefile']
    .map((name) => normalPath(`${path}/${name}`))
    .find((name) => tree.readFile(name) !== undefined)
  if (file === undefined) stop('missing', `${path || 'the tree'} has neither Kbuild nor Makefile`, from)
  const at: Place = { file, line: 1 }
  const scope = createScope(inherited)
  const position: Position = { evaluator, scope, when: TRUE, at, depth: 0, exported: new Set() }
  const set = (name: string, value: string): void => scope.set(name, holding(evaluator, texts.literal(value)))
  for (const name of emptied) set(name, '')
  set('obj', path || '.')
  set('src', path || '.')
  runFile(position, file)

  const words = (name: string): readonly Word[] => texts.words(expandVariable(position, name))
  const inDirectory = (word: Word): Listed => ({
    path: normalPath(`${path}/${word.text}`),
    when: word.when,
    at: word.at,
  })
  const objectWords = words('obj-y')
  const builtin = texts.presence(objectWords)
  const moduleWords = words('obj-m').flatMap((word) => {
    const when = and(word.when, not(builtin.get(word.text) ?? FALSE))
    return when === FALSE ? [] : [{ ...word, when }]
  })
  const isDirectory = (word: Word): boolean => word.text.endsWith('/')
  const isObject = (word: Word): boolean => word.text.endsWith('.o')

  /** `foo.o` is linked from `$(foo-objs) $(foo-y) $(foo-m)`, unless all of them and `$(foo-)` are empty. */
  const parts = (object: Word, suffixes: readonly string[]): readonly Listed[] => {
    const stem = object.text.slice(0, -2)
    const listed = suffixes.map((suffix) => words(`${stem}${suffix}`))
    const given = listed.flat()
    if (given.length === 0) return []
    const composite = [...given, ...words(`${stem}-`)].reduce((any, { when }) => or(any, when), FALSE)
    const alone: Word = { ...object, when: not(composite) }
    return (alone.when === FALSE ? given : [...given, alone]).map(inDirectory)
  }
  const unique = (list: readonly Word[]): readonly Word[] => {
    const first = new Map<string, Word>()
    for (const word of list)
      first.set(word.text, { ...word, when: or(first.get(word.text)?.when ?? FALSE, word.when) })
    return [...first.values()]
  }

  const below = new Map<string, Directory['below'][number]>()
  const enter = (list: readonly Word[], kind: 'builtin' | 'module' | 'only'): void => {
    for (const word of list) {
      const { path: entered, when, at: line } = inDirectory(word)
      const known = below.get(entered)
      const add = (old: Condition | undefined, wanted: boolean): Condition =>
        or(old ?? FALSE, wanted ? when : FALSE)
      below.set(entered, {
        path: entered,
        at: known?.at ?? line,
        when: add(known?.when, true),
        builtinWhen: add(known?.builtinWhen, kind === 'builtin'),
        modulesWhen: add(known?.modulesWhen, kind !== 'only'),
      })
    }
  }
  enter(objectWords.filter(isDirectory), 'builtin')
  enter(moduleWords.filter(isDirectory), 'module')
  enter([...words('subdir-y'), ...words('subdir-m')], 'only')

  return {
    path,
    file,
    modules: unique(moduleWords.filter(isObject)).map((word) => ({
      ...inDirectory(word),
      parts: parts(word, ['-objs', '-y', '-m']),
    })),
    builtin: unique(objectWords.filter(isObject)).map((word) => ({
      ...inDirectory(word),
      parts: parts(word, ['-objs', '-y']),
    })),
    library: unique([...words('lib-y'), ...words('lib-m')]).map(inDirectory),
    extra: unique([...words('extra-y'), ...words('always-y'), ...words('always-m')]).map(inDirectory),
    below: [...below.values()],
    order: [
      ...objectWords.filter(isDirectory),
      ...moduleWords.filter((word) => isDirectory(word) || isObject(word)),
    ].map((word) => ({ ...inDirectory(word), isDirectory: isDirectory(word) })),
  }
}
