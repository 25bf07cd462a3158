/** Debian's configurations moved from one kernel to the other, both ways: what `olddefconfig --report` says of each. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openTree } from '../../src/kconfig/index.ts'
import { confTree } from '../../test/conf.ts'
import { createJudge } from '../../test/judge.ts'
import { misreported } from '../../test/migration-judge.ts'
import type { Judgement, VerifyContext } from '../verification.ts'
import { debianConfigs } from './linux-trees.ts'

const moves = [
  { from: 'linux-6.1', to: 'linux-6.12' },
  { from: 'linux-6.12', to: 'linux-6.1' },
] as const

export async function verifyMigration({ folder, progress }: VerifyContext): Promise<Judgement> {
  const rows: (readonly (string | number)[])[] = []
  const notes = [
    "`gone`: no file of the tree defines it. `lost`, `changed`: by the text that the tree's own conf writes. `new`: in that text and not in the old one; which of them can be set: as its `--listnewconfig` says.",
  ]
  let failures = 0
  for (const { from, to } of moves) {
    const { srctree, conf } = await confTree(to)
    const { configs, notes: lacking } = await debianConfigs(from)
    notes.push(...lacking)
    for (const arch of new Set(configs.map((config) => config.arch))) {
      const place = join(folder, `${to}-${arch}`)
      mkdirSync(place, { recursive: true })
      const opened = await openTree({ srctree, arch, folder: place })
      if (!opened.ok) throw new Error(opened.error.message)
      const judge = createJudge({ conf, folder: place, environment: opened.environment })
      let wrong = 0
      const own = configs.filter((config) => config.arch === arch)
      for (const { name, text } of own) {
        const found = misreported(opened.value, srctree, judge, text)
        for (const line of found.slice(0, 10)) progress(`${name}: ${line}`)
        wrong += found.length
      }
      rows.push([`${from} to ${to}, ${arch}`, own.length, wrong])
      failures += wrong
      progress(`${from} to ${to}, ${arch}: ${own.length} configurations, ${wrong} wrong`)
    }
  }
  return { columns: ['move', 'configurations', 'wrong lines'], rows, notes, failures }
}
