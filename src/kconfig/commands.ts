/**
 * The `firmwright kconfig …` commands as functions: options in, texts and an exit status out. What is to be written to
 * disk is in `files`; nothing is written here.
 */
import { architecturesWith } from './architectures.ts'
import {
  type CommandHost,
  type CommandResult,
  done,
  failed,
  openForCommand,
  startFrom,
  type TreeOptions,
} from './command-host.ts'
import { writeConfig } from './config-file.ts'
import { diffConfigs, differenceText } from './diff.ts'
import { explain, explanationJson, explanationText } from './explain.ts'
import { migrationReport, migrationText } from './migration.ts'
import { byteStringToText } from './model.ts'
import { treeFiles } from './open-tree.ts'
import { resolutionReport } from './resolution-report.ts'
import { type Request, resolve } from './resolve.ts'

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
  const opened = await openForCommand(options, host)
  if (!opened.ok) return opened.result
  const { messages } = opened.value
  const begun = startFrom(opened.value, options.config, host, options.fragments)
  if (!begun.ok) return begun.result
  const { configuration, warnings, text } = begun.value
  const written = writeConfig(configuration)
  const said = messages + warnings.map((line) => `${line}\n`).join('') + configuration.warnings.join('')
  const report = options.report === true ? migrationText(migrationReport(text, configuration, written)) : ''
  if (options.output === undefined) return done(byteStringToText(written), new Map(), said + report)
  return done(report, new Map([[options.output, written]]), said)
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
  const opened = await openForCommand(options, host)
  if (!opened.ok) return opened.result
  const begun = startFrom(opened.value, options.config, host)
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
  const opened = await openForCommand(options, host)
  if (!opened.ok) return opened.result
  const begun = startFrom(opened.value, options.config, host)
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
