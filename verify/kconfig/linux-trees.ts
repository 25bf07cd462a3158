/** Every configuration of a kernel tree that there is a judge for, made by us and by the tree's own `conf`. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { UserError } from '../../src/diagnostics/index.ts'
import {
  type AllMode,
  answerAll,
  answerRandomly,
  assignAll,
  type CommandHost,
  type Configuration,
  createConfiguration,
  createRandom,
  freshCommand,
  type Kconfig,
  type OpenResult,
  openTree,
  parseProbability,
  readConfig,
  writeConfig,
  writeMinimalConfig,
} from '../../src/kconfig/index.ts'
import { type ConfTree, confTree } from '../../test/conf.ts'
import { createJudge, type Judge, type Outcome } from '../../test/judge.ts'
import { unpackedPackage } from '../../test/material.ts'
import type { Judgement, VerifyContext } from '../verification.ts'
import { compare, createTally, type Tally, tallyColumns, tallyRow } from './judge.ts'

const architectures = ['arm64', 'arm', 'mips', 'x86', 'riscv', 'powerpc', 's390'] as const

/** randconfig seeds for each architecture: 301 in all. */
const seeds = 43

/** Debian's architectures whose configurations are taken, with the kernel's name for each. */
const debian = {
  'linux-6.1': {
    amd64: 'x86',
    arm64: 'arm64',
    armhf: 'arm',
    mipsel: 'mips',
    ppc64el: 'powerpc',
    s390x: 's390',
  },
  'linux-6.12': {
    amd64: 'x86',
    arm64: 'arm64',
    armhf: 'arm',
    ppc64el: 'powerpc',
    riscv64: 'riscv',
    s390x: 's390',
  },
} as const

export async function verifyLinuxTree(
  name: 'linux-6.1' | 'linux-6.12',
  { folder, progress }: VerifyContext,
): Promise<Judgement> {
  const tree = await confTree(name)
  const tallies = {
    defconfig: createTally('every `defconfig` and `*_defconfig`'),
    saved: createTally('`savedefconfig` of each result'),
    assembled: createTally('tinyconfig and configurations that Makefiles put together, against `make`'),
    all: createTally('allnoconfig, allyesconfig, allmodconfig, alldefconfig, tiny-base.config'),
    random: createTally('randconfig, `KCONFIG_PROBABILITY` and `KCONFIG_ALLCONFIG` varied'),
    debian: createTally('Debian’s own configurations, through olddefconfig'),
  }
  const { configs, notes } = await debianConfigs(name)
  for (const note of notes) progress(note)
  for (const arch of architectures) {
    const place = join(folder, arch)
    mkdirSync(place, { recursive: true })
    const opened = await openTree({
      srctree: tree.srctree,
      arch,
      folder: place,
      probeCacheFile: join(folder, 'probes.json'),
    })
    if (!opened.ok) throw new Error(opened.error.message)
    const judge = createJudge({ conf: tree.conf, folder: place, environment: opened.environment })
    const said = opened.messages.map((line) => `${line}\n`).join('')
    const checks = { tree, arch, model: opened.value, said, judge, folder: place, progress }
    const files = defconfigsOf(tree, arch)
    for (const file of files) checkDefconfig(checks, file, tallies.defconfig, tallies.saved)
    await checkMakeTargets(checks, opened, tallies.assembled)
    checkAll(checks, tallies.all)
    checkRandom(checks, files, tallies.random)
    for (const config of configs.filter((one) => one.arch === arch)) {
      const configuration = createConfiguration(checks.model)
      const { warnings } = readConfig(configuration, config.text, { name: '.config' })
      const theirs = judge(['--olddefconfig'], { config: config.text })
      compare(tallies.debian, config.name, theirs, ours(checks, configuration, warnings), progress)
    }
    progress(`${arch} done`)
  }
  const rows = Object.values(tallies)
  return {
    columns: tallyColumns,
    rows: rows.map(tallyRow),
    notes: [
      `Against \`scripts/kconfig/conf\` of the same tree in the same environment, bytes and standard error, for ${architectures.join(', ')}.`,
      ...notes,
    ],
    failures: rows.reduce((sum, tally) => sum + tally.differing + tally.otherMessages, 0),
  }
}

interface Checks {
  readonly tree: ConfTree
  readonly arch: string
  readonly model: Kconfig
  /** what reading the tree says */
  readonly said: string
  readonly judge: Judge
  /** for what is made on the way */
  readonly folder: string
  readonly progress: (text: string) => void
}

const ours = (
  { said }: Pick<Checks, 'said'>,
  configuration: Configuration,
  warnings: readonly string[] = [],
  text: string = writeConfig(configuration),
): Outcome => ({
  text,
  messages: said + warnings.map((line) => `${line}\n`).join('') + configuration.warnings.join(''),
})

const bytes = (file: string): string => readFileSync(file, 'latin1')

function defconfigsOf({ srctree }: ConfTree, arch: string): readonly string[] {
  const folder = join(srctree, 'arch', arch, 'configs')
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /(?:^|_|\/)defconfig$/.test(name))
    .sort()
    .map((name) => join(folder, name))
}

