/**
 * The `firmwright kconfig …` commands as functions: options in, texts and an exit status out. What is to be written to
 * disk is in `files`; nothing is written here.
 */

import { architecturesWith } from './architectures.ts'
import { parseSeed } from './conf.ts'
import { assignAll, readConfig, readLines, writeConfig, writeMinimalConfig } from './configFile.ts'
import { type Configuration, createConfiguration } from './configuration.ts'
import { diffConfigs, differenceText, migrationReport } from './diff.ts'
import { explain, explanationJson, explanationText } from './explain.ts'
import { createRandom } from './glibcRandom.ts'
import type { Kconfig } from './model.ts'
import { byteStringToText } from './model.ts'
import { answerAll, answerRandomly, parseProbability } from './modes.ts'
import { type OpenResult, openTree, treeFiles } from './openTree.ts'
import { resolutionReport } from './resolutionReport.ts'
import { type Request, resolve } from './resolve.ts'

export interface CommandResult {
  readonly stdout: string
  readonly stderr: string
  /** 0 done, 1 the user must change something, 2 wrong usage */
  readonly exitCode: number
  /** files to write, as byte strings */
  readonly files: ReadonlyMap<string, string>
}

export interface TreeOptions {
  readonly srctree: string
  readonly arch?: string | undefined
  readonly probeCacheFile?: string | undefined
}

export interface CommandHost {
  /** a file of the user's as a byte string */
  readFile(path: string): string | undefined
  environment(name: string): string | undefined
  /** default: `openTree` */
  open?(options: TreeOptions): Promise<OpenResult>
}

type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly result: CommandResult }

const done = (
  stdout: string,
  files: ReadonlyMap<string, string> = new Map(),
  stderr = '',
): CommandResult => ({
  stdout,
  stderr,
  exitCode: 0,
  files,
})
const failed = (stderr: string, exitCode = 1): CommandResult => ({
  stdout: '',
  stderr: stderr.endsWith('\n') ? stderr : `${stderr}\n`,
  exitCode,
  files: new Map(),
})

interface Opened {
  readonly tree: Kconfig
  /** what reading the tree has said */
  readonly messages: string
}

async function open(options: TreeOptions, host: CommandHost): Promise<Outcome<Opened>> {
  const result = await (host.open ?? openTree)(options)
  const messages = byteStringToText(result.probeErrors + result.messages.map((line) => `${line}\n`).join(''))
  if (!result.ok) return { ok: false, result: failed(messages || result.error.message) }
  return { ok: true, value: { tree: result.value, messages } }
}

function start(
  tree: Kconfig,
  path: string | undefined,
  host: CommandHost,
  fragments: readonly string[] = [],
) {
  const configuration = createConfiguration(tree)
  let text = ''
  if (path !== undefined) {
    const content = host.readFile(path)
    if (content === undefined) return { ok: false, result: failed(`cannot read ${path}`) } as const
    text = content
  }
  for (const fragment of fragments) {
    const content = host.readFile(fragment)
    if (content === undefined) return { ok: false, result: failed(`cannot read ${fragment}`) } as const
    text = mergeConfig(text, content, tree.dialect.configPrefix)
  }
  const { warnings } = readConfig(configuration, text, { name: path ?? 'fragment' })
  return { ok: true, value: { configuration, warnings, text } } as const
}

/** The first text with the assignments of the second in it: lines for the same names are replaced. */
export function mergeConfig(base: string, fragment: string, prefix = 'CONFIG_'): string {
  const replaced = new Set<string>()
  for (const { assignment } of readLines(fragment, prefix, false))
    if (assignment !== undefined) replaced.add(assignment.name)
  const drop = new Set<number>()
  for (const { assignment, line } of readLines(base, prefix, false))
    if (assignment !== undefined && replaced.has(assignment.name)) drop.add(line)
  const kept = base.split('\n').filter((_, index) => !drop.has(index + 1))
  const text = kept.join('\n')
  return `${text === '' || text.endsWith('\n') ? text : `${text}\n`}${fragment}`
}

export interface OlddefconfigOptions extends TreeOptions {
  readonly config?: string | undefined
  readonly fragments?: readonly string[]
  readonly output?: string | undefined
  readonly report?: boolean
}

/** What `make olddefconfig` writes. Without `output` the text goes to standard output. */
export async function olddefconfigCommand(
  options: OlddefconfigOptions,
  host: CommandHost,
): Promise<CommandResult> {
  const opened = await open(options, host)
  if (!opened.ok) return opened.result
  const { tree, messages } = opened.value
  const begun = start(tree, options.config, host, options.fragments)
  if (!begun.ok) return begun.result
  const { configuration, warnings, text } = begun.value
  const written = writeConfig(configuration)
  const said = messages + warnings.map((line) => `${line}\n`).join('') + configuration.warnings.join('')
  const report = options.report === true ? reportText(text, configuration, written) : ''
  if (options.output === undefined) return done(byteStringToText(written), new Map(), said + report)
  return done(report, new Map([[options.output, written]]), said)
}

