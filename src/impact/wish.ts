/** What the configuration of a build becomes when more is wished for. */
import { UserError } from '../diagnostics/index.ts'
import {
  configValues,
  createConfiguration,
  diffConfigs,
  openTree,
  type Request,
  readConfig,
  resolve,
  writeConfig,
} from '../kconfig/index.ts'
import type { BuildFolder } from './build-folder.ts'

/** A symbol that the two configurations disagree on; `n` is also what neither file mentions. */
export interface SymbolChange {
  readonly symbol: string
  readonly from: string
  readonly to: string
  /** it was asked for by name */
  readonly asked: boolean
}

export interface Wish {
  /** text of the new .config, a byte string */
  readonly configText: string
  readonly changes: readonly SymbolChange[]
}

/**
 * The environment and arguments that make and the tree's probes have to run with, so that nothing but the wish changes
 * the configuration.
 */
export function makeVariablesOf({
  arch,
  toolPrefix,
  config,
}: Pick<BuildFolder, 'arch' | 'toolPrefix' | 'config'>): Readonly<Record<string, string>> {
  return {
    ARCH: arch,
    CROSS_COMPILE: toolPrefix,
    // A program that was not there when the kernel was built, or not to be used, must not be found now.
    ...(Number(config.get('PAHOLE_VERSION') ?? 0) === 0 ? { PAHOLE: 'no-pahole' } : {}),
    ...(config.get('RUST') === 'y' ? {} : { RUSTC: 'no-rustc', BINDGEN: 'no-bindgen' }),
  }
}

/** @throws UserError where Kconfig has no way to it, or the build cannot be configured again as it was */
export async function wishFor(build: BuildFolder, requests: readonly Request[]): Promise<Wish> {
  const { source, arch, configText } = build
  const environment = { ...process.env, ...makeVariablesOf(build) }
  const opened = await openTree({ srctree: source, arch, environment: environment as Record<string, string> })
  if (!opened.ok)
    throw new UserError({ what: `the Kconfig files of ${source} cannot be read`, why: opened.error.message })
  const configuration = createConfiguration(opened.value)
  readConfig(configuration, configText, { name: '.config' })
  const drifted = changesBetween(configText, writeConfig(configuration), [])
  if (drifted.length > 0)
    throw new UserError({
      what: 'the kernel cannot be configured here as it was when it was built',
      why: drifted.slice(0, 10).map(changeText).join('\n'),
      fix: 'use the compiler and the source that it was built with',
    })
  const resolved = resolve(configuration, requests)
  if (!resolved.ok)
    throw new UserError({ what: 'what is asked for cannot be configured', why: resolved.error.message })
  const wished = writeConfig(resolved.value.configuration)
  const names = requests.map(({ name }) => name)
  return { configText: wished, changes: changesBetween(configText, wished, names) }
}

export function changesBetween(
  before: string,
  after: string,
  asked: readonly string[],
): readonly SymbolChange[] {
  const old = configValues(before)
  const now = configValues(after)
  const { gone, added, changed } = diffConfigs(before, after)
  const names = [...gone, ...added, ...changed].map(({ name }) => name)
  return names
    .map((symbol) => ({
      symbol,
      from: old.get(symbol) ?? 'n',
      to: now.get(symbol) ?? 'n',
      asked: asked.includes(symbol),
    }))
    .filter(({ from, to }) => from !== to)
    .sort((a, b) => Number(b.asked) - Number(a.asked) || (a.symbol < b.symbol ? -1 : 1))
}

export const changeText = ({ symbol, from, to }: SymbolChange): string => `${symbol}: ${from} → ${to}`
