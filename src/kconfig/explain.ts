/**
 * Why a symbol has the value that it has, what it could be, and what stands in its way.
 */
import { type Condition, obstaclesTo, shortList } from './blockers.ts'
import type { Configuration } from './configuration.ts'
import { tristateText } from './configuration.ts'
import { isLogical } from './encoder.ts'
import { printExpr } from './expression-text.ts'
import { conjuncts } from './facts.ts'
import type { Expr, KconfigSymbol, Location, ReverseDependency, Tristate } from './model.ts'
import { displayName, NO, textToByteString, YES } from './model.ts'
import { nearbyNames } from './nearby-names.ts'

/** Where a value comes from. */
export type Source =
  | { readonly type: 'user' }
  | { readonly type: 'default'; readonly at: Location }
  | { readonly type: 'selected'; readonly by: string; readonly at: Location | undefined }
  | { readonly type: 'implied'; readonly by: string; readonly at: Location | undefined }
  | { readonly type: 'choice'; readonly prompt: string }
  /** nothing gives it a value: n, or empty */
  | { readonly type: 'nothing' }

/** A part of a dependency. */
export interface Part {
  readonly text: string
  readonly value: Tristate
  /** it is worth enough for what is wanted */
  readonly holds: boolean
  /** it is in the blocking set; one that neither holds nor blocks is needed for this prompt, and there is another way */
  readonly blocking: boolean
}

export interface PromptExplanation {
  readonly at: Location
  readonly prompt: string
  /** the condition under which the prompt shows */
  readonly condition: string
  readonly value: Tristate
  /** its parts, joined by "and" */
  readonly parts: readonly Part[]
}

export interface Explanation {
  readonly name: string
  readonly type: KconfigSymbol['type']
  readonly value: string
  readonly source: Source
  /** a value that the user gave and that is not the one it has */
  readonly lost: string | undefined
  /** the value whose absence `blocking` explains: the lost one, or y */
  readonly wanted: string
  /**
   * What keeps it from the wanted value: all of it has to become true, while `keeping` stays so; everything else may stay
   * as it is. Empty when it has that value, or can be set to it.
   */
  readonly blocking: readonly Condition[]
  /** what the wanted value takes besides, and is so already */
  readonly keeping: readonly Condition[]
  /** the values that it can be set to now; empty when it cannot be set */
  readonly settable: readonly string[]
  readonly definitions: readonly Location[]
  readonly prompts: readonly PromptExplanation[]
  /** what selects it, with the value that each demands now */
  readonly selectedBy: readonly ReverseExplanation[]
  readonly impliedBy: readonly ReverseExplanation[]
  /** symbols whose prompts would show if only this one were y */
  readonly wouldAllow: readonly string[]
}

export interface ReverseExplanation {
  readonly by: string
  readonly condition: string
  readonly value: Tristate
  readonly at: Location | undefined
}

export type ExplainResult =
  | { readonly ok: true; readonly value: Explanation }
  | {
      readonly ok: false
      readonly error: {
        readonly type: 'unknown-symbol'
        readonly message: string
        readonly near: readonly string[]
      }
    }

const placeOf = ({ file, line }: Location): Location => ({ file, line })

export function explain(configuration: Configuration, name: string): ExplainResult {
  const { tree } = configuration
  const symbol = tree.byName.get(name)
  if (symbol === undefined || symbol.nodes.length === 0) {
    const near = nearbyNames(tree, name)
    const hint = near.length > 0 ? `; near names: ${near.join(', ')}` : ''
    const message = `no entry of this tree defines ${name}${hint}`
    return { ok: false, error: { type: 'unknown-symbol', message, near } }
  }
  const value = configuration.text(symbol)
  const given = configuration.userValue(symbol)
  const logical = isLogical(symbol)
  const asked = given === undefined ? undefined : logical ? tristateText(given.tristate) : given.text
  const wanted: Tristate = given !== undefined && logical ? given.tristate : YES
  const { blocking, keeping } = obstaclesTo(configuration, symbol, logical ? wanted : undefined)
  return {
    ok: true,
    value: {
      name,
      type: symbol.type,
      value,
      source: sourceOf(configuration, symbol),
      lost: asked === value ? undefined : asked,
      wanted: logical ? tristateText(wanted) : (asked ?? value),
      blocking,
      keeping,
      settable: settable(configuration, symbol),
      definitions: symbol.nodes.map(placeOf),
      prompts: prompts(configuration, symbol, wanted, new Set(blocking.map(({ text }) => text))),
      selectedBy: reverse(configuration, symbol.selectedBy),
      impliedBy: reverse(configuration, symbol.impliedBy),
      wouldAllow: value === 'y' ? [] : wouldAllow(configuration, symbol),
    },
  }
}

