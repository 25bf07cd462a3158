/**
 * Expands references. Everything happens under a condition: inside `ifdef CONFIG_PCI` it is PCI=y or PCI=m, and what
 * cannot be there is left out. So one expansion covers all configurations, and the one for a single configuration is
 * the special case in which every condition is TRUE or FALSE.
 */
import type { Condition, Conditions } from './condition.ts'
import { limits, type Place, stop } from './error.ts'
import type { Statement } from './makefile.ts'
import type { Part, Template } from './template.ts'
import type { Text, Texts } from './text.ts'
import { assign, type Scope, undefinedVariable, type Variable } from './variables.ts'
import { wordFunction } from './word-functions.ts'

export interface SourceTree {
  /** @returns a file of the tree, undefined where there is none; the name is relative to its top */
  readFile(name: string): string | undefined
  /** Names in a folder of the tree, folders with a final slash; undefined where there is no such folder. */
  list(folder: string): readonly string[] | undefined
}

export interface Evaluator {
  readonly conditions: Conditions
  readonly texts: Texts
  readonly tree: SourceTree
  /** `CONFIG_…` as include/config/auto.conf would set it, by its name without the prefix */
  readonly symbol: (name: string) => Variable
  /** parsed Makefiles by name */
  readonly parsed: Map<string, readonly Statement[]>
  /** Runs what `$(eval …)` was given. */
  readonly runText: (position: Position, text: string) => void
  readonly tick: (steps: number) => void
}

/** Where an evaluation is: its variables, the line, how deep, and the condition that all of it is under. */
export interface Position {
  readonly evaluator: Evaluator
  readonly scope: Scope
  readonly when: Condition
  readonly at: Place
  readonly depth: number
  /** names that `export` has handed on to the directories below */
  readonly exported: Set<string>
}

export function expand(position: Position, template: Template): Text {
  const [first] = template
  if (first === undefined) return []
  if (template.length === 1) return expandPart(position, first)
  return bounded(
    position,
    template.flatMap((part) => expandPart(position, part)),
  )
}

/** The text, if it is not larger than any kernel's. */
function bounded({ evaluator, at }: Position, text: Text): Text {
  evaluator.tick(text.length)
  let length = text.length
  for (const piece of text) length += piece.text.length
  if (length > limits.valueLength) stop('limit', 'a value grows without end', at)
  return text
}

function expandPart(position: Position, part: Part): Text {
  position.evaluator.tick(1)
  switch (part.type) {
    case 'literal':
      return position.evaluator.texts.literal(part.text)
    case 'variable':
      return expandNames(position, part.name)
    case 'substitution': {
      // `$(x:.o=.c)` is `$(patsubst %.o,%.c,$(x))`
      const plain = !part.from.some((each) => each.type === 'literal' && each.text.includes('%'))
      const pattern = (text: Template): Template => (plain ? [{ type: 'literal', text: '%' }, ...text] : text)
      return transform(position, 'patsubst', [
        expand(position, pattern(part.from)),
        expand(position, pattern(part.to)),
        expandNames(position, part.name),
      ])
    }
    case 'function':
      return expandFunction(position, part.name, part.arguments)
  }
}

function expandNames(position: Position, name: Template): Text {
  const [only] = name
  if (name.length === 1 && only?.type === 'literal') return expandVariable(position, only.text)
  return forEachText(position, expand(position, name), (text, inside) => expandVariable(inside, text))
}

/** Does something for each text that one can be here, and puts together what comes of it. */
function forEachText(position: Position, text: Text, work: (text: string, inside: Position) => Text): Text {
  const { texts, conditions } = position.evaluator
  return texts.alternatives(text).flatMap((alternative) => {
    const when = conditions.and(position.when, alternative.when)
    if (when === conditions.FALSE) return []
    return texts.restrict(work(alternative.text, { ...position, when }), alternative.when)
  })
}

/** What a name that no Makefile has assigned stands for. */
export function variableOf({ evaluator, scope }: Position, name: string): Variable {
  const known = scope.get(name)
  if (known !== undefined) return known
  return name.startsWith('CONFIG_')
    ? evaluator.symbol(name.slice(7))
    : undefinedVariable(evaluator.conditions)
}

/** The value of a variable; nothing for one that nobody has set. */
export function expandVariable(position: Position, name: string): Text {
  const { conditions, texts } = position.evaluator
  const pieces: Text[] = []
  for (const definition of variableOf(position, name).definitions) {
    if (definition.type === 'text') {
      pieces.push(texts.restrict(definition.text, definition.when))
      continue
    }
    const when = conditions.and(position.when, definition.when)
    if (when === conditions.FALSE) continue
    const inside = { ...deeper(position, `the variable ${name} refers to itself`), when }
    const text = expand(inside, definition.template).map((piece) =>
      piece.at === undefined ? { ...piece, at: definition.at } : piece,
    )
    pieces.push(texts.restrict(text, definition.when))
  }
  return pieces.length === 1 ? (pieces[0] ?? []) : bounded(position, pieces.flat())
}

function deeper(position: Position, otherwise: string): Position {
  if (position.depth >= limits.depth) stop('limit', otherwise, position.at)
  return { ...position, depth: position.depth + 1 }
}

