/** What `kconfig resolve` prints: for people, as JSON, or as lines to paste into a configuration. */
import type { CommandResult } from './command-host.ts'
import type { Step } from './contradiction.ts'
import { byteStringToText, type Kconfig } from './model.ts'
import { type Resolution, type ResolvedAssignment, type ResolvedSet, stepText } from './resolve.ts'

export type ResolutionFormat = 'text' | 'json' | 'fragment'

export function resolutionReport(
  tree: Kconfig,
  resolution: Resolution,
  format: ResolutionFormat,
): CommandResult {
  const result = (stdout: string, stderr: string): CommandResult => ({
    stdout: byteStringToText(stdout),
    stderr: byteStringToText(stderr),
    exitCode: resolution.ok ? 0 : 1,
    files: new Map(),
  })
  if (format === 'json') return result(`${JSON.stringify(asJson(resolution), null, 2)}\n`, '')
  if (!resolution.ok) return result('', `${resolution.error.message}\n`)
  const { value } = resolution
  if (format === 'fragment') return result(fragment(tree, value.assignments), '')
  const others = value.alternatives.map(
    (other, index) => `\nalternative ${index + 1}: ${summary(other)}\n${explained(tree, other)}`,
  )
  return result(`${explained(tree, value)}${summary(value)}\n${others.join('')}`, '')
}

/** The line of a `.config` that makes the assignment. */
export function assignmentLine(tree: Kconfig, { name, value }: ResolvedAssignment): string {
  const symbol = `${tree.dialect.configPrefix}${name}`
  if (tree.byName.get(name)?.type === 'string') return `${symbol}="${value.replace(/["\\]/g, '\\$&')}"`
  return value === 'n' ? `# ${symbol} is not set` : `${symbol}=${value}`
}

const fragment = (tree: Kconfig, assignments: readonly ResolvedAssignment[]): string =>
  assignments.map((assignment) => `${assignmentLine(tree, assignment)}\n`).join('')

/** Each assignment with the last link of the chain that leads to it. */
function explained(tree: Kconfig, { assignments }: ResolvedSet): string {
  return assignments
    .map((assignment) => {
      const last = assignment.reason.at(-1)
      const reason = last === undefined ? 'needed' : stepText(last)
      return `${assignmentLine(tree, assignment)}\n    ${reason}\n`
    })
    .join('')
}

function summary({ assignments, fewest }: ResolvedSet): string {
  if (assignments.length === 0) return 'nothing has to be set: it is so already'
  const added = assignments.filter(({ requested }) => !requested).length
  if (added === 0) return 'nothing has to be added'
  const count = `${added} ${added === 1 ? 'symbol' : 'symbols'} added`
  return fewest
    ? `${count}: none can be left out, and no answer adds fewer`
    : `${count}: none can be left out`
}

const stepJson = ({ text, at }: Step) => ({ text, at })
const setJson = ({ assignments, fewest }: ResolvedSet) => ({
  assignments: assignments.map(({ reason, ...rest }) => ({ ...rest, reason: reason.map(stepJson) })),
  fewest,
})

function asJson(resolution: Resolution): unknown {
  if (!resolution.ok) {
    const { error } = resolution
    return { ok: false, error: 'steps' in error ? { ...error, steps: error.steps.map(stepJson) } : error }
  }
  const { value } = resolution
  return { ok: true, ...setJson(value), alternatives: value.alternatives.map(setJson) }
}
