/** What resolve and explain are judged on: a tree for an architecture, from its tinyconfig, with its witnesses. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  answerAll,
  answerRandomly,
  assignAll,
  type Configuration,
  createConfiguration,
  createRandom,
  type Kconfig,
  type KconfigSymbol,
  openTree,
  readConfig,
  writeConfig,
} from '../../../src/kconfig/index.ts'
import { unmetSymbols } from '../../../src/kconfig/trial.ts'
import { buildDriver, type Driver, startDriver } from './driver.ts'

export interface Witness {
  readonly name: string
  readonly configuration: Configuration
  /** selected against their dependencies: what the kernel warns of */
  readonly unmet: ReadonlySet<KconfigSymbol>
}

export interface Subject {
  readonly tree: Kconfig
  readonly srctree: string
  readonly base: Configuration
  readonly driver: Driver
  /** unmet in the base already */
  readonly normal: ReadonlySet<string>
  readonly witnesses: readonly Witness[]
  /** every named tristate symbol that the tree defines */
  readonly tristates: readonly KconfigSymbol[]
}

export interface SubjectOptions {
  readonly srctree: string
  readonly architecture: string
  readonly folder: string
  /** texts of .config files that count as witnesses, by name */
  readonly configs: ReadonlyMap<string, string>
  readonly defconfigs: boolean
  readonly randconfigs: number
}

const read = (path: string): string => readFileSync(path, 'latin1')

export async function openSubject(options: SubjectOptions): Promise<Subject> {
  const { srctree, architecture, folder } = options
  const opened = await openTree({ srctree, arch: architecture })
  if (!opened.ok) throw new Error(opened.error.message)
  const tree = opened.value
  const seed = createConfiguration(tree)
  const tiny = ['tiny-base.config', 'tiny.config'].map((name) => read(join(srctree, 'kernel/configs', name)))
  assignAll(seed, tiny.join(''), { name: 'tiny.config' })
  answerAll(seed, 'no')
  const text = writeConfig(seed)
  const base = createConfiguration(tree)
  readConfig(base, text, { name: '.config' })

  const program = buildDriver(srctree, join(folder, 'driver'))
  const driver = startDriver(program, join(folder, 'questions'), text, opened.environment)
  const { unmet } = await driver.ask([], [])

  const witnesses: Witness[] = []
  const add = (name: string, fill: (configuration: Configuration) => void): void => {
    const configuration = createConfiguration(tree)
    fill(configuration)
    witnesses.push({ name, configuration, unmet: unmetSymbols(configuration) })
  }
  add('allmodconfig', (configuration) => answerAll(configuration, 'mod'))
  add('allyesconfig', (configuration) => answerAll(configuration, 'yes'))
  for (const [name, config] of options.configs)
    add(name, (configuration) => readConfig(configuration, config, { name }))
  if (options.defconfigs)
    for (const path of defconfigsOf(
      join(srctree, 'arch', opened.environment.SRCARCH ?? architecture, 'configs'),
    ))
      add(path, (configuration) => {
        readConfig(configuration, read(path), { name: path })
        answerAll(configuration, 'default')
      })
  for (let number = 1; number <= options.randconfigs; number++)
    add(`randconfig ${number}`, (configuration) =>
      answerRandomly(configuration, createRandom(number), {
        boolYes: 50,
        tristateYes: 33,
        tristateMod: 33,
      }),
    )
  const tristates = tree.symbols.filter(
    ({ type, nodes, isChoice, name }) =>
      type === 'tristate' && nodes.length > 0 && !isChoice && name !== undefined,
  )
  return { tree, srctree, base, driver, normal: new Set(unmet), witnesses, tristates }
}

function defconfigsOf(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /(?:^|[/_])defconfig$/.test(name))
    .sort()
    .map((name) => join(folder, name))
}

/** The text of a file that xz has compressed. */
export const unxz = (path: string): string =>
  execFileSync('xz', ['--decompress', '--stdout', path], { encoding: 'latin1', maxBuffer: 1 << 26 })
