/** Damaged Kconfig files by the thousand: never an exception, never a hang, always a place in what is said. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Dialect, linux61, linux612 } from '../../src/kconfig/index.ts'
import { mutatedTree } from '../../test/kconfig-mutations.ts'
import { survives } from '../../test/kconfig-survives.ts'
import { linuxSource } from '../../test/material.ts'
import type { Judgement, VerifyContext } from '../verification.ts'

const trees = 10_000
/** What a damaged tree may take; reading whole Linux takes less. */
const secondsAllowed = 20

const dialects: readonly Dialect[] = [
  linux61,
  linux612,
  { ...linux61, name: '4.20', optionLines: true, wideWords: true, dependencies: 'direct, imply to y' },
  {
    ...linux61,
    name: '2.6.16',
    wideWords: true,
    dependencies: 'none',
    answers: 'in turn',
    layout: 'all symbols',
  },
]

export async function verifyHostile({ progress }: VerifyContext): Promise<Judgement> {
  const srctree = await linuxSource('6.1')
  const corpus = readdirSync(srctree, { recursive: true, encoding: 'utf8' })
    .filter((name) => /(?:^|\/)Kconfig[^/]*$/.test(name))
    .sort()
    .map((name) => [name, readFileSync(join(srctree, name), 'latin1')] as const)
  let failures = 0
  let slowest = 0
  const rows = dialects.map((dialect) => {
    let wrong = 0
    for (let seed = 1; seed <= trees; seed++) {
      const begun = performance.now()
      const problem = problemOf(() => survives(mutatedTree(corpus, seed), dialect, seed))
      const seconds = (performance.now() - begun) / 1000
      slowest = Math.max(slowest, seconds)
      const said = problem ?? (seconds > secondsAllowed ? `took ${seconds.toFixed(0)} s` : undefined)
      if (said === undefined) continue
      wrong++
      if (wrong <= 5) progress(`seed ${seed}, ${dialect.name}: ${said}`)
    }
    failures += wrong
    return [dialect.name, trees, wrong] as const
  })
  return {
    columns: ['dialect', 'damaged trees', 'exception, hang, or no place in the diagnostic'],
    rows,
    notes: [
      `Made of the ${corpus.length} Kconfig files of Linux 6.1. What could be read was configured in six ways and written. The slowest took ${slowest.toFixed(1)} s.`,
    ],
    failures,
  }
}

function problemOf(run: () => string | undefined): string | undefined {
  try {
    return run()
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
}
