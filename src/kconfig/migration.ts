/** What became of an old `.config` in another tree, `olddefconfig --report`: every value that is not what it was. */
import type { Configuration } from './configuration.ts'
import { configValues } from './diff.ts'
import { explain } from './explain.ts'

interface Value {
  readonly name: string
  readonly value: string
}

export interface MigrationReport {
  /** given in the old text, of names that no entry of this tree defines */
  readonly gone: readonly Value[]
  /** asked for in the old text, and now n, or not there at all; with what stands in the way */
  readonly lost: readonly (Value & { readonly because: readonly string[] })[]
  /** those that have another value now */
  readonly changed: readonly { readonly name: string; readonly from: string; readonly to: string }[]
  /** symbols that the old text says nothing of, with the value that they have now */
  readonly fresh: readonly (Value & {
    /** somebody could be asked for it: `listnewconfig` lists it */
    readonly settable: boolean
  })[]
}

/** @param configuration what reading the text `before` has given @param after what writing it gives */
export function migrationReport(
  before: string,
  configuration: Configuration,
  after: string,
): MigrationReport {
  const { tree } = configuration
  const old = configValues(before, tree.dialect.configPrefix)
  const now = configValues(after, tree.dialect.configPrefix)
  const isDefined = (name: string): boolean => (tree.byName.get(name)?.nodes.length ?? 0) > 0
  const gone: Value[] = []
  const lost: MigrationReport['lost'][number][] = []
  const changed: MigrationReport['changed'][number][] = []
  for (const [name, value] of old) {
    const to = now.get(name)
    if (!isDefined(name)) gone.push({ name, value })
    else if (to === value) continue
    else if (to !== undefined && to !== 'n') changed.push({ name, from: value, to })
    else if (value !== 'n') lost.push({ name, value, because: blockersOf(configuration, name) })
  }
  const fresh = [...now].flatMap(([name, value]) => {
    const symbol = tree.byName.get(name)
    if (old.has(name) || symbol === undefined) return []
    return [{ name, value, settable: configuration.isChangeable(symbol) }]
  })
  return { gone, lost, changed, fresh }
}

function blockersOf(configuration: Configuration, name: string): readonly string[] {
  const explained = explain(configuration, name)
  return explained.ok ? explained.value.blocking.map(({ text }) => text) : []
}

export function migrationText({ gone, lost, changed, fresh }: MigrationReport): string {
  const lines = [
    ...lost.map(({ name, value, because }) => {
      const why = because.length === 0 ? '' : `: ${because.join('; ')}`
      return `lost     ${name}=${value}${why}`
    }),
    ...gone.map(({ name, value }) => `gone     ${name}=${value}: no entry of this tree defines it`),
    ...changed.map(({ name, from, to }) => `changed  ${name}: ${from} -> ${to}`),
    ...fresh.map(
      ({ name, value, settable }) => `new      ${name}=${value}${settable ? '' : ' (cannot be set)'}`,
    ),
  ]
  return lines.map((line) => `${line}\n`).join('')
}
