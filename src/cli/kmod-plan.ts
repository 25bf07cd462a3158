import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { nearNames, UserError } from '../diagnostics/index.ts'
import {
  describeReason,
  type KmodSource,
  kernelForm,
  type LoadPlan,
  type ModprobeConfig,
  type ModprobeFile,
  type PlanError,
  parseModprobeConfig,
  planAsModprobe,
  planGraph,
  planGraphToDot,
  planGraphToSvg,
  planLoad,
  reasonChain,
} from '../kmod/index.ts'
import { openConfiguredSource, type SourceOptions } from './kernel-source.ts'
import { type ModulesOptions, openModules } from './kmod-folder.ts'

interface PlanOptions extends ModulesOptions, SourceOptions {
  readonly json?: boolean
  readonly asModprobe?: boolean
  readonly modprobeConfig?: readonly string[]
  readonly graph?: 'svg' | 'dot'
}

export async function plan(targets: readonly string[], options: PlanOptions): Promise<void> {
  const source = openModules(options)
  const config = readModprobeConfig(options.modprobeConfig ?? [])
  for (const problem of config.problems) process.stderr.write(`${problem}\n`)
  if (options.asModprobe) await printAsModprobe(source, targets, config, options)
  else {
    const planned = await planTargets(source, targets, options, config)
    if (options.graph !== undefined) await printGraph(source, planned, options.graph)
    else printPlan(planned, options.json ?? false)
  }
}

/** @throws UserError when there is no such plan */
export async function planTargets(
  source: KmodSource,
  targets: readonly string[],
  options: SourceOptions,
  config?: ModprobeConfig,
): Promise<LoadPlan> {
  const planned = await planLoad(source, targets, config)
  if (!planned.ok) throw await notPlanned(planned.error, options)
  return planned.value
}

function printPlan(plan: LoadPlan, json: boolean): void {
  const { steps, builtin, notes } = plan
  if (json) {
    const reasoned = steps.map((step) => ({
      ...step,
      why: reasonChain(plan, step.name).map(describeReason),
    }))
    process.stdout.write(`${JSON.stringify({ steps: reasoned, builtin, notes }, undefined, 2)}\n`)
    return
  }
  process.stdout.write(lines(steps))
  for (const { name } of builtin) process.stderr.write(`${name} is built in\n`)
  for (const { message } of notes) process.stderr.write(`${message}\n`)
}

async function printGraph(source: KmodSource, plan: LoadPlan, format: 'svg' | 'dot'): Promise<void> {
  const graph = await planGraph(source, plan)
  if (!graph.ok) throw new UserError({ what: graph.error.message })
  process.stdout.write(format === 'svg' ? planGraphToSvg(graph.value) : planGraphToDot(graph.value))
}

async function printAsModprobe(
  source: KmodSource,
  targets: readonly string[],
  config: ModprobeConfig,
  options: PlanOptions,
): Promise<void> {
  for (const target of targets) {
    const planned = await planAsModprobe(source, target, config)
    if (!planned.ok) throw await notPlanned(planned.error, options)
    process.stdout.write(options.json ? `${JSON.stringify(planned.value)}\n` : lines(planned.value.steps))
    for (const name of options.json ? [] : planned.value.blacklisted) {
      process.stderr.write(`${name} answers to ${target}, and is blacklisted\n`)
    }
  }
}

/** A path and what the module is given, or the command that modprobe would run instead. */
function lines(
  steps: readonly { readonly path: string; readonly options?: string; readonly command?: string }[],
): string {
  return steps
    .map(({ path, options = '', command }) =>
      [command === undefined ? path : `install ${command}`, options].filter((part) => part !== '').join(' '),
    )
    .map((line) => `${line}\n`)
    .join('')
}

/** @throws UserError for a place that is not there */
function readModprobeConfig(places: readonly string[]): ModprobeConfig {
  const files = places.flatMap((place): readonly ModprobeFile[] => {
    try {
      if (!statSync(place).isDirectory())
        return [{ name: basename(place), text: readFileSync(place, 'utf8') }]
      const names = readdirSync(place).filter((name) => /^[^.].*\.(conf|alias)$/.test(name))
      return names.map((name) => ({ name, text: readFileSync(join(place, name), 'utf8') }))
    } catch (error) {
      throw new UserError({
        what: `the configuration of modprobe in ${place} cannot be read`,
        why: error instanceof Error ? error.message : String(error),
        fix: 'name a folder like /etc/modprobe.d, or a file of one',
      })
    }
  })
  return parseModprobeConfig(files)
}

async function notPlanned(error: PlanError, options: SourceOptions): Promise<UserError> {
  const { srctree } = options
  const isUnknown = error.type === 'unknown-target'
  const why =
    isUnknown && srctree !== undefined ? await whyInSource({ ...options, srctree }, error.target) : undefined
  const near = isUnknown && why === undefined ? nearNames(kernelForm(error.target), error.known) : []
  return new UserError({
    what: error.message,
    ...(why === undefined ? {} : { why, fix: 'choose a kernel that has those symbols, or build one' }),
    ...(near.length === 0 ? {} : { fix: `did you mean ${near.join(' or ')}?` }),
  })
}

async function whyInSource(
  options: SourceOptions & { readonly srctree: string },
  target: string,
): Promise<string | undefined> {
  const { whyNoModule } = await import('../kernel/index.ts')
  const source = await openConfiguredSource(options)
  return whyNoModule(source, source.config, target)
}
