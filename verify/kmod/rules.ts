import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { openKmodFolder } from '../../src/kmod/index.ts'
import { startMachine } from '../../src/machine/index.ts'
import { cacheFolder } from '../../test/cache.ts'
import type { Judgement, VerifyContext } from '../verification.ts'
import { modulesFolder } from './kernels.ts'
import { type PlannedRuleset, planRuleset, probeRuleset, rulesSystem } from './rules-guest.ts'
import { rulesets } from './rulesets.ts'

const program = fileURLToPath(new URL('../../dist/bin/main.js', import.meta.url))

/** All rulesets, one after the other, in one guest of arm64. */
export async function verifyRules({ folder, progress }: VerifyContext): Promise<Judgement> {
  const modules = await modulesFolder({
    release: 'bookworm',
    architecture: 'arm64',
    package: 'linux-image-arm64',
  })
  const source = openKmodFolder(modules)
  if (!source.ok) throw new Error(source.error.message)
  const planned: PlannedRuleset[] = []
  for (const ruleset of rulesets()) planned.push(await planRuleset(source.value, ruleset))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'system.ts'), rulesSystem(planned, 'qemuAarch64'))
  await execa('node', [program, 'build', 'system.ts', 'vm', '--cache', cacheFolder], { cwd: folder })
  const machine = startMachine({ folder: join(folder, 'build/vm') })
  const rows: (readonly (string | number)[])[] = []
  let failures = 0
  try {
    await machine.console.expect(/firmwright: up in [\d.]+ s\n/, 600_000)
    await machine.console.expect(/:\/?[^\n]*[#$] $/, 60_000)
    const stopped = await machine.run('rc-service all stop', 600_000)
    if (stopped.status !== 0) throw new Error(stopped.output)
    for (const [index, ruleset] of planned.entries()) {
      const { modules, needed, later, wrong } = await probeRuleset(machine, ruleset, index)
      for (const line of wrong) progress(`${ruleset.name}: ${line}`)
      failures += wrong.length
      const lines = ruleset.text.split('\n').length - 1
      rows.push([ruleset.name, lines, modules, needed.length, later.join(', '), wrong.length])
    }
  } finally {
    machine.kill()
    await machine.off
  }
  return {
    columns: ['ruleset', 'lines', 'modules', 'does not load without', 'loads without', 'not as promised'],
    rows,
    notes: [
      'Loaded with `nft -f` in QEMU, with exactly the modules of its plan and nothing that loads more; then again without each of them. What a ruleset loads without is wanted when packets come, or by a softdep.',
    ],
    failures,
  }
}