function checkDefconfig(checks: Checks, file: string, defconfig: Tally, saved: Tally): void {
  const { tree, model, judge, progress } = checks
  const label = relative(tree.srctree, file)
  const configuration = createConfiguration(model)
  const { warnings } = readConfig(configuration, bytes(file), { name: file })
  answerAll(configuration, 'default')
  const theirs = judge([`--defconfig=${file}`])
  compare(defconfig, label, theirs, ours(checks, configuration, warnings), progress)

  const again = createConfiguration(model)
  const reading = readConfig(again, theirs.text, { name: '.config' })
  const minimal = writeMinimalConfig(again)
  compare(
    saved,
    `savedefconfig of ${label}`,
    judge(['--savedefconfig=defconfig'], { config: theirs.text, output: 'defconfig' }),
    ours(checks, again, reading.warnings, minimal),
    progress,
  )
}

/** Targets of make that are no files, made by `make` and by our command. */
const assembled: Readonly<Record<string, readonly string[]>> = {
  mips: ['32r2el_defconfig', '64r6_defconfig', 'ocelot_defconfig'],
  powerpc: ['ppc64le_defconfig', 'pseries_le_defconfig', 'mpc85xx_smp_defconfig', 'corenet64_smp_defconfig'],
}

async function checkMakeTargets(checks: Checks, opened: OpenResult, tally: Tally): Promise<void> {
  const { tree, arch, folder, progress } = checks
  const host: CommandHost = {
    environment: () => undefined,
    readFile: (path) => (existsSync(path) ? bytes(path) : undefined),
    list: (path) => (existsSync(path) ? readdirSync(path) : []),
    open: async () => opened,
  }
  for (const target of ['tinyconfig', ...(assembled[arch] ?? [])]) {
    const mode = target === 'tinyconfig' ? target : 'defconfig'
    const options = { srctree: tree.srctree, arch, config: target, output: 'made' }
    const { files, stderr } = await freshCommand(mode, options, host)
    const theirs = madeByMake(tree, arch, target, join(folder, 'make'))
    const text = files.get('made') ?? stderr
    compare(tally, `${arch} ${target}`, { text: theirs, messages: '' }, { text, messages: '' }, progress)
  }
}

function madeByMake({ srctree }: ConfTree, arch: string, target: string, folder: string): string {
  mkdirSync(folder, { recursive: true })
  try {
    execFileSync('make', ['-s', '-C', srctree, `O=${folder}`, `ARCH=${arch}`, target], { stdio: 'pipe' })
    return bytes(join(folder, '.config'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const allModes: Readonly<Record<string, AllMode>> = {
  allnoconfig: 'no',
  allyesconfig: 'yes',
  allmodconfig: 'mod',
  alldefconfig: 'default',
}

function checkAll(checks: Checks, tally: Tally): void {
  const { tree, arch, model, judge, progress } = checks
  for (const [target, mode] of Object.entries(allModes)) {
    const configuration = createConfiguration(model)
    answerAll(configuration, mode)
    compare(tally, `${arch} ${target}`, judge([`--${target}`]), ours(checks, configuration), progress)
  }
  const tiny = join(tree.srctree, 'kernel/configs/tiny-base.config')
  const configuration = createConfiguration(model)
  const { warnings } = assignAll(configuration, bytes(tiny), { name: tiny })
  answerAll(configuration, 'no')
  const theirs = judge(['--allnoconfig'], { environment: { KCONFIG_ALLCONFIG: tiny } })
  compare(tally, `${arch} tiny-base.config`, theirs, ours(checks, configuration, warnings), progress)
}

function checkRandom(checks: Checks, files: readonly string[], tally: Tally): void {
  const { arch, model, judge, progress } = checks
  for (let seed = 1; seed <= seeds; seed++) {
    const percentages =
      seed % 5 === 0 ? '20:30' : seed % 7 === 0 ? '10:30:60' : seed % 3 === 0 ? '70' : undefined
    const probability = parseProbability(percentages)
    if (probability === undefined) throw new Error(`${percentages} are no percentages`)
    const start = seed % 4 === 0 ? files[seed % files.length] : undefined
    const configuration = createConfiguration(model)
    const warnings =
      start === undefined ? [] : assignAll(configuration, bytes(start), { name: start }).warnings
    answerRandomly(configuration, createRandom(seed), probability)
    const theirs = judge(['--randconfig'], {
      environment: {
        KCONFIG_SEED: String(seed),
        ...(percentages === undefined ? {} : { KCONFIG_PROBABILITY: percentages }),
        ...(start === undefined ? {} : { KCONFIG_ALLCONFIG: start }),
      },
    })
    compare(tally, `${arch} randconfig ${seed}`, theirs, ours(checks, configuration, warnings), progress)
  }
}

interface DebianConfig {
  readonly name: string
  readonly arch: string
  readonly text: string
}

/** A mirror may lack an architecture: what cannot be had is named in a note for the table. */
export async function debianConfigs(
  name: keyof typeof debian,
): Promise<{ readonly configs: readonly DebianConfig[]; readonly notes: readonly string[] }> {
  const release = name === 'linux-6.1' ? 'bookworm' : 'trixie'
  const configs: DebianConfig[] = []
  const missing: string[] = []
  for (const [architecture, arch] of Object.entries(debian[name])) {
    const packageName = name.replace('linux-', 'linux-config-')
    const folder = await unpackedPackage({ release, architecture, package: packageName }).catch((error) => {
      if (!(error instanceof UserError)) throw error
      missing.push(architecture)
    })
    if (folder === undefined) continue
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
      if (!file.endsWith('.xz')) continue
      const text = execFileSync('xz', ['-dc', join(folder, file)], { encoding: 'latin1', maxBuffer: 1 << 24 })
      configs.push({ name: file, arch, text })
    }
  }
  const lacking = `Not on the mirror that was used: Debian’s configurations for ${missing.join(', ')}.`
  return { configs, notes: missing.length === 0 ? [] : [lacking] }
}