function sourceOf(configuration: Configuration, symbol: KconfigSymbol): Source {
  const value = configuration.tristate(symbol)
  if (symbol.choice !== undefined && configuration.visibility(symbol) !== NO) {
    const prompt = symbol.choice.nodes[0]?.prompt?.text ?? ''
    return { type: 'choice', prompt }
  }
  const strongest = (terms: readonly ReverseDependency[]): ReverseDependency | undefined =>
    terms.find(({ term, selector }) => selector !== undefined && configuration.evaluate(term) >= value)
  const user = configuration.userValue(symbol)
  const logical = isLogical(symbol)
  const userHolds = user !== undefined && configuration.visibility(symbol) !== NO
  if (
    logical &&
    value !== NO &&
    configuration.selected(symbol) >= value &&
    (!userHolds || user.tristate < value)
  ) {
    const by = strongest(symbol.selectedBy)
    if (by?.selector !== undefined)
      return { type: 'selected', by: displayName(by.selector), at: by.property && placeOf(by.property) }
  }
  if (userHolds) return { type: 'user' }
  const property = configuration.activeProperty(symbol, 'default')
  const offered = logical ? configuration.evaluate(property?.value) : YES
  if (property !== undefined && (value !== NO || offered === NO) && (!logical || offered >= value))
    return { type: 'default', at: placeOf(property) }
  if (logical && value !== NO && configuration.implied(symbol) >= value) {
    const by = strongest(symbol.impliedBy)
    if (by?.selector !== undefined)
      return { type: 'implied', by: displayName(by.selector), at: by.property && placeOf(by.property) }
  }
  return property === undefined ? { type: 'nothing' } : { type: 'default', at: placeOf(property) }
}

function settable(configuration: Configuration, symbol: KconfigSymbol): readonly string[] {
  if (configuration.visibility(symbol) === NO) return []
  if (isLogical(symbol))
    return ([0, 1, 2] as const)
      .filter((value) => configuration.canBe(symbol, value))
      .map((value) => tristateText(value))
  const range = configuration.activeProperty(symbol, 'range')
  const text = (of: KconfigSymbol | undefined): string => (of === undefined ? '' : configuration.text(of))
  return [range === undefined ? symbol.type : `${text(range.low)}…${text(range.high)}`]
}

function prompts(
  configuration: Configuration,
  symbol: KconfigSymbol,
  wanted: Tristate,
  blocking: ReadonlySet<string>,
): readonly PromptExplanation[] {
  const value = (of: KconfigSymbol): string => configuration.text(of)
  // For what is no tristate, showing at all is enough.
  const needed: Tristate =
    symbol.type === 'tristate' && wanted === YES && !configuration.actsAsBool(symbol) ? YES : 1
  const out: PromptExplanation[] = []
  for (const property of symbol.properties) {
    if (property.text === undefined) continue
    const parts = conjuncts(property.condition).map((part): Part => {
      const worth = configuration.evaluate(part)
      const text = printExpr(part, value)
      return { text, value: worth, holds: worth >= needed, blocking: blocking.has(text) }
    })
    out.push({
      at: placeOf(property),
      prompt: property.text,
      condition: property.condition === undefined ? 'y' : printExpr(property.condition, value),
      value: configuration.evaluate(property.condition),
      parts,
    })
  }
  return out
}

function reverse(
  configuration: Configuration,
  terms: readonly ReverseDependency[],
): readonly ReverseExplanation[] {
  const value = (of: KconfigSymbol): string => configuration.text(of)
  return terms.flatMap(({ selector, condition, term, property }) =>
    selector === undefined
      ? []
      : [
          {
            by: displayName(selector),
            condition: condition === undefined ? 'y' : printExpr(condition, value),
            value: configuration.evaluate(term),
            at: property && placeOf(property),
          },
        ],
  )
}