/** GNU make manual, 8 "Functions for Transforming Text". */
function expandFunction(position: Position, name: string, given: readonly Template[]): Text {
  const { evaluator, when } = position
  const { texts, conditions } = evaluator
  const argument = (index: number, inside = position): Text => expand(inside, given[index] ?? [])
  const branch = (index: number, holds: Condition): Text => {
    const both = conditions.and(when, holds)
    if (both === conditions.FALSE) return []
    return texts.restrict(argument(index, { ...position, when: both }), holds)
  }
  const isThere = (text: Text): Condition => texts.isNonEmpty(texts.words(text))

  switch (name) {
    case 'if': {
      const holds = isThere(argument(0))
      return [...branch(1, holds), ...branch(2, conditions.not(holds))]
    }
    case 'or': {
      let rest: Condition = conditions.TRUE
      return given.flatMap((_, index) => {
        const value = branch(index, rest)
        rest = conditions.and(rest, conditions.not(isThere(value)))
        return value
      })
    }
    case 'and': {
      let rest: Condition = conditions.TRUE
      let value: Text = []
      for (const index of given.keys()) {
        value = branch(index, rest)
        rest = conditions.and(rest, isThere(value))
      }
      return texts.restrict(value, rest)
    }
    case 'foreach':
      return foreach(position, given)
    case 'call':
      return call(position, given)
    case 'intcmp':
      return compareNumbers(position, given)
    case 'eval':
      return forEachText(position, argument(0), (text, inside) => {
        evaluator.runText(deeper(inside, 'eval in eval without end'), text)
        return []
      })
    case 'origin':
    case 'flavor':
      return forEachText(position, argument(0), (text) => {
        const variable = variableOf(position, text)
        const [set, unset] = name === 'origin' ? ['file', 'undefined'] : ['recursive', 'undefined']
        const simple = name === 'origin' ? conditions.FALSE : variable.simpleWhen
        return [
          ...texts.restrict(texts.literal('simple'), simple),
          ...texts.restrict(
            texts.literal(set ?? ''),
            conditions.and(variable.definedWhen, conditions.not(simple)),
          ),
          ...texts.restrict(texts.literal(unset ?? ''), conditions.not(variable.definedWhen)),
        ]
      })
    // A command of the tree is never run: what it prints depends on the machine, and a tree may come from anywhere.
    // Linux uses commands for compiler flags and generated files, which say nothing about what is built. An `$(error …)`
    // may hang on such a command, so it is make's to say.
    case 'shell':
    case 'file':
    case 'info':
    case 'warning':
    case 'error':
      return []
    default:
      return transform(
        position,
        name,
        given.map((_, index) => argument(index)),
      )
  }
}

function transform(position: Position, name: string, given: readonly Text[]): Text {
  const { conditions, texts, tree } = position.evaluator
  return bounded(position, wordFunction({ conditions, texts, tree, at: position.at }, name, given))
}

function foreach(position: Position, given: readonly Template[]): Text {
  const { evaluator, scope } = position
  const { texts, conditions } = evaluator
  const [name, list, body] = given
  const results: Text[] = []
  const words = texts.words(expand(position, list ?? []))
  for (const variable of texts.alternatives(expand(position, name ?? []))) {
    const kept = scope.get(variable.text)
    for (const word of words) {
      const both = conditions.and(word.when, variable.when)
      const when = conditions.and(position.when, both)
      if (when === conditions.FALSE) continue
      scope.set(variable.text, holding(evaluator, texts.literal(word.text)))
      results.push(texts.restrict(expand({ ...position, when }, body ?? []), both))
    }
    scope.set(variable.text, kept ?? undefinedVariable(conditions))
  }
  return results.flatMap((text, index) => (index === 0 ? text : [...texts.gap, ...text]))
}

function call(position: Position, given: readonly Template[]): Text {
  const { evaluator, scope } = position
  const { conditions } = evaluator
  const values = given.map((each) => expand(position, each))
  return forEachText(position, values[0] ?? [], (raw, inside) => {
    const name = raw.trim()
    // $(10) and above exist in make, and in no kernel
    const saved = Array.from({ length: 10 }, (_, index) => scope.get(`${index}`))
    for (const index of saved.keys()) scope.set(`${index}`, holding(evaluator, values[index] ?? []))
    const result = expandVariable(deeper(inside, `${name} calls itself without end`), name)
    for (const [index, old] of saved.entries()) scope.set(`${index}`, old ?? undefinedVariable(conditions))
    return result
  })
}

/** `$(intcmp a,b,less,equal,greater)`; without the last two arguments, as make has it, the one before counts. */
function compareNumbers(position: Position, given: readonly Template[]): Text {
  const [left = [], right = [], less, equal, greater = equal] = given
  return forEachText(position, expand(position, left), (a, inside) =>
    forEachText(inside, expand(inside, right), (b, innermost) => {
      if (!/^\s*-?\d+\s*$/.test(a) || !/^\s*-?\d+\s*$/.test(b))
        stop('invalid', `not numbers: ${a}, ${b}`, inside.at)
      const order = BigInt(a.trim()) - BigInt(b.trim())
      const chosen = order < 0n ? less : order === 0n ? equal : greater
      if (less === undefined) return order === 0n ? expand(innermost, left) : []
      return expand(innermost, chosen ?? [])
    }),
  )
}

/** A variable with this text, whatever the configuration. */
export const holding = ({ conditions }: Evaluator, text: Text): Variable =>
  assign(conditions, undefinedVariable(conditions), conditions.TRUE, {
    type: 'text',
    when: conditions.TRUE,
    text,
  })