function reportText(before: string, configuration: Configuration, after: string): string {
  const { unknown, lost, fresh } = migrationReport(before, configuration, after)
  const lines = [
    ...lost.map(({ name, wanted, value }) => `lost     ${name}=${wanted} is now ${value ?? 'gone'}`),
    ...unknown.map(({ name, value }) => `unknown  ${name}=${value} is no symbol of this tree`),
    ...fresh.map(({ name, value }) => `new      ${name}=${value}`),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

export type FreshMode =
  | 'allnoconfig'
  | 'allyesconfig'
  | 'allmodconfig'
  | 'alldefconfig'
  | 'randconfig'
  | 'tinyconfig'
  | 'defconfig'
  | 'savedefconfig'

export interface FreshOptions extends TreeOptions {
  /** for defconfig and savedefconfig: the file to start from */
  readonly config?: string | undefined
  readonly output?: string | undefined
  /** for randconfig */
  readonly seed?: string | undefined
}

/** Configurations made by answering all questions alike, or at random, or from a defconfig. */
export async function freshCommand(
  mode: FreshMode,
  options: FreshOptions,
  host: CommandHost,
): Promise<CommandResult> {
  const seed = mode === 'randconfig' ? parseSeed(options.seed ?? String(Date.now() >>> 0)) : 0
  if (seed === undefined) return failed(`not a seed: ${options.seed ?? ''}`, 2)
  const probability = parseProbability(host.environment('KCONFIG_PROBABILITY'))
  if (probability === undefined) return failed('KCONFIG_PROBABILITY: percentages expected', 1)
  const opened = await open(options, host)
  if (!opened.ok) return opened.result
  const { tree, messages } = opened.value
  const configuration = createConfiguration(tree)
  if (mode === 'defconfig' || mode === 'savedefconfig') {
    const content = options.config === undefined ? undefined : host.readFile(options.config)
    if (content === undefined) return failed(`Can't find default configuration "${options.config ?? ''}"!`)
    readConfig(configuration, content, { name: options.config ?? '' })
    if (mode === 'defconfig') answerAll(configuration, 'default')
  } else if (mode === 'tinyconfig') {
    const fragments = ['tiny-base.config', 'tiny.config']
    const texts = fragments.map((name) => host.readFile(`${options.srctree}/kernel/configs/${name}`))
    assignAll(configuration, texts.map((text) => text ?? '').join(''), { name: 'tiny.config' })
    answerAll(configuration, 'no')
  } else if (mode === 'randconfig') answerRandomly(configuration, createRandom(seed), probability)
  else
    answerAll(
      configuration,
      ({ allnoconfig: 'no', allyesconfig: 'yes', allmodconfig: 'mod', alldefconfig: 'default' } as const)[
        mode
      ],
    )
  const text = mode === 'savedefconfig' ? writeMinimalConfig(configuration) : writeConfig(configuration)
  const said = messages + configuration.warnings.join('')
  if (options.output === undefined) return done(byteStringToText(text), new Map(), said)
  return done('', new Map([[options.output, text]]), said)
}

export interface ResolveCommandOptions extends TreeOptions {
  readonly config?: string | undefined
  /** `SYM=V` each */
  readonly requests: readonly string[]
  readonly format?: 'text' | 'json' | 'fragment'
  /** how many other answers to list; default none */
  readonly alternatives?: number
}

export function parseRequest(text: string): Request | undefined {
  const match = /^(?:CONFIG_)?([A-Za-z0-9_]+)=(.+)$/s.exec(text)
  if (match?.[1] === undefined || match[2] === undefined) return undefined
  const value = /^".*"$/s.test(match[2]) ? match[2].slice(1, -1) : match[2]
  return { name: match[1], value }
}

export async function resolveCommand(
  options: ResolveCommandOptions,
  host: CommandHost,
): Promise<CommandResult> {
  const requests: Request[] = []
  for (const text of options.requests) {
    const request = parseRequest(text)
    if (request === undefined) return failed(`not a request: ${text} (SYMBOL=VALUE expected)`, 2)
    requests.push(request)
  }
  const opened = await open(options, host)
  if (!opened.ok) return opened.result
  const begun = start(opened.value.tree, options.config, host)
  if (!begun.ok) return begun.result
  const { configuration } = begun.value
  const result = resolve(configuration, requests, { alternatives: options.alternatives ?? 0 })
  return resolutionReport(configuration.tree, result, options.format ?? 'text')
}

export interface ExplainCommandOptions extends TreeOptions {
  readonly config?: string | undefined
  readonly symbol: string
  readonly json?: boolean
}

export async function explainCommand(
  options: ExplainCommandOptions,
  host: CommandHost,
): Promise<CommandResult> {
  const opened = await open(options, host)
  if (!opened.ok) return opened.result
  const begun = start(opened.value.tree, options.config, host)
  if (!begun.ok) return begun.result
  const name = options.symbol.replace(/^CONFIG_/, '')
  const result = explain(begun.value.configuration, name)
  if (!result.ok) {
    const architectures = architecturesWith(treeFiles(options.srctree), name)
    const elsewhere = architectures.length === 0 ? '' : `; ${name} is defined for ${architectures.join(', ')}`
    const { near } = result.error
    if (options.json !== true) return failed(result.error.message + elsewhere)
    return {
      ...failed(''),
      stderr: '',
      stdout: `${JSON.stringify({ ok: false, near, architectures }, null, 2)}\n`,
    }
  }
  if (options.json === true) return done(explanationJson(result.value))
  return done(byteStringToText(explanationText(result.value)))
}

export function diffCommand(
  options: { readonly before: string; readonly after: string },
  host: CommandHost,
): CommandResult {
  const before = host.readFile(options.before)
  if (before === undefined) return failed(`cannot read ${options.before}`)
  const after = host.readFile(options.after)
  if (after === undefined) return failed(`cannot read ${options.after}`)
  return done(byteStringToText(differenceText(diffConfigs(before, after))))
}
