import { readFileSync } from 'node:fs'
import { readDevicetree } from '../devicetree/index.ts'
import { UserError } from '../diagnostics/index.ts'
import { type DeviceMatch, matchDevices, treeDevices } from '../hardware/index.ts'
import { type KmodSource, lookUp } from '../kmod/index.ts'
import { type ModulesOptions, openModules } from './kmod-folder.ts'

interface MatchOptions extends ModulesOptions {
  readonly dtb?: string
  readonly modalias?: string
  readonly json?: boolean
}

export async function match(options: MatchOptions): Promise<void> {
  const source = openModules(options)
  if (options.dtb !== undefined) await matchTree(source, options.dtb, options.json ?? false)
  else if (options.modalias !== undefined) await matchList(source, options.modalias, options.json ?? false)
  else throw new UserError({ what: 'there is nothing to match', fix: 'name a --dtb or a --modalias file' })
}

async function matchTree(source: KmodSource, file: string, json: boolean): Promise<void> {
  const tree = readDevicetree(readFileSync(file))
  if (!tree.ok) throw new UserError({ what: `${file} is no device tree: ${tree.error.message}` })
  const matched = await matchDevices(source, treeDevices(tree.value))
  if (!matched.ok) throw new UserError({ what: matched.error.message })
  if (json) {
    const rows = matched.value.map(({ device, modules, unheard }) => ({ ...device, modules, unheard }))
    process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`)
    return
  }
  for (const one of matched.value) process.stdout.write(`${one.device.path}: ${describe(one)}\n`)
  const none = matched.value.filter(({ modules }) => modules.length === 0).length
  process.stdout.write(`${matched.value.length} devices, ${none} without a module\n`)
}

function describe({ device, modules, unheard }: DeviceMatch): string {
  const [first = ''] = device.compatible
  if (modules.length > 0) return modules.join(' ')
  if (unheard.length > 0) {
    return `no module answers to ${device.modalias ?? `its number on the ${device.bus} bus`}; ${unheard.join(' ')} would to ${first}, which that bus does not send`
  }
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
