/** A share of `npm run verify kconfig-resolve kconfig-explain`: real trees, judged by their own Kconfig code. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createRandom, createResolver } from '../src/kconfig/index.ts'
import { explainDropped } from '../verify/kconfig/resolve/explain-judge.ts'
import { judge, newTally, superfluous } from '../verify/kconfig/resolve/judge.ts'
import { openSubject } from '../verify/kconfig/resolve/subject.ts'
import { linuxSource } from './material.ts'

const folder = mkdtempSync(join(tmpdir(), 'kconfig-resolve-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SEED = 20_261_124

for (const [version, architecture] of [
  ['6.1', 'mips'],
  ['6.12', 'arm64'],
] as const)
  describe(`Linux ${version} for ${architecture}, from tinyconfig`, async () => {
    const subject = await openSubject({
      srctree: await linuxSource(version),
      architecture,
      folder: join(folder, version),
      configs: new Map(),
      defconfigs: false,
      randconfigs: 4,
    })
    afterAll(() => subject.driver.close())
    const resolver = createResolver(subject.base)
    const { tristates } = subject

    it('resolve grants m where there is a way, refuses with steps that are true, and leaves nothing undecided', async () => {
      const random = createRandom(SEED)
      const tally = newTally()
      for (let drawn = 0; drawn < 60; drawn++) {
        const requests = [{ name: tristates[random() % tristates.length]?.name ?? '', value: 'm' }]
        const answer = await judge(subject, resolver, requests, tally)
        if (!answer.ok || drawn % 6 !== 0) continue
        expect(await superfluous(subject, answer.value.assignments, requests)).toEqual([])
      }
      expect(tally.failures).toEqual([])
      expect(tally).toMatchObject({ undecided: 0, fewest: tally.granted })
      expect(tally.granted).toBeGreaterThan(20)
      expect(tally.refused).toBeGreaterThan(3)
    })

    it('resolve decides pairs of requests', async () => {
      const random = createRandom(SEED)
      const draw = () => tristates[random() % tristates.length]?.name ?? ''
      const value = () => (random() % 2 === 0 ? 'm' : 'y')
      const tally = newTally()
      for (let drawn = 0; drawn < 15; drawn++) {
        const [first, second] = [draw(), draw()]
        if (first === second) continue
        await judge(
          subject,
          resolver,
          [
            { name: first, value: value() },
            { name: second, value: value() },
          ],
          tally,
        )
      }
      expect(tally.failures).toEqual([])
    })

    it('explain names all that keeps a dropped value away, and nothing else', async () => {
      const tally = await explainDropped(subject, 15, createRandom(SEED))
      expect(tally.failures).toEqual([])
      expect(tally.attained).toBeGreaterThan(5)
      expect(tally.needed).toBeGreaterThan(5)
    })
  })
