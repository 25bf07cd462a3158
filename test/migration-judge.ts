/** Holds what `olddefconfig --report` says of a move to another kernel against what that kernel's own tools say. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createConfiguration,
  type Kconfig,
  migrationReport,
  readConfig,
  writeConfig,
} from '../src/kconfig/index.ts'
import type { Judge } from './judge.ts'

/** The names that a file defines, found as `grep` would. */
function definedNames({ files }: Kconfig, srctree: string): ReadonlySet<string> {
  const names = new Set<string>()
  for (const file of files)
    for (const [, name = ''] of readFileSync(join(srctree, file), 'latin1').matchAll(
      /^\s*(?:menu)?config\s+(\w+)/gm,
    ))
      names.add(name)
  return names
}

function valuesOf(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const [, set, value = '', unset] of text.matchAll(/^CONFIG_(\w+)=(.*)$|^# CONFIG_(\w+) is not set$/gm))
    values.set(set ?? unset ?? '', set === undefined ? 'n' : value)
  return values
}

/** @returns where the report and the tree's own tools disagree; empty where they do not */
export function misreported(
  model: Kconfig,
  srctree: string,
  judge: Judge,
  before: string,
): readonly string[] {
  const configuration = createConfiguration(model)
  readConfig(configuration, before, { name: '.config' })
  const report = migrationReport(before, configuration, writeConfig(configuration))

  const warnings = { KCONFIG_WARN_UNKNOWN_SYMBOLS: '1' }
  const { text: after, messages } = judge(['--olddefconfig'], { config: before, environment: warnings })
  const listed = judge(['--listnewconfig'], { config: before }).stdout
  const defined = definedNames(model, srctree)
  const old = valuesOf(before)
  const now = valuesOf(after)
  const theirs = {
    gone: [...old.keys()].filter((name) => !defined.has(name)),
    lost: [...old].flatMap(([name, value]) =>
      defined.has(name) && value !== 'n' && (now.get(name) ?? 'n') === 'n' ? [`${name}=${value}`] : [],
    ),
    changed: [...old].flatMap(([name, value]) => {
      const to = now.get(name) ?? 'n'
      return defined.has(name) && to !== value && to !== 'n' ? [`${name}=${to}`] : []
    }),
    fresh: [...now].flatMap(([name, value]) => (old.has(name) ? [] : [`${name}=${value}`])),
    // It also asks again for what has another type here, and so not the value that was given.
    asked: [...valuesOf(listed)].flatMap(([name, value]) => (old.has(name) ? [] : [`${name}=${value}`])),
  }
  const pair = ({ name, value }: { readonly name: string; readonly value: string }) => `${name}=${value}`
  const ours = {
    gone: report.gone.map(({ name }) => name),
    lost: report.lost.map(pair),
    changed: report.changed.map(({ name, to }) => `${name}=${to}`),
    fresh: report.fresh.map(pair),
    asked: report.fresh.filter(({ settable }) => settable).map(pair),
  }
  const wrong = (Object.keys(theirs) as (keyof typeof theirs)[]).flatMap((kind) => {
    const [left, right] = [new Set(theirs[kind]), new Set(ours[kind])]
    return [
      ...[...left].filter((each) => !right.has(each)).map((each) => `${kind}: ${each} is missing`),
      ...[...right].filter((each) => !left.has(each)).map((each) => `${kind}: ${each} is not so`),
    ]
  })
  // conf's own word on names that it does not know, where it gives one (6.8 and later).
  const gone = new Set(ours.gone)
  for (const [, name = ''] of messages.matchAll(/unknown symbol: (\w+)/g))
    if (!gone.has(name)) wrong.push(`gone: conf does not know ${name}`)
  return wrong
}
