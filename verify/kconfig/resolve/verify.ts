/**
 * `resolve` on real trees: m asked of every tristate symbol, from tinyconfig. See judge.ts for what is held against
 * what.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRandom, createResolver } from '../../../src/kconfig/index.ts'
import { linuxSource, unpackedPackage } from '../../../test/material.ts'
import type { Judgement, Verification, VerifyContext } from '../../verification.ts'
import { judge, medianAndWorst, newTally, superfluous } from './judge.ts'
import { openSubject, type SubjectOptions, unxz } from './subject.ts'

export const verifications: readonly Verification[] = [
  {
    name: 'kconfig-resolve',
    title: 'kconfig resolve: m of every tristate symbol',
    run: verifyResolve,
  },
]

const SEED = 20_261_124
const RANDCONFIGS = 100
/** by subject; over the six of them the sample is 300, the pairs 500 and a few */
const SAMPLE = 50
const PAIRS = 84

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
      'refused',
      'of them shortest',
      'undecided',
      'ms, median / worst',
      'pairs: granted, refused',
      'left out of',
      'wrong',
    ],
    rows,
    notes: [
      `From tinyconfig. Granted: confirmed by the tree's own code (driver.c), without a new warning of unmet dependencies; "fewest": proved that no fewer added symbols would do. Refused: every step names a place that says it, and holds in every witness; no witness that the kernel does not warn of has it. Witnesses are allmodconfig, allyesconfig, every defconfig, ${RANDCONFIGS} randconfigs and Debian's configurations. "Left out of": leaving out any one assignment of so many granted sets was tried, and never did. Times are of the processor.`,
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
  const { tristates } = subject
  const draw = () => tristates[random() % tristates.length]?.name ?? ''

  const sampled = new Set(Array.from({ length: SAMPLE }, draw))
  let needless = 0
  for (const [index, symbol] of tristates.entries()) {
    const requests = [{ name: symbol.name ?? '', value: 'm' }]
    const answer = await judge(subject, resolver, requests, singles)
    if (index % 1000 === 999) progress(`${name}: ${index + 1} of ${tristates.length}`)
    if (!answer.ok || !sampled.has(symbol.name ?? '')) continue
    const found = await superfluous(subject, answer.value.assignments, requests)
    if (found.length > 0) singles.failures.push(`${symbol.name}: ${found.join(', ')} could be left out`)
    needless++
  }
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
    singles.refused,
    singles.shortest,
    singles.undecided + pairs.undecided,
    medianAndWorst(singles.milliseconds),
    `${pairs.granted}, ${pairs.refused}`,
    needless,
    wrong.length,
  ]
  return { cells, failures: wrong.length }
}
