/**
 * Variables. What a variable is may depend on the configuration: it is a row of definitions, each with the condition
 * under which it counts. `:=` stores text, `=` a template that is expanded at every use, `+=` adds to what is there.
 * GNU make manual, 6.2 "The Two Flavors of Variables" and 6.6 "Appending More Text to Variables".
 */
import type { Condition, Conditions } from './condition.ts'
import type { Place } from './error.ts'
import type { Template } from './template.ts'
import type { Text, Texts } from './text.ts'

export interface Variable {
  readonly definitions: readonly Definition[]
  /** somebody has assigned it, if only nothing */
  readonly definedWhen: Condition
  /** it holds text, so that `+=` expands at once */
  readonly simpleWhen: Condition
}

export type Definition =
  | { readonly type: 'text'; readonly when: Condition; readonly text: Text }
  | { readonly type: 'template'; readonly when: Condition; readonly template: Template; readonly at: Place }

/** Variables of one directory over those that every directory inherits. */
export interface Scope {
  get(name: string): Variable | undefined
  set(name: string, variable: Variable): void
  readonly own: ReadonlyMap<string, Variable>
}

export function createScope(inherited?: ReadonlyMap<string, Variable>): Scope {
  const own = new Map<string, Variable>()
  return {
    own,
    get: (name) => own.get(name) ?? inherited?.get(name),
    set: (name, variable) => own.set(name, variable),
  }
}

export const undefinedVariable = (conditions: Conditions): Variable => ({
  definitions: [],
  definedWhen: conditions.FALSE,
  simpleWhen: conditions.FALSE,
})

/** The variable where `when` does not hold. */
function without(conditions: Conditions, variable: Variable, when: Condition): readonly Definition[] {
  if (when === conditions.TRUE) return []
  const rest = conditions.not(when)
  return variable.definitions.flatMap((definition) => {
    const both = conditions.and(definition.when, rest)
    return both === conditions.FALSE ? [] : [{ ...definition, when: both }]
  })
}

/** `=`, `:=` and `define`, where `when` holds. */
export function assign(
  conditions: Conditions,
  variable: Variable,
  when: Condition,
  definition: Definition,
): Variable {
  const { or, and, not } = conditions
  const simple = definition.type === 'text'
  return {
    definitions: [...without(conditions, variable, when), definition],
    definedWhen: or(variable.definedWhen, when),
    simpleWhen: simple ? or(variable.simpleWhen, when) : and(variable.simpleWhen, not(when)),
  }
}

/** `undefine` */
export function undefine(conditions: Conditions, variable: Variable, when: Condition): Variable {
  const rest = conditions.not(when)
  return {
    definitions: without(conditions, variable, when),
    definedWhen: conditions.and(variable.definedWhen, rest),
    simpleWhen: conditions.and(variable.simpleWhen, rest),
  }
}

/** `+=`, where `when` holds; apart from what there was. */
export function append(
  conditions: Conditions,
  texts: Texts,
  variable: Variable,
  when: Condition,
  definition: Definition,
): Variable {
  const { or, TRUE } = conditions
  const separator: readonly Definition[] = variable.definitions.some(
    (each) => each.type === 'template' || each.text.length > 0,
  )
    ? [{ type: 'text', when: TRUE, text: texts.gap }]
    : []
  return {
    definitions: [...variable.definitions, ...separator, definition],
    definedWhen: or(variable.definedWhen, when),
    simpleWhen: variable.simpleWhen,
  }
}

/** Where the variable is anything but empty before expansion, which is what `ifdef` asks. */
export function hasContent(conditions: Conditions, texts: Texts, variable: Variable): Condition {
  let any = conditions.FALSE
  // from the end, since it mostly is the last assignments that say TRUE
  for (const definition of [...variable.definitions].reverse()) {
    if (any === conditions.TRUE) break
    const content =
      definition.type === 'text'
        ? conditions.and(definition.when, texts.isNonEmpty(definition.text))
        : definition.template.length > 0
          ? definition.when
          : conditions.FALSE
    any = conditions.or(any, content)
  }
  return any
}
