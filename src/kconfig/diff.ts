/** What differs between two `.config` files, and what a tree made of one. */
import { type Assignment, readLines } from './config-file.ts'
import type { Configuration } from './configuration.ts'

export interface ConfigDifference {
  /** in the first only, with its value there */
  readonly gone: readonly { readonly name: string; readonly value: string }[]
  /** in the second only */
  readonly added: readonly { readonly name: string; readonly value: string }[]
  readonly changed: readonly { readonly name: string; readonly from: string; readonly to: string }[]
}

/** Values by name; of several assignments to a name the last counts. */
export function configValues(text: string, prefix = 'CONFIG_'): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const { assignment } of readLines(text, prefix, false))
    if (assignment !== undefined) values.set(assignment.name, assignment.value)
  return values
}

export function diffConfigs(before: string, after: string, prefix?: string): ConfigDifference {
  const old = configValues(before, prefix)
  const now = configValues(after, prefix)
  const gone = [...old].filter(([name]) => !now.has(name)).map(([name, value]) => ({ name, value }))
  const added = [...now].filter(([name]) => !old.has(name)).map(([name, value]) => ({ name, value }))
  const changed = [...old].flatMap(([name, from]) => {
    const to = now.get(name)
    return to === undefined || to === from ? [] : [{ name, from, to }]
  })
  return { gone, added, changed }
}

export interface MigrationReport {
  /** names that the tree does not know */
  readonly unknown: readonly Assignment[]
  /** values that were asked for and did not come out, with what did */
  readonly lost: readonly {
    readonly name: string
    readonly wanted: string
    readonly value: string | undefined
  }[]
  /** symbols that the old text does not mention, with the value they have now; those at n are left out */
  readonly fresh: readonly { readonly name: string; readonly value: string }[]
}

/** What became of an old `.config` in a tree: `configuration` is what reading it there has given, `text` its new text. */
export function migrationReport(before: string, configuration: Configuration, text: string): MigrationReport {
  const { tree } = configuration
  const prefix = tree.dialect.configPrefix
  const old = configValues(before, prefix)
  const now = configValues(text, prefix)
  const unknown: Assignment[] = []
  for (const { assignment } of readLines(before, prefix, false)) {
    if (assignment === undefined) continue
    if ((tree.byName.get(assignment.name)?.nodes.length ?? 0) === 0) unknown.push(assignment)
  }
  const lost = [...old].flatMap(([name, wanted]) => {
    if ((tree.byName.get(name)?.nodes.length ?? 0) === 0) return []
    const value = now.get(name)
    return value === wanted || (wanted === 'n' && value === undefined) ? [] : [{ name, wanted, value }]
  })
  const fresh = [...now].flatMap(([name, value]) => (old.has(name) || value === 'n' ? [] : [{ name, value }]))
  return { unknown, lost, fresh }
}

const line = (name: string, value: string): string =>
  value === 'n' ? `# CONFIG_${name} is not set` : `CONFIG_${name}=${value}`

export function differenceText({ gone, added, changed }: ConfigDifference): string {
  return [
    ...gone.map(({ name, value }) => `-${line(name, value)}`),
    ...changed.map(({ name, from, to }) => ` CONFIG_${name}: ${from} -> ${to}`),
    ...added.map(({ name, value }) => `+${line(name, value)}`),
  ]
    .map((text) => `${text}\n`)
    .join('')
}
