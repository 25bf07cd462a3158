/** What differs between two `.config` files. */
import { readLines } from './config-file.ts'

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
