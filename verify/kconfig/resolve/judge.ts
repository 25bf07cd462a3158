/**
 * Judges the answers of `resolve`. What is granted is held against the tree's own code. What is refused is held against
 * witnesses, configurations that exist: none may have what was refused, and all must bear out each step.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Claim, claimHolds, isExpr, symbolsIn } from '../../../src/kconfig/facts.ts'
import type { KconfigSymbol } from '../../../src/kconfig/index.ts'
import {
  type Request,
  type Resolution,
  type ResolvedAssignment,
  type Resolver,
  type Step,
  stepText,
} from '../../../src/kconfig/index.ts'
import type { Subject, Witness } from './subject.ts'

export interface Tally {
  asked: number
  granted: number
  fewest: number
  /** symbols that were added to what was asked for, and how many of them for a reason that stands in the tree */
  added: number
  reasoned: number
  refused: number
  shortest: number
  /** of the refused: there is a configuration with it, which the kernel warns of for what a step is about */
  excused: number
  undecided: number
  readonly milliseconds: number[]
  readonly failures: string[]
}

export const newTally = (): Tally => ({
  asked: 0,
  granted: 0,
  fewest: 0,
  added: 0,
  reasoned: 0,
  refused: 0,
  shortest: 0,
  excused: 0,
  undecided: 0,
  milliseconds: [],
  failures: [],
})

/** One question, its answer judged. Times are of the processor: other programs do not count. */
export async function judge(
  subject: Subject,
  resolver: Resolver,
  requests: readonly Request[],
  tally: Tally,
): Promise<Resolution> {
  const begun = process.cpuUsage()
  const answer = resolver(requests)
  const { user, system } = process.cpuUsage(begun)
  tally.milliseconds.push((user + system) / 1000)
  tally.asked++
  const question = requests.map(({ name, value }) => `${name}=${value}`).join(' ')
  const fail = (text: string): void => {
    tally.failures.push(`${question}: ${text}`)
  }
  if (answer.ok) {
    tally.granted++
    if (answer.value.fewest) tally.fewest++
    for (const { requested, reason } of answer.value.assignments) {
      if (requested) continue
      tally.added++
      const last = reason.at(-1)
      const wrong = last && untrue(subject, last)
      if (last !== undefined && wrong !== undefined) fail(`"${stepText(last)}" ${wrong}`)
      else if (last?.at !== undefined) tally.reasoned++
    }
    const verdict = await confirms(subject, answer.value.assignments, requests)
    if (verdict !== undefined) fail(`granted, but ${verdict}`)
    return answer
  }
  if (answer.error.type !== 'impossible') {
    tally.undecided++
    fail(answer.error.message)
    return answer
  }
  tally.refused++
  if (answer.error.shortest) tally.shortest++
  for (const step of answer.error.steps) {
    const wrong = untrue(subject, step)
    if (wrong !== undefined) fail(`"${stepText(step)}" ${wrong}`)
  }
  const about = new Set(
    answer.error.steps.flatMap(({ claim }) => (claim === undefined ? [] : subjectsOf(claim))),
  )
  const witnesses = subject.witnesses.filter((each) => hasAll(subject, each, requests))
  const witness = witnesses.find((each) => !warnedOf(each, about))
  if (witness !== undefined) fail(`refused, but ${witness.name} has it: ${answer.error.message}`)
  else if (witnesses.length > 0) tally.excused++
  return answer
}

/** What the tree's own code has against an answer; undefined: nothing. */
export async function confirms(
  subject: Subject,
  assignments: readonly Pick<ResolvedAssignment, 'name' | 'value'>[],
  requests: readonly Request[],
): Promise<string | undefined> {
  const lines = assignments.map(({ name, value }) => configLineOf(subject, name, value))
  const { values, unmet } = await subject.driver.ask(
    lines,
    requests.map(({ name }) => name),
  )
  const fresh = unmet.filter((name) => !subject.normal.has(name))
  if (fresh.length > 0) return `${fresh.join(', ')} would be selected against its dependencies`
  const wrong = requests.findIndex(({ value }, index) => values[index] !== value)
  return wrong < 0 ? undefined : `${requests[wrong]?.name} is ${values[wrong]}`
}

function configLineOf({ tree }: Subject, name: string, value: string): string {
  if (value === 'n') return `# CONFIG_${name} is not set`
  return `CONFIG_${name}=${tree.byName.get(name)?.type === 'string' ? JSON.stringify(value) : value}`
}

const hasAll = ({ tree }: Subject, { configuration }: Witness, requests: readonly Request[]): boolean =>
  requests.every(({ name, value }) => {
    const symbol = tree.byName.get(name)
    return symbol !== undefined && configuration.text(symbol) === value
  })

/**
 * Whether the kernel warns that one of the symbols is selected against its dependencies there. Such a warning is the
 * admission that a dependency does not hold: a configuration that it is given for does not show that all can be had.
 */
const warnedOf = ({ unmet }: Witness, symbols: Iterable<KconfigSymbol>): boolean =>
  [...symbols].some((symbol) => unmet.has(symbol))

/** Every symbol that a claim says something about. */
const subjectsOf = ({ premises, alternatives }: Claim): readonly KconfigSymbol[] =>
  [...premises, ...alternatives].flatMap(({ of }) => (isExpr(of) ? [...symbolsIn(of)] : [of]))

/** What speaks against a step: a configuration where it does not hold, or a place in the tree that does not say it. */
function untrue(subject: Subject, { text, at, claim }: Step): string | undefined {
  if (at !== undefined) {
    const line = lineOf(subject.srctree, at.file, at.line)
    const names = text.match(/[A-Z][A-Z0-9_]+|[A-Z0-9_]*\d[A-Z0-9_]*/g) ?? []
    if (!/^\s*choice/.test(line) && !names.some((name) => line.includes(name)) && !/default|def_/.test(line))
      return `is not what ${at.file}:${at.line} says: ${line.trim()}`
  }
  if (claim === undefined) return undefined
  const about = subjectsOf(claim)
  for (const witness of subject.witnesses)
    if (!warnedOf(witness, about) && !claimHolds(witness.configuration, claim))
      return `does not hold in ${witness.name}`
  return undefined
}

const files = new Map<string, readonly string[]>()
function lineOf(srctree: string, file: string, line: number): string {
  const path = join(srctree, file)
  let lines = files.get(path)
  if (lines === undefined) {
    lines = readFileSync(path, 'latin1').split('\n')
    files.set(path, lines)
  }
  return lines[line - 1] ?? ''
}

/** Tries to leave out each assignment. @returns those without which the tree's own code still grants everything */
export async function superfluous(
  subject: Subject,
  assignments: readonly ResolvedAssignment[],
  requests: readonly Request[],
): Promise<readonly string[]> {
  const needless: string[] = []
  for (const assignment of assignments) {
    const rest = assignments.filter((other) => other !== assignment)
    if ((await confirms(subject, rest, requests)) === undefined) needless.push(assignment.name)
  }
  return needless
}

export function medianAndWorst(milliseconds: readonly number[]): string {
  const sorted = [...milliseconds].sort((a, b) => a - b)
  const at = (index: number): string => (sorted[index] ?? 0).toFixed(0)
  return `${at(sorted.length >> 1)} / ${at(sorted.length - 1)}`
}
