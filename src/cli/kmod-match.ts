import { readFileSync } from 'node:fs'
import { readDevicetree } from '../devicetree/index.ts'
import { UserError } from '../diagnostics/index.ts'
import {
  type DeviceMatch,
  type ModaliasMatch,
  matchDevices,
  matchModaliases,
  type SourceDrivers,
  type SourceMatch,
  treeDevices,
} from '../hardware/index.ts'
import type { KmodSource } from '../kmod/index.ts'
import { openSourceDrivers, type SourceOptions } from './kernel-source.ts'
import { type ModulesOptions, openModules } from './kmod-folder.ts'

interface MatchOptions extends ModulesOptions, SourceOptions {
  readonly dtb?: string
  readonly modalias?: string
  readonly json?: boolean
}

export async function match(options: MatchOptions): Promise<void> {
  const { dtb, modalias, srctree } = options
  if (dtb === undefined && modalias === undefined) {
    throw new UserError({ what: 'there is nothing to match', fix: 'name a --dtb or a --modalias file' })
  }
  const kernel = openModules(options)
  const source = srctree === undefined ? undefined : await openSourceDrivers({ ...options, srctree })
  if (dtb !== undefined) await matchTree(kernel, dtb, source, options)
  else if (modalias !== undefined) await matchList(kernel, modalias, source, options)
}

async function matchTree(
  kernel: KmodSource,
  file: string,
  source: SourceDrivers | undefined,
  { json = false }: MatchOptions,
): Promise<void> {
  const tree = readDevicetree(readFileSync(file))
  if (!tree.ok) throw new UserError({ what: `${file} is no device tree: ${tree.error.message}` })
  const matched = await matchDevices(kernel, treeDevices(tree.value), source)
  if (!matched.ok) throw new UserError({ what: matched.error.message })
  if (json) {
    printJson(matched.value.map(({ device, ...found }) => ({ ...device, ...found })))
    return
  }
  for (const one of matched.value) process.stdout.write(`${one.device.path}: ${describeDevice(one)}\n`)
  process.stdout.write(`${summary(matched.value, 'devices')}\n`)
}

function describeDevice({ device, modules, unheard, source }: DeviceMatch): string {
  const [first = ''] = device.compatible
  const found = driversOf(modules, source)
  if (found !== undefined) return found
  if (unheard.length > 0) {
    return `no module answers to ${device.modalias ?? `its number on the ${device.bus} bus`}; ${unheard.join(' ')} would to ${first}, which that bus does not send`
  }
  if (source === undefined) return `unknown: no module for ${first}; a driver may be built in`
  if (device.bus === 'amba' && source.silent.length + source.off.length + source.mentions.length === 0) {
    return 'unknown: a driver for PrimeCells goes by a number that is in the device'
  }
  return describeLack(source, device.compatible.join(' or '))
}

/** A list as a running machine gives it: what its /sys has in files called `modalias`. */
async function matchList(
  kernel: KmodSource,
  file: string,
  source: SourceDrivers | undefined,
  { json = false }: MatchOptions,
): Promise<void> {
  const lines = readFileSync(file, 'utf8').split('\n')
  const modaliases = [...new Set(lines.map((line) => line.trim()).filter((line) => line !== ''))]
  const matched = await matchModaliases(kernel, modaliases, source)
  if (!matched.ok) throw new UserError({ what: matched.error.message })
  if (json) {
    printJson(matched.value)
    return
  }
  for (const one of matched.value) process.stdout.write(`${one.modalias}: ${describeModalias(one)}\n`)
  process.stdout.write(`${summary(matched.value, 'modaliases')}\n`)
}

function describeModalias({ modalias, modules, source }: ModaliasMatch): string {
  const found = driversOf(modules, source)
  if (found !== undefined) return found
  if (source === undefined) return 'unknown: no module; a driver may be built in'
  if (modalias.startsWith('of:')) return describeLack(source, 'it')
  const ways = [...source.silent.map(named), ...source.off.map(whatItTakes)]
  return `unknown: no module; a built-in driver may go by its compatible, which this bus does not send${ways.map((way) => `; ${way}`).join('')}`
}

/** What drives it; undefined where nothing is known to. */
function driversOf(modules: readonly string[], source: SourceMatch | undefined): string | undefined {
  const found = [...modules, ...(source?.builtin ?? []).map((file) => `built in (${file})`)]
  return found.length === 0 ? undefined : found.join(' ')
}

function describeLack({ silent, off, mentions }: SourceMatch, device: string): string {
  const known = mentions.slice(0, 3).join(', ')
  if (silent.length > 0) return silent.map(named).join('; ')
  if (off.length > 0) {
    const also = known === '' ? '' : `; known by name to the kernel itself (${known})`
    return `no driver in this kernel; ${off.map(whatItTakes).join('; or ')}${also}`
  }
  if (known !== '') return `looked after by the kernel itself (${known})`
  return `none: nothing that is built in, and no driver of its source, knows ${device}`
}

const named = (module: string): string =>
  `${module} has a driver for it and no alias that says so: load it by name`

function whatItTakes({ file, placement }: SourceMatch['off'][number]): string {
  const lacks = placement.type === 'off' ? placement.lacks : undefined
  return lacks === undefined ? `${file} has one` : `${lacks} would give one (${file})`
}

function summary(matches: readonly Omit<ModaliasMatch, 'modalias'>[], what: string): string {
  const without = matches.filter(({ modules }) => modules.length === 0)
  const withSource = without.flatMap(({ source }) => (source === undefined ? [] : [source]))
  const total = `${matches.length} ${what}, ${without.length} without a module`
  if (withSource.length === 0) return total
  const builtin = withSource.filter((source) => source.builtin.length > 0)
  const off = withSource.filter(({ builtin, off }) => builtin.length === 0 && off.length > 0)
  return `${total}: ${builtin.length} have a driver that is built in, ${off.length} one that is off`
}

function printJson(rows: readonly object[]): void {
  process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`)
}
