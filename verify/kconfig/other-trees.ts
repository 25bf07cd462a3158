/** U-Boot and busybox, whose Kconfig is older, against the `conf` that each brings along. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AllMode,
  answerAll,
  answerRandomly,
  type Configuration,
  createConfiguration,
  createRandom,
  openTree,
  parseProbability,
  readConfig,
  writeConfig,
  writeMinimalConfig,
} from '../../src/kconfig/index.ts'
import { confTree } from '../../test/conf.ts'
import { createJudge, type Outcome } from '../../test/judge.ts'
import type { Judgement, VerifyContext } from '../verification.ts'
import { compare, createTally, type Tally, tallyColumns, tallyRow } from './judge.ts'

const bytes = (file: string): string => readFileSync(file, 'latin1')

function judgement(tallies: readonly Tally[], notes: readonly string[]): Judgement {
  const failures = tallies.reduce((sum, tally) => sum + tally.differing + tally.otherMessages, 0)
  return { columns: tallyColumns, rows: tallies.map(tallyRow), notes, failures }
}

const seeds = 40

export async function verifyUBoot({ folder, progress }: VerifyContext): Promise<Judgement> {
  const { srctree, conf } = await confTree('u-boot')
  const place = join(folder, 'u-boot')
  mkdirSync(place)
  const opened = await openTree({ srctree, folder: place })
  if (!opened.ok) throw new Error(opened.error.message)
  const judge = createJudge({ conf, folder: place, environment: opened.environment })
  const model = opened.value
  const ours = (configuration: Configuration, said: string, text = writeConfig(configuration)): Outcome => ({
    text,
    messages: said + configuration.warnings.join(''),
  })
  const lines = (warnings: readonly string[]): string => warnings.map((line) => `${line}\n`).join('')

  const defconfigs = createTally('every eighth `*_defconfig`, and qemu_arm64')
  const saved = createTally('`savedefconfig` of each result')
  const names = readdirSync(join(srctree, 'configs')).filter((name) => name.endsWith('_defconfig'))
  const share = names.sort().filter((name, index) => index % 8 === 0 || name === 'qemu_arm64_defconfig')
  for (const name of share) {
    const file = join(srctree, 'configs', name)
    const configuration = createConfiguration(model)
    const { warnings } = readConfig(configuration, bytes(file), { name: file })
    answerAll(configuration, 'default')
    const theirs = judge([`--defconfig=${file}`])
    compare(defconfigs, name, theirs, ours(configuration, lines(warnings)), progress)
    const again = createConfiguration(model)
    const reading = readConfig(again, theirs.text, { name: '.config' })
    const minimal = writeMinimalConfig(again)
    const run = { config: theirs.text, output: 'defconfig' }
    compare(
      saved,
      `savedefconfig of ${name}`,
      judge(['--savedefconfig=defconfig'], run),
      ours(again, lines(reading.warnings), minimal),
      progress,
    )
  }

  const all = createTally('allnoconfig, allyesconfig, allmodconfig, alldefconfig')
  for (const [target, mode] of [
    ['allnoconfig', 'no'],
    ['allyesconfig', 'yes'],
    ['allmodconfig', 'mod'],
    ['alldefconfig', 'default'],
  ] as const) {
    const configuration = createConfiguration(model)
    answerAll(configuration, mode)
    compare(all, target, judge([`--${target}`]), ours(configuration, ''), progress)
  }
  const random = createTally('randconfig')
  const probability = parseProbability(undefined)
  if (probability === undefined) throw new Error('no probability is the usual one')
  for (let seed = 1; seed <= seeds; seed++) {
    const configuration = createConfiguration(model)
    answerRandomly(configuration, createRandom(seed), probability)
    const theirs = judge(['--randconfig'], { environment: { KCONFIG_SEED: String(seed) } })
    // This conf names the seed on standard error.
    const said = `KCONFIG_SEED=0x${seed.toString(16).toUpperCase()}\n`
    compare(random, `randconfig ${seed}`, theirs, ours(configuration, said), progress)
  }
  return judgement(
    [defconfigs, saved, all, random],
    ['U-Boot of bookworm’s source package `u-boot`, as published, against its own `scripts/kconfig/conf`.'],
  )
}

/** conf's option for each way to answer. */
const busyboxModes: readonly (readonly [string, string, AllMode])[] = [
  ['defconfig', '-d', 'default'],
  ['allnoconfig', '-n', 'no'],
  ['allyesconfig', '-y', 'yes'],
  ['allmodconfig', '-m', 'mod'],
]

export async function verifyBusybox({ folder, progress }: VerifyContext): Promise<Judgement> {
  const { srctree, conf } = await confTree('busybox')
  const place = join(folder, 'busybox')
  mkdirSync(place)
  const opened = await openTree({ srctree, folder: place })
  if (!opened.ok) throw new Error(opened.error.message)
  const environment = { ...opened.environment, KCONFIG_NOTIMESTAMP: '1' }
  const judge = createJudge({ conf, folder: place, environment, top: 'Config.in' })
  const text = (configuration: Configuration): Outcome => ({
    text: writeConfig(configuration),
    messages: '',
  })
  // What it says is about names that are gone, in words of its own; only what it writes is compared.
  const written = ({ text: theirs }: Outcome): Outcome => ({ text: theirs, messages: '' })

  const fresh = createTally('defconfig, allnoconfig, allyesconfig, allmodconfig')
  for (const [target, option, mode] of busyboxModes) {
    const configuration = createConfiguration(opened.value)
    if (mode === 'default') readConfig(configuration, '', { name: '/dev/null' })
    answerAll(configuration, mode)
    compare(fresh, target, written(judge([option])), text(configuration), progress)
  }
  const old = createTally('oldconfig of every file in configs/, and of each with every tenth line gone')
  for (const name of readdirSync(join(srctree, 'configs')).sort()) {
    const whole = bytes(join(srctree, 'configs', name))
    const holes = whole
      .split('\n')
      .filter((_, index) => index % 10 !== 3)
      .join('\n')
    for (const config of [whole, holes]) {
      const configuration = createConfiguration(opened.value)
      readConfig(configuration, config, { name: '.config' })
      answerAll(configuration, 'default')
      compare(old, name, written(judge(['-o'], { config })), text(configuration), progress)
    }
  }
  return judgement(
    [fresh, old],
    [
      'busybox of bookworm’s source package, as published and after its own `gen_build_files.sh`, against its own `scripts/kconfig/conf` under `KCONFIG_NOTIMESTAMP`.',
    ],
  )
}
