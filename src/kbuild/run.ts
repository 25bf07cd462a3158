/**
 * Runs Makefiles: statements change the variables of a scope, each under the condition it stands under. See expand.ts
 * for how one run covers all configurations.
 */
import type { Condition } from './condition.ts'
import { limits, stop } from './error.ts'
import { expand, type Position, variableOf } from './expand.ts'
import { parseMakefile, type Statement, type Test } from './makefile.ts'
import { normalPath } from './path.ts'
import { append, assign, hasContent, undefine, type Variable } from './variables.ts'

/** Runs a file of the tree; a missing one is an error unless it is `optional`. */
export function runFile(position: Position, name: string, optional = false): void {
  const { evaluator, at, depth } = position
  if (depth > limits.depth) stop('limit', 'files include each other too deep', at)
  let statements = evaluator.parsed.get(name)
  if (statements === undefined) {
    const text = evaluator.tree.readFile(name)
    if (text === undefined && optional) return
    if (text === undefined) stop('missing', `there is no file ${name}`, at)
    statements = parseMakefile(name, text)
    evaluator.parsed.set(name, statements)
  }
  runStatements({ ...position, depth: depth + 1 }, statements)
}

/** Runs the text of an `$(eval …)`; what it says is said by the line of the `eval`. */
export function runText(position: Position, text: string): void {
  runStatements(position, parseMakefile(position.at.file, text, position.at.line))
}

function runStatements(position: Position, statements: readonly Statement[]): void {
  for (const statement of statements) runStatement({ ...position, at: statement.at }, statement)
}

function runStatement(position: Position, statement: Statement): void {
  const { evaluator, when, scope, exported } = position
  const { conditions, texts } = evaluator
  if (when === conditions.FALSE) return
  switch (statement.type) {
    case 'assignment':
      runAssignment(position, statement)
      break
    case 'conditional': {
      let rest = when
      for (const { test, body } of statement.branches) {
        if (rest === conditions.FALSE) break
        const holds = test === undefined ? conditions.TRUE : runTest({ ...position, when: rest }, test)
        runStatements({ ...position, when: conditions.and(rest, holds) }, body)
        rest = conditions.and(rest, conditions.not(holds))
      }
      break
    }
    case 'include':
      for (const word of texts.words(expand(position, statement.files))) {
        const inside = { ...position, when: conditions.and(when, word.when) }
        if (inside.when !== conditions.FALSE) runFile(inside, normalPath(word.text), statement.optional)
      }
      break
    case 'export':
      for (const { text } of texts.words(expand(position, statement.names))) exported.add(text)
      break
    case 'undefine':
      for (const name of texts.words(expand(position, statement.names)))
        scope.set(
          name.text,
          undefine(conditions, variableOf(position, name.text), conditions.and(when, name.when)),
        )
      break
    case 'expansion':
      expand(position, statement.text)
  }
}

function runAssignment(position: Position, statement: Extract<Statement, { type: 'assignment' }>): void {
  const { evaluator, scope, exported } = position
  const { conditions, texts } = evaluator
  for (const name of texts.alternatives(expand(position, statement.name))) {
    const old = variableOf(position, name.text)
    let when = conditions.and(position.when, name.when)
    if (statement.operator === '?=') when = conditions.and(when, conditions.not(old.definedWhen))
    if (when === conditions.FALSE) continue
    if (statement.exported) exported.add(name.text)
    scope.set(name.text, assigned({ ...position, when }, statement, old))
  }
}

/** The variable as it is after an assignment under the position's condition. */
function assigned(
  position: Position,
  { operator, value, at }: Extract<Statement, { type: 'assignment' }>,
  old: Variable,
): Variable {
  const { evaluator, when } = position
  const { conditions, texts } = evaluator
  const { and, not, FALSE } = conditions
  // `!=` takes the output of a command, which is never run: see `shell` in expand.ts
  if (operator === '!=') return assign(conditions, old, when, { type: 'text', when, text: [] })
  const expandWhen = operator === ':=' ? when : operator === '+=' ? and(when, old.simpleWhen) : FALSE
  const keepWhen = and(when, not(expandWhen))
  let variable = old
  if (expandWhen !== FALSE) {
    const text = expand({ ...position, when: expandWhen }, value).map((piece) => ({ ...piece, at }))
    const definition = { type: 'text', when: expandWhen, text } as const
    variable =
      operator === '+='
        ? append(conditions, texts, variable, expandWhen, definition)
        : assign(conditions, variable, expandWhen, definition)
  }
  if (keepWhen !== FALSE) {
    const definition = { type: 'template', when: keepWhen, template: value, at } as const
    variable =
      operator === '+='
        ? append(conditions, texts, variable, keepWhen, definition)
        : assign(conditions, variable, keepWhen, definition)
  }
  return variable
}

function runTest(position: Position, test: Test): Condition {
  const { conditions, texts } = position.evaluator
  const { and, or, not } = conditions
  let holds: Condition = conditions.FALSE
  if (test.type === 'defined') {
    for (const name of texts.alternatives(expand(position, test.name)))
      holds = or(holds, and(name.when, hasContent(conditions, texts, variableOf(position, name.text))))
  } else {
    const left = expand(position, test.left)
    const right = expand(position, test.right)
    if (left.length === 0 || right.length === 0) holds = not(texts.isNonEmpty([...left, ...right]))
    else {
      const others = new Map(texts.alternatives(right).map(({ text, when }) => [text, when]))
      for (const { text, when } of texts.alternatives(left)) {
        const other = others.get(text)
        if (other !== undefined) holds = or(holds, and(when, other))
      }
    }
  }
  return test.negated ? not(holds) : holds
}