/** Symbols that do not show now, and would if this one were y and nothing else changed. */
function wouldAllow(configuration: Configuration, symbol: KconfigSymbol): readonly string[] {
  const { tree } = configuration
  const raised = (expr: Expr | undefined): Tristate => {
    if (expr === undefined) return YES
    switch (expr.kind) {
      case 'symbol':
        return expr.symbol === symbol ? YES : configuration.evaluate(expr)
      case 'and':
        return Math.min(raised(expr.left), raised(expr.right)) as Tristate
      case 'or':
        return Math.max(raised(expr.left), raised(expr.right)) as Tristate
      case 'not':
        return (2 - raised(expr.operand)) as Tristate
      default:
        return configuration.evaluate(expr)
    }
  }
  const names: string[] = []
  for (const other of tree.symbols) {
    if (other.name === undefined || other === symbol || configuration.visibility(other) !== NO) continue
    if (other.properties.some((property) => property.text !== undefined && raised(property.condition) !== NO))
      names.push(other.name)
  }
  return names
}

// Texts of the tree are byte strings (model.ts), and so is what is joined to them.
const MISSING = textToByteString('✗')
const PRESENT = textToByteString('✓')
const UNNEEDED = textToByteString('·')

const at = (place: Location | undefined): string =>
  place === undefined ? '' : ` (${place.file}:${place.line})`

/** The explanation as JSON: without what only makes sense beside the tree. */
export function explanationJson(explanation: Explanation): string {
  const told = ({ text, at: place }: Condition) => ({ text, at: place })
  const { blocking, keeping } = explanation
  const plain = { ...explanation, blocking: blocking.map(told), keeping: keeping.map(told) }
  return `${JSON.stringify(plain, null, 2)}\n`
}

/** The explanation for a person. */
export function explanationText(explanation: Explanation): string {
  const { source } = explanation
  const from =
    source.type === 'user'
      ? 'set by the user'
      : source.type === 'default'
        ? `a default${at(source.at)}`
        : source.type === 'selected'
          ? `selected by ${source.by}${at(source.at)}`
          : source.type === 'implied'
            ? `implied by ${source.by}${at(source.at)}`
            : source.type === 'choice'
              ? `member of the choice "${source.prompt}"`
              : 'nothing gives it a value'
  const lines = [
    `${explanation.name} = ${explanation.value === '' ? '""' : explanation.value}  (${explanation.type}; ${from})`,
  ]
  if (explanation.lost !== undefined) lines.push(`  ${explanation.lost} was asked for and did not hold`)
  // Parts of prompts are marked where the prompts are told of.
  const told = new Set(explanation.prompts.flatMap(({ parts }) => parts.map(({ text }) => text)))
  for (const blocker of explanation.blocking)
    if (!told.has(blocker.text)) lines.push(`  not ${explanation.wanted}: ${blocker.text}${at(blocker.at)}`)
  for (const place of explanation.definitions) lines.push(`  defined at ${place.file}:${place.line}`)
  lines.push(
    explanation.settable.length > 0
      ? `  can be set to ${explanation.settable.join(', ')}`
      : explanation.prompts.length > 0
        ? '  cannot be set now'
        : '  cannot be set: it has no prompt',
  )
  for (const prompt of explanation.prompts) {
    if (prompt.parts.length === 0) continue
    lines.push(`  prompt "${prompt.prompt}"${at(prompt.at)} needs:`)
    for (const part of prompt.parts)
      lines.push(`    ${part.blocking ? MISSING : part.holds ? PRESENT : UNNEEDED} ${part.text}`)
  }
  const active = (terms: readonly ReverseExplanation[]) => terms.filter((term) => term.value !== NO)
  for (const term of active(explanation.selectedBy))
    lines.push(`  selected at ${tristateText(term.value)} by ${term.by}${at(term.at)}`)
  const dormant = explanation.selectedBy.filter((term) => term.value === NO)
  if (dormant.length > 0) lines.push(`  would be selected by ${shortList(dormant.map((term) => term.by))}`)
  if (explanation.wouldAllow.length > 0)
    lines.push(`  y would make visible ${shortList(explanation.wouldAllow)}`)
  return `${lines.join('\n')}\n`
}
