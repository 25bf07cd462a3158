/**
 * `resolve` on real trees: m asked of every tristate symbol, from tinyconfig. See judge.ts for what is held against
 * what.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRandom, createResolver } from '../../../src/kconfig/index.ts'
import { linuxSource, unpackedPackage } from '../../../test/material.ts'
import type { Judgement, Verification, VerifyContext } from '../../verification.ts'
import { explainDropped } from './explain-judge.ts'
import { judge, medianAndWorst, newTally, superfluous } from './judge.ts'
import { openSubject, type SubjectOptions, unxz } from './subject.ts'

export const verifications: readonly Verification[] = [
  {
    name: 'kconfig-resolve',
    title: 'kconfig resolve: m of every tristate symbol',
    run: verifyResolve,
  },
  {
    name: 'kconfig-explain',
    title: 'kconfig explain: what blocks a value that was dropped',
    run: verifyExplain,
  },
]

/**
 * FIRMWRIGHT_VERIFY_SHARE=20 asks for every 20th symbol only, and looks at a fifth of the randconfigs: for a machine that
 * has other things to do.
 */
const share = Number(process.env.FIRMWRIGHT_VERIFY_SHARE ?? '1')
const SEED = 20_261_124
const RANDCONFIGS = share > 1 ? 20 : 100
/** by subject; over the six of them 300 granted sets and a few, 500 pairs and a few, 200 explanations and a few */
const SAMPLE = 65
const PAIRS = Math.ceil(84 / share)
const EXPLANATIONS = 34
/** how many answers may wait to be confirmed */
const AHEAD = 20

const versions = ['6.1', '6.12'] as const
type Version = (typeof versions)[number]

/** Debian's kernels whose configurations are witnesses: architecture of the package, and the package. */
const kernels: Readonly<Record<string, Readonly<Record<Version, readonly (readonly [string, string])[]>>>> = {
  arm64: { '6.1': [['arm64', 'linux-image-arm64']], '6.12': [['arm64', 'linux-image-arm64']] },
  mips: { '6.1': [['mipsel', 'linux-image-4kc-malta']], '6.12': [] },
  x86: { '6.1': [['amd64', 'linux-config-6.1']], '6.12': [['amd64', 'linux-config-6.12']] },
}

async function debianConfigs(architecture: string, version: Version): Promise<ReadonlyMap<string, string>> {
  const configs = new Map<string, string>()
  for (const [debian, name] of kernels[architecture]?.[version] ?? []) {
    const release = version === '6.1' ? 'bookworm' : 'trixie'
    const folder = await unpackedPackage({ release, architecture: debian, package: name })
    for (const place of ['boot', `usr/src/linux-config-${version}`]) {
      const inside = join(folder, place)
      if (!existsSync(inside)) continue
      for (const file of readdirSync(inside)) {
        const path = join(inside, file)
        if (file.startsWith('config.') && file.endsWith('.xz')) configs.set(file, unxz(path))
        else if (file.startsWith('config-')) configs.set(file, readFileSync(path, 'latin1'))
      }
    }
  }
  return configs
}

async function verifyResolve({ folder, progress }: VerifyContext): Promise<Judgement> {
  const rows: (readonly (string | number)[])[] = []
  let failures = 0
  for (const version of versions)
    for (const architecture of Object.keys(kernels)) {
      const name = `${version} ${architecture}`
      const row = await judgeAll(
        name,
        {
          srctree: await linuxSource(version),
          architecture,
          folder: join(folder, `${version}-${architecture}`),
          configs: await debianConfigs(architecture, version),
          defconfigs: true,
          randconfigs: RANDCONFIGS,
        },
        progress,
      )
      rows.push(row.cells)
      failures += row.failures
      progress(row.cells.join(' | '))
    }
  return {
    columns: [
      'tree',
      'witnesses',
      'asked',
      'granted',
      'of them fewest',
      'symbols added, for a reason',
      'refused',
      'of them shortest',
      'had under a warning',
      'undecided',
      'ms, median / worst',
      'pairs: granted, refused',
      'left out of',
      'wrong',
    ],
    rows,
    notes: [
      `From tinyconfig. Granted: confirmed by the tree's own code (driver.c), without a new warning of unmet dependencies; "fewest": proved that no fewer added symbols would do. "For a reason": the line of the tree that is named leads to the symbol. Refused: every step names a place that says it, and holds in every witness; no witness has it, but for "had under a warning": there the kernel itself warns that a symbol which a step is about is selected against its dependencies, and \`resolve\` grants nothing of which it would warn. Witnesses are allmodconfig, allyesconfig, every defconfig, ${RANDCONFIGS} randconfigs and Debian's configurations. "Left out of": leaving out any one assignment of so many granted sets was tried, and never did. Times are of the processor.`,
    ],
    failures,
  }
}

