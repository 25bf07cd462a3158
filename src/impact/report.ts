/** An {@link Impact} in words. */
import type { Impact, ObjectChange } from './impact.ts'
import type { Reason } from './reasons.ts'
import { changeText } from './wish.ts'

/** How many objects a list names before it says how many more there are. */
const most = 20

export function impactText(impact: Impact): string {
  const { changes, builtin, objects, exports, modules, findings, release } = impact
  const asked = changes.filter((change) => change.asked)
  const others = changes.filter((change) => !change.asked)
  const lines = [
    headline(impact),
    '',
    ...section('asked for', asked.map(changeText)),
    ...section('changes along', others.map(changeText)),
    `${builtin.looking} of ${builtin.objects} built-in objects look at what changes; ${objects.length === 0 ? 'none of them comes out differently' : `${count(objects.length, 'comes', 'come')} out differently`}`,
    ...list(objects.map(objectText)),
    ...section('exported otherwise by the kernel', exports),
    ...section(
      'new modules',
      modules.added.map(({ path, reasons }) => `${path}${because(reasons)}`),
    ),
    ...section(
      'modules that change, to be replaced at once with the new ones',
      modules.changed.map(({ path, reasons }) => `${path}${because(reasons)}`),
    ),
    ...section('modules that are gone', modules.gone),
    ...section(`what stands against loading them into ${release}`, findings),
  ]
  return `${lines.join('\n')}\n`
}

function headline({ verdict, findings, modules, release }: Impact): string {
  switch (verdict) {
    case 'module-only':
      return findings.length > 0
        ? `module only, but not loadable as it is: the kernel ${release} stays as it is, and the modules do not fit yet`
        : `module only: ${count(modules.added.length, 'new module', 'new modules')}, proved to load into the kernel ${release} that is flashed`
    case 'new-vmlinux':
      return 'needs a new vmlinux: built-in code looks at what is asked for'
    case 'needs-more':
      return 'needs more: a new vmlinux, because of symbols that come along with what is asked for'
  }
}

const objectText = ({ path, change, reasons }: ObjectChange): string =>
  `${path}${change === 'different' ? '' : ` (${change})`}${because(reasons)}`

function because(reasons: readonly Reason[]): string {
  if (reasons.length === 0) return ''
  const shown = reasons
    .slice(0, 3)
    .map(({ symbol, through }) => (symbol === undefined ? through : `${symbol}, through ${through}`))
  return `  ${shown.join('; ')}${reasons.length > shown.length ? '; …' : ''}`
}

function section(title: string, entries: readonly string[]): readonly string[] {
  return entries.length === 0 ? [] : [title, ...list(entries)]
}

function list(entries: readonly string[]): readonly string[] {
  const shown = entries.slice(0, most).map((entry) => `  ${entry}`)
  return entries.length > most
    ? [...shown, `  and ${entries.length - most} more (--json names all)`, '']
    : [...shown, '']
}

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`
