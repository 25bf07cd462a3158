/**
 * What a build includes: `auto.conf` for makefiles, `autoconf.h` for C, `rustc_cfg` for Rust, and `auto.conf.cmd`,
 * which says when they have to be made again.
 */
import { quote } from './config-file.ts'
import type { Configuration } from './configuration.ts'
import type { KconfigSymbol } from './model.ts'

export interface AutoconfNames {
  readonly autoconf: string
  readonly header: string
  readonly rustConfig: string
}

export function autoconfFiles(
  configuration: Configuration,
  names: AutoconfNames,
): ReadonlyMap<string, string> {
  const { tree } = configuration
  const title = tree.root.prompt?.text ?? ''
  const written = tree.walkOrder.filter(
    (symbol) => symbol.name !== undefined && !symbol.isChoice && configuration.isWritten(symbol),
  )
  const heading = `#\n# Automatically generated file; DO NOT EDIT.\n# ${title}\n#\n`
  const cHeading = `/*\n * Automatically generated file; DO NOT EDIT.\n * ${title}\n */\n`
  const all = (line: (symbol: KconfigSymbol) => string): string => written.map(line).join('')
  return new Map([
    [`${names.autoconf}.cmd`, commandFile(configuration, names.autoconf)],
    [names.header, cHeading + all((symbol) => headerLine(configuration, symbol))],
    [names.rustConfig, all((symbol) => rustLines(configuration, symbol))],
    [names.autoconf, heading + all((symbol) => makeLine(configuration, symbol))],
  ])
}

const isLogical = (symbol: KconfigSymbol): boolean => symbol.type === 'bool' || symbol.type === 'tristate'

function makeLine(configuration: Configuration, symbol: KconfigSymbol): string {
  const value = configuration.text(symbol)
  if (symbol.type === 'unknown' || (isLogical(symbol) && value === 'n')) return ''
  return `${configuration.tree.dialect.configPrefix}${symbol.name ?? ''}=${value}\n`
}

const withPrefix = (symbol: KconfigSymbol, value: string): string =>
  symbol.type === 'hex' && !/^0[xX]/.test(value) ? `0x${value}` : value

function headerLine(configuration: Configuration, symbol: KconfigSymbol): string {
  const value = configuration.text(symbol)
  const name = `${configuration.tree.dialect.configPrefix}${symbol.name ?? ''}`
  if (symbol.type === 'unknown' || (isLogical(symbol) && value === 'n')) return ''
  if (isLogical(symbol)) return `#define ${name}${value === 'm' ? '_MODULE' : ''} 1\n`
  return `#define ${name} ${symbol.type === 'string' ? quote(value, configuration.tree.dialect) : withPrefix(symbol, value)}\n`
}

function rustLines(configuration: Configuration, symbol: KconfigSymbol): string {
  const value = configuration.text(symbol)
  const name = `${configuration.tree.dialect.configPrefix}${symbol.name ?? ''}`
  if (symbol.type === 'unknown' || (isLogical(symbol) && value === 'n')) return ''
  const plain = isLogical(symbol) ? `--cfg=${name}\n` : ''
  return `${plain}--cfg=${name}=${quote(withPrefix(symbol, value), configuration.tree.dialect)}\n`
}

function commandFile(configuration: Configuration, autoconf: string): string {
  const { tree } = configuration
  const variables = [...tree.environment]
  if (tree.dialect.sourceStack === 'all') {
    const files = tree.files.map((file) => `\t${file} \\\n`).join('')
    const checks = variables
      .map(([name, value]) => `\nifneq "$(${name})" "${value}"\n$(autoconfig): FORCE\nendif\n`)
      .join('')
    return `autoconfig := ${autoconf}\n\ndeps_config := \\\n${files}\n$(autoconfig): $(deps_config)\n$(deps_config): ;\n${checks}`
  }
  const files = tree.files
    .map((file) => `\t${file} \\\n`)
    .reverse()
    .join('')
  const checks = variables
    .map(([name, value]) => `ifneq "$(${name})" "${value}"\n${autoconf}: FORCE\nendif\n`)
    .join('')
  return `deps_config := \\\n${files}\n${autoconf}: $(deps_config)\n\n${checks}\n$(deps_config): ;\n`
}