async function judgeAll(name: string, options: SubjectOptions, progress: (text: string) => void) {
  const subject = await openSubject(options)
  const resolver = createResolver(subject.base)
  const random = createRandom(SEED)
  const singles = newTally()
  const pairs = newTally()
  const tristates = subject.tristates.filter((_, index) => index % share === 0)
  const draw = () => tristates[random() % tristates.length]?.name ?? ''

  const sampled = new Set(Array.from({ length: SAMPLE }, draw))
  let leftOut = 0
  // While the driver confirms one answer, the next are already looked for.
  const pending: Promise<void>[] = []
  for (const [index, symbol] of tristates.entries()) {
    const requests = [{ name: symbol.name ?? '', value: 'm' }]
    // A sample of its own where only a share is asked.
    const isSampled = share > 1 ? index % 10 === 0 : sampled.has(symbol.name ?? '')
    pending.push(
      judge(subject, resolver, requests, singles).then(async (answer) => {
        if (!answer.ok || !isSampled) return
        const found = await superfluous(subject, answer.value.assignments, requests)
        if (found.length > 0) singles.failures.push(`${symbol.name}: ${found.join(', ')} could be left out`)
        leftOut++
      }),
    )
    if (pending.length > AHEAD) await pending.shift()
    if (index % 1000 === 999) progress(`${name}: ${index + 1} of ${tristates.length}`)
  }
  await Promise.all(pending)
  for (let drawn = 0; drawn < PAIRS; drawn++) {
    const [first, second] = [draw(), draw()]
    if (first === second) continue
    const value = () => (random() % 2 === 0 ? 'm' : 'y')
    await judge(
      subject,
      resolver,
      [
        { name: first, value: value() },
        { name: second, value: value() },
      ],
      pairs,
    )
  }
  await subject.driver.close()
  const wrong = [...singles.failures, ...pairs.failures]
  for (const failure of wrong.slice(0, 30)) progress(`${name}: ${failure}`)
  const cells = [
    name,
    subject.witnesses.length,
    singles.asked,
    singles.granted,
    singles.fewest,
    `${singles.added}, ${singles.reasoned}`,
    singles.refused,
    singles.shortest,
    singles.excused + pairs.excused,
    singles.undecided + pairs.undecided,
    medianAndWorst(singles.milliseconds),
    `${pairs.granted}, ${pairs.refused}`,
    leftOut,
    wrong.length,
  ]
  return { cells, failures: wrong.length }
}

async function verifyExplain({ folder, progress }: VerifyContext): Promise<Judgement> {
  const rows: (readonly (string | number)[])[] = []
  let failures = 0
  for (const version of versions)
    for (const architecture of Object.keys(kernels)) {
      const name = `${version} ${architecture}`
      const subject = await openSubject({
        srctree: await linuxSource(version),
        architecture,
        folder: join(folder, `${version}-${architecture}`),
        configs: new Map(),
        defconfigs: false,
        randconfigs: 0,
      })
      const tally = await explainDropped(subject, EXPLANATIONS, createRandom(SEED))
      await subject.driver.close()
      for (const failure of tally.failures.slice(0, 30)) progress(`${name}: ${failure}`)
      const { asked, parts, attained, contradictory, needed, implied } = tally
      rows.push([name, asked, parts, attained, contradictory, needed, implied, tally.failures.length])
      failures += tally.failures.length
      progress(`${name}: ${tally.failures.length} wrong`)
    }
  return {
    columns: [
      'tree',
      'dropped',
      'blocking parts',
      'all true: value there',
      'cannot all be true',
      'one false: value not there',
      'one cannot be false alone',
      'wrong',
    ],
    rows,
    notes: [
      "Symbols drawn by seed, set on top of tinyconfig to a value that they then do not have. Every part of the blocking set is false. Configurations in which all parts are true, and all but one, are found by `resolve`; the symbol is set in them and the tree's own code says what becomes of it. What `explain` says has to go on holding holds in them, and where one part is false, another way to the value (a second prompt, a default, a select) is only open where it cannot be closed. Where there is no such configuration, that is proved.",
    ],
    failures,
  }
}
