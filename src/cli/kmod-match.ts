import { readFileSync } from 'node:fs'
import { readDevicetree } from '../devicetree/index.ts'
import { UserError } from '../diagnostics/index.ts'
import {
  type DeviceMatch,
  findSourceDrivers,
  matchDevices,
  type SourceDriver,
  treeDevices,
} from '../hardware/index.ts'
import { type KmodSource, lookUp } from '../kmod/index.ts'
import { openKernelSource, type SourceOptions } from './kernel-source.ts'
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

async function matchTree(source: KmodSource, file: string, options: MatchOptions): Promise<void> {
  const tree = readDevicetree(readFileSync(file))
  if (!tree.ok) throw new UserError({ what: `${file} is no device tree: ${tree.error.message}` })
  const matched = await matchDevices(source, treeDevices(tree.value))
  if (!matched.ok) throw new UserError({ what: matched.error.message })
  const drivers = await driverFinder(options)
  const described = matched.value.map((match) => ({ ...match, drivers: drivers?.(match.device.compatible) }))
  if (options.json) {
    const rows = described.map(({ device, modules, unheard, drivers }) => ({
      ...device,
      modules,
      unheard,
      drivers,
    }))
    process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`)
    return
  }
  for (const one of described) process.stdout.write(`${one.device.path}: ${describe(one)}\n`)
  const without = described.filter(({ modules }) => modules.length === 0)
  const builtin = without.filter(({ drivers }) => stateOf(drivers) === 'built-in').length
  process.stdout.write(
    drivers === undefined
      ? `${matched.value.length} devices, ${without.length} without a module\n`
      : `${matched.value.length} devices, ${builtin} driven by what is built in, ${without.length - builtin} by nothing\n`,
  )
}

async function driverFinder(
  options: MatchOptions,
): Promise<((compatible: readonly string[]) => readonly SourceDriver[]) | undefined> {
  const { srctree } = options
  return srctree === undefined
    ? undefined
    : findSourceDrivers(await openKernelSource({ ...options, srctree }))
}

function stateOf(drivers: readonly SourceDriver[] = []): SourceDriver['state'] | 'none' {
  for (const state of ['built-in', 'module', 'off'] as const) {
    if (drivers.some((driver) => driver.state === state)) return state
  }
  return 'none'
}

function describe({
  device,
  modules,
  unheard,
  drivers,
}: DeviceMatch & { readonly drivers: readonly SourceDriver[] | undefined }): string {
  const [first = ''] = device.compatible
  if (modules.length > 0) return modules.join(' ')
  const state = stateOf(drivers)
  const found = (drivers ?? []).filter((driver) => driver.state === state)
  const named = found
    .map(({ object, compatible, takes }) => `${object} for ${compatible} (${takes})`)
    .join(', ')
  if (state === 'built-in') return `built in: ${named}`
  if (unheard.length > 0) {
    return `no module answers to ${device.modalias ?? `its number on the ${device.bus} bus`}; ${unheard.join(' ')} would to ${first}, which that bus does not send`
  }
  if (state === 'off') return `no driver in this kernel; its source has ${named}`
  if (state === 'module') return `no module answers, though this kernel has ${named}`
  if (drivers !== undefined)
    return `no driver for ${device.compatible.join(', ')} in the source of this kernel`
  return `unknown: no module for ${first}; a driver may be built in`
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
