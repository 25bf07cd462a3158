import { readFileSync } from 'node:fs'
import { readDevicetree } from '../devicetree/index.ts'
import { UserError } from '../diagnostics/index.ts'
import { type DeviceMatch, matchDevices, type SourceMatch, treeDevices } from '../hardware/index.ts'
import { type KmodSource, lookUp } from '../kmod/index.ts'
import { openSourceDrivers, type SourceOptions } from './kernel-source.ts'
import { type ModulesOptions, openModules } from './kmod-folder.ts'

interface MatchOptions extends ModulesOptions, SourceOptions {
  readonly dtb?: string
  readonly modalias?: string
  readonly json?: boolean
}

export async function match(options: MatchOptions): Promise<void> {
  const source = openModules(options)
  if (options.dtb !== undefined) await matchTree(source, options.dtb, options)
  else if (options.modalias !== undefined) await matchList(source, options.modalias, options.json ?? false)
  else throw new UserError({ what: 'there is nothing to match', fix: 'name a --dtb or a --modalias file' })
}

async function matchTree(kernel: KmodSource, file: string, options: MatchOptions): Promise<void> {
  const { srctree, json } = options
  const tree = readDevicetree(readFileSync(file))
  if (!tree.ok) throw new UserError({ what: `${file} is no device tree: ${tree.error.message}` })
  const source = srctree === undefined ? undefined : await openSourceDrivers({ ...options, srctree })
  const matched = await matchDevices(kernel, treeDevices(tree.value), source)
  if (!matched.ok) throw new UserError({ what: matched.error.message })
  if (json) {
    const rows = matched.value.map(({ device, ...found }) => ({ ...device, ...found }))
    process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`)
    return
  }
  for (const one of matched.value) process.stdout.write(`${one.device.path}: ${describe(one)}\n`)
  process.stdout.write(`${summary(matched.value)}\n`)
}

function describe({ device, modules, unheard, source }: DeviceMatch): string {
  const [first = ''] = device.compatible
  const { builtin = [], off = [], mentions = [] } = source ?? {}
  const found = [...modules, ...builtin.map((file) => `built in (${file})`)]
  if (found.length > 0) return found.join(' ')
  if (unheard.length > 0) {
    return `no module answers to ${device.modalias ?? `its number on the ${device.bus} bus`}; ${unheard.join(' ')} would to ${first}, which that bus does not send`
  }
  if (source === undefined) return `unknown: no module for ${first}; a driver may be built in`
  if (mentions.length > 0) return `looked after by the kernel itself (${mentions.slice(0, 3).join(', ')})`
  if (off.length > 0) return `no driver in this kernel; ${off.map(whatItTakes).join('; or ')}`
  if (device.bus === 'amba') return `unknown: a driver for PrimeCells goes by a number that is in the device`
  return `none: nothing that is built in, and no driver of its source, knows ${device.compatible.join(' or ')}`
}

function whatItTakes({ file, placement }: SourceMatch['off'][number]): string {
  const lacks = placement.type === 'off' ? placement.lacks : undefined
  return lacks === undefined ? `${file} has one` : `${lacks} would give one (${file})`
}

function summary(matches: readonly DeviceMatch[]): string {
  const without = matches.filter(({ modules }) => modules.length === 0)
  const withSource = without.flatMap(({ source }) => (source === undefined ? [] : [source]))
  const total = `${matches.length} devices, ${without.length} without a module`
  if (withSource.length === 0) return total
  const builtin = withSource.filter((source) => source.builtin.length > 0)
  const off = withSource.filter(
    ({ builtin, mentions, off }) => builtin.length + mentions.length === 0 && off.length > 0,
  )
  return `${total}: ${builtin.length} have a driver that is built in, ${off.length} one that is off`
}

/** A list as a running machine gives it: what its /sys has in files called `modalias`. */
async function matchList(source: KmodSource, file: string, json: boolean): Promise<void> {
  const lines = readFileSync(file, 'utf8').split('\n')
  const aliases = [...new Set(lines.map((line) => line.trim()).filter((line) => line !== ''))]
  const rows: { readonly modalias: string; readonly modules: readonly string[] }[] = []
  for (const modalias of aliases) {
    const found = await lookUp(source, modalias)
    if (!found.ok) throw new UserError({ what: found.error.message })
    rows.push({ modalias, modules: [...found.value].sort() })
  }
  if (json) process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`)
  else {
    for (const { modalias, modules } of rows) {
      process.stdout.write(
        `${modalias}: ${modules.join(' ') || 'unknown: no module; a driver may be built in'}\n`,
      )
    }
  }
}
