/**
 * A stand-in for a tree's own `scripts/kconfig/conf`: the same arguments, the same environment variables, the same
 * files, prompts, messages and exit status. It differs on purpose in one place: an invalid KCONFIG_SEED is an error
 * instead of "some seed".
 */
import { type AskMode, ask, type Console } from './ask.ts'
import { autoconfFiles } from './autoconf.ts'
import { assignAll, readConfig, writeConfig, writeMinimalConfig } from './config-file.ts'
import { type Configuration, createConfiguration } from './configuration.ts'
import { createRandom } from './glibc-random.ts'
import type { Tristate } from './model.ts'
import { MOD, NO, YES } from './model.ts'
import { type AllMode, answerAll, answerRandomly, parseProbability } from './modes.ts'
import type { KconfigResult } from './tree.ts'

export interface ConfHost extends Console {
  environment(name: string): string | undefined
  /** reads the tree whose top file is named; probes included */
  open(top: string): Promise<KconfigResult & { readonly probeErrors?: string }>
  /** a file of the working folder, else of the tree; a byte string */
  readFile(name: string): string | undefined
  /** replaces a file of the working folder, creating its folders */
  writeFile(name: string, content: string): void
  /** makes a copy under another name, if the file exists */
  keepOld(name: string, old: string): void
}

const modes = [
  'oldaskconfig',
  'syncconfig',
  'oldconfig',
  'allnoconfig',
  'allyesconfig',
  'allmodconfig',
  'alldefconfig',
  'randconfig',
  'defconfig',
  'savedefconfig',
  'listnewconfig',
  'helpnewconfig',
  'olddefconfig',
  'yes2modconfig',
  'mod2yesconfig',
  'mod2noconfig',
] as const
type Mode = (typeof modes)[number]

const withFile: readonly Mode[] = ['defconfig', 'savedefconfig']
const all: Partial<Record<Mode, AllMode>> = {
  allnoconfig: 'no',
  allyesconfig: 'yes',
  allmodconfig: 'mod',
  alldefconfig: 'default',
}
const rewrites: Partial<Record<Mode, readonly [Tristate, Tristate]>> = {
  yes2modconfig: [YES, MOD],
  mod2yesconfig: [MOD, YES],
  mod2noconfig: [MOD, NO],
}

interface Arguments {
  readonly mode: Mode
  readonly file: string
  readonly top: string | undefined
  readonly silent: boolean
  readonly problem: string | undefined
}

function parseArguments(args: readonly string[]): Arguments {
  let mode: Mode = 'oldaskconfig'
  let file = ''
  let top: string | undefined
  let silent = false
  let problem: string | undefined
  for (let i = 0; i < args.length; i++) {
    const argument = args[i] ?? ''
    if (argument === '-s' || argument === '--silent') silent = true
    else if (argument.startsWith('--')) {
      const equals = argument.indexOf('=')
      const name = equals < 0 ? argument.slice(2) : argument.slice(2, equals)
      const found = modes.find((known) => known === name)
      if (found === undefined) {
        problem ??= `unrecognized option '${argument}'`
        continue
      }
      mode = found
      if (withFile.includes(found)) file = equals < 0 ? (args[++i] ?? '') : argument.slice(equals + 1)
    } else if (argument.startsWith('-')) problem ??= `unrecognized option '${argument}'`
    else top ??= argument
  }
  return { mode, file, top, silent, problem }
}

/** Seeds are numbers as C writes them: 10, 0x1f, 017. */
export function parseSeed(text: string): number | undefined {
  const match = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)$/.exec(text)
  if (match?.[2] === undefined) return undefined
  const digits = match[2]
  const octal = /^0[0-7]+$/.test(digits)
  const value = BigInt(octal ? `0o${digits.slice(1)}` : digits)
  return Number(BigInt.asUintN(32, match[1] === '-' ? -value : value))
}

/** @returns the exit status */
export async function runConf(args: readonly string[], host: ConfHost): Promise<number> {
  const { mode, file, top, silent: quiet, problem } = parseArguments(args)
  const { write, writeError } = host
  const silent = quiet || mode === 'syncconfig'
  if (problem !== undefined || top === undefined) {
    writeError(`conf: ${problem ?? 'Kconfig file missing'}\n`)
    return 1
  }
  let seed = 0
  if (mode === 'randconfig') {
    const given = host.environment('KCONFIG_SEED')
    const parsed = given === undefined || given === '' ? Date.now() >>> 0 : parseSeed(given)
    if (parsed === undefined) {
      writeError(`conf: KCONFIG_SEED is not a number: ${given}\n`)
      return 1
    }
    seed = parsed
    write(`KCONFIG_SEED=0x${seed.toString(16).toUpperCase()}\n`)
  }
  const result = await host.open(top)
  if (result.probeErrors !== undefined) writeError(result.probeErrors)
  for (const line of result.output) write(`${line}\n`)
  for (const line of result.messages) writeError(`${line}\n`)
  if (!result.ok) return 1
  const configuration = createConfiguration(result.value)
  let shown = 0
  /** Warnings come out where they come up: before the next question or the end. */
  const flushWarnings = (): void => {
    for (; shown < configuration.warnings.length; shown++) writeError(configuration.warnings[shown] ?? '')
  }
  const reading = readStartingPoint(configuration, mode, file, host, silent)
  flushWarnings()
  if (!reading.ok) return 1
  const werror = host.environment('KCONFIG_WERROR') !== undefined
  if (werror && reading.warnings > 0) return 1
  const noSilentUpdate = mode === 'syncconfig' ? (host.environment('KCONFIG_NOSILENTUPDATE') ?? '') : ''
  if (noSilentUpdate !== '' && reading.changed) {
    writeError('\n*** The configuration requires explicit update.\n\n')
    return 1
  }

  if (!answer(configuration, mode, seed, host)) return 1
  flushWarnings()
  if (werror && configuration.warnings.length > 0) return 1

  if (mode === 'savedefconfig') {
    host.writeFile(file, writeMinimalConfig(configuration))
    return 0
  }
  if (mode === 'listnewconfig' || mode === 'helpnewconfig') return 0
  if (noSilentUpdate === '') saveConfig(configuration, host, silent)
  flushWarnings()
  const names = {
    autoconf: host.environment('KCONFIG_AUTOCONFIG') ?? 'include/config/auto.conf',
    header: host.environment('KCONFIG_AUTOHEADER') ?? 'include/generated/autoconf.h',
    rustConfig: host.environment('KCONFIG_RUSTCCFG') ?? 'include/generated/rustc_cfg',
  }
  if (mode === 'syncconfig' || host.readFile(names.autoconf) === undefined)
    for (const [name, content] of autoconfFiles(configuration, names)) host.writeFile(name, content)
  return 0
}

