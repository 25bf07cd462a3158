/** Configurations made by answering all questions alike, or at random, or from a defconfig. */
import { assembledConfig } from './assembled-config.ts'
import {
  type CommandHost,
  type CommandResult,
  done,
  failed,
  fragmentText,
  type OpenedTree,
  type Outcome,
  openForCommand,
  type TreeOptions,
} from './command-host.ts'
import { parseSeed } from './conf.ts'
import { assignAll, mergeConfig, readConfig, writeConfig, writeMinimalConfig } from './config-file.ts'
import { type Configuration, createConfiguration } from './configuration.ts'
import { createRandom } from './glibc-random.ts'
import { byteStringToText } from './model.ts'
import { type AllMode, answerAll, answerRandomly, type Probability, parseProbability } from './modes.ts'

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
  /**
   * For savedefconfig: the file to shorten. For defconfig: a file, the name of one below arch/ARCH/configs, or a name
   * that make puts together (`ppc64le_defconfig`).
   */
  readonly config?: string | undefined
  /** assignments that come before all answers (KCONFIG_ALLCONFIG), or over a defconfig */
  readonly fragments?: readonly string[]
  readonly output?: string | undefined
  /** for randconfig; default: KCONFIG_SEED, or the time */
  readonly seed?: string | undefined
}

const allModes: Partial<Record<FreshMode, AllMode>> = {
  allnoconfig: 'no',
  allyesconfig: 'yes',
  allmodconfig: 'mod',
  alldefconfig: 'default',
}

interface Dice {
  readonly seed: number
  readonly probability: Probability
}

export async function freshCommand(
  mode: FreshMode,
  options: FreshOptions,
  host: CommandHost,
): Promise<CommandResult> {
  const seedText = options.seed ?? (host.environment('KCONFIG_SEED') || String(Date.now() >>> 0))
  const seed = mode === 'randconfig' ? parseSeed(seedText) : 0
  if (seed === undefined) return failed(`not a seed: ${seedText}`, 2)
  const probability = parseProbability(host.environment('KCONFIG_PROBABILITY'))
  if (probability === undefined) return failed('KCONFIG_PROBABILITY: percentages expected', 1)
  const opened = await openForCommand(options, host)
  if (!opened.ok) return opened.result
  const made = freshConfiguration(mode, opened.value, { seed, probability }, options, host)
  if (!made.ok) return made.result
  const { configuration, warnings } = made.value
  const text = mode === 'savedefconfig' ? writeMinimalConfig(configuration) : writeConfig(configuration)
  const said =
    opened.value.messages +
    byteStringToText(warnings.map((line) => `${line}\n`).join('') + configuration.warnings.join(''))
  if (options.output === undefined) return done(byteStringToText(text), new Map(), said)
  return done('', new Map([[options.output, text]]), said)
}

interface Fresh {
  readonly configuration: Configuration
  readonly warnings: readonly string[]
}

function freshConfiguration(
  mode: FreshMode,
  opened: OpenedTree,
  { seed, probability }: Dice,
  options: FreshOptions,
  host: CommandHost,
): Outcome<Fresh> {
  const configuration = createConfiguration(opened.tree)
  const { configPrefix } = opened.tree.dialect
  let given = ''
  const preset = host.environment('KCONFIG_ALLCONFIG')
  const fragments = options.fragments ?? []
  const presets = mode in allModes || mode === 'randconfig'
  for (const fragment of presets && preset && preset !== '1' ? [preset, ...fragments] : fragments) {
    const content = fragmentText(fragment, opened, host)
    if (content === undefined) return { ok: false, result: failed(`cannot read ${fragment}`) }
    given = mergeConfig(given, content, configPrefix)
  }
  if (mode === 'defconfig' || mode === 'savedefconfig') {
    const found = defconfig(mode, opened, options, host)
    if (found === undefined)
      return {
        ok: false,
        result: failed(`cannot find the configuration ${options.config ?? '(none was named)'}`),
      }
    const text = given === '' ? found.text : mergeConfig(found.text, given, configPrefix)
    const { warnings } = readConfig(configuration, text, { name: options.config ?? '' })
    if (mode === 'defconfig' && !found.assembled) answerAll(configuration, 'default')
    return { ok: true, value: { configuration, warnings } }
  }
  if (mode === 'tinyconfig') return tiny(opened, given, host)
  const { warnings } = assignAll(configuration, given, { name: preset ?? fragments[0] ?? 'fragment' })
  const answer = allModes[mode]
  if (answer === undefined) answerRandomly(configuration, createRandom(seed), probability)
  else answerAll(configuration, answer)
  return { ok: true, value: { configuration, warnings } }
}

interface Defconfig {
  readonly text: string
  /** it was put together the way make does it, which then leaves what is missing to olddefconfig */
  readonly assembled: boolean
}

function defconfig(
  mode: 'defconfig' | 'savedefconfig',
  { tree, sourceArch, readFile }: OpenedTree,
  { config, srctree }: FreshOptions,
  host: CommandHost,
): Defconfig | undefined {
  if (config === undefined) return undefined
  const own = host.readFile(config)
  if (own !== undefined || mode === 'savedefconfig')
    return own === undefined ? undefined : { text: own, assembled: false }
  for (const folder of [`arch/${sourceArch}/configs`, 'configs']) {
    const text = readFile(`${folder}/${config}`)
    if (text !== undefined) return { text, assembled: false }
  }
  const boards = host.environment('BOARDS')
  const text = assembledConfig(config, {
    model: tree,
    sourceArch,
    readFile,
    list: (folder) => host.list(`${srctree}/${folder}`),
    boards: boards === undefined ? undefined : boards.split(/\s+/).filter((board) => board !== ''),
  })
  return text === undefined ? undefined : { text, assembled: true }
}

/** The smallest kernel: allnoconfig over one file of the tree, and then `tiny.config`. */
function tiny(opened: OpenedTree, given: string, host: CommandHost): Outcome<Fresh> {
  const { tree, readFile } = opened
  const base = readFile('kernel/configs/tiny-base.config')
  const more = fragmentText('tiny.config', opened, { ...host, readFile: () => undefined })
  if (base === undefined || more === undefined)
    return {
      ok: false,
      result: failed('this tree has no tinyconfig: kernel/configs/tiny-base.config is missing'),
    }
  const first = createConfiguration(tree)
  assignAll(first, base, { name: 'tiny-base.config' })
  answerAll(first, 'no')
  const configuration = createConfiguration(tree)
  const { configPrefix } = tree.dialect
  const text = mergeConfig(mergeConfig(writeConfig(first), more, configPrefix), given, configPrefix)
  const { warnings } = readConfig(configuration, text, { name: 'tiny.config' })
  return { ok: true, value: { configuration, warnings } }
}