interface Reading {
  readonly ok: boolean
  readonly warnings: number
  readonly changed: boolean
}
const nothingRead: Reading = { ok: true, warnings: 0, changed: true }

function readStartingPoint(
  configuration: Configuration,
  mode: Mode,
  file: string,
  host: ConfHost,
  silent: boolean,
): Reading {
  const warnUnknown = host.environment('KCONFIG_WARN_UNKNOWN_SYMBOLS') !== undefined
  const take = (name: string, text: string): Reading => {
    const { warnings, changed } = readConfig(configuration, text, { name, warnUnknown })
    for (const line of warnings) host.writeError(`${line}\n`)
    return { ok: true, warnings: warnings.length, changed }
  }
  if (mode === 'defconfig') {
    const text = host.readFile(file)
    if (text !== undefined) return take(file, text)
    host.writeError(`***\n*** Can't find default configuration "${file}"!\n***\n`)
    return { ...nothingRead, ok: false }
  }
  if (mode === 'randconfig' || all[mode] !== undefined) {
    const wanted = host.environment('KCONFIG_ALLCONFIG')
    if (wanted === undefined) return nothingRead
    const own = mode === 'randconfig' ? 'allrandom.config' : `${mode.slice(0, -'config'.length)}.config`
    const names = wanted !== '' && wanted !== '1' ? [wanted] : [own, 'all.config']
    for (const name of names) {
      const text = host.readFile(name)
      if (text === undefined) continue
      const { warnings } = assignAll(configuration, text, { name, warnUnknown })
      for (const line of warnings) host.writeError(`${line}\n`)
      return { ok: true, warnings: warnings.length, changed: true }
    }
    host.writeError(
      names.length === 1
        ? `*** Can't read seed configuration "${wanted}"!\n`
        : `*** KCONFIG_ALLCONFIG set, but no "${own}" or "all.config" file found\n`,
    )
    return { ...nothingRead, ok: false }
  }
  const name = host.environment('KCONFIG_CONFIG') ?? '.config'
  const text = host.readFile(name)
  if (text !== undefined) return take(name, text)
  for (const other of (host.environment('KCONFIG_DEFCONFIG_LIST') ?? '').split(/\s+/)) {
    const content = other === '' ? undefined : host.readFile(other)
    if (content === undefined) continue
    if (!silent) host.write(`#\n# using defaults found in ${other}\n#\n`)
    return { ...take(other, content), changed: true }
  }
  configuration.invalidate()
  return nothingRead
}

/** Gives values to what has none, as the mode says. @returns false when that was not possible */
function answer(configuration: Configuration, mode: Mode, seed: number, host: ConfHost): boolean {
  const answers = all[mode]
  if (answers !== undefined) answerAll(configuration, answers)
  else if (mode === 'defconfig') answerAll(configuration, 'default')
  else if (mode === 'randconfig') {
    const probability = parseProbability(host.environment('KCONFIG_PROBABILITY'))
    if (probability === undefined) {
      host.writeError('KCONFIG_PROBABILITY: Numerical result out of range\n')
      return false
    }
    answerRandomly(configuration, createRandom(seed), probability)
  } else if (rewrites[mode] !== undefined) {
    const [from, to] = rewrites[mode]
    for (const symbol of configuration.tree.walkOrder)
      if (
        symbol.type === 'tristate' &&
        !configuration.actsAsBool(symbol) &&
        configuration.raw.storedTristate(symbol) === from
      )
        configuration.raw.storeTristate(symbol, to)
    configuration.invalidate()
  } else if (isAsking(mode)) return ask(configuration, mode, host).complete
  return true
}

const isAsking = (mode: Mode): mode is Extract<Mode, AskMode> =>
  mode === 'oldaskconfig' ||
  mode === 'oldconfig' ||
  mode === 'syncconfig' ||
  mode === 'listnewconfig' ||
  mode === 'helpnewconfig'

function saveConfig(configuration: Configuration, host: ConfHost, silent: boolean): void {
  const name = host.environment('KCONFIG_CONFIG') ?? '.config'
  const say = (text: string): void => {
    if (!silent) host.write(`#\n# ${text}\n#\n`)
  }
  const text = writeConfig(configuration)
  const before = host.readFile(name)
  const overwrite = (host.environment('KCONFIG_OVERWRITECONFIG') ?? '') !== ''
  if (!overwrite && before === text) {
    say(`No change to ${name}`)
    return
  }
  if (!overwrite && before !== undefined) host.keepOld(name, `${name}.old`)
  host.writeFile(name, text)
  say(`configuration written to ${name}`)
}
