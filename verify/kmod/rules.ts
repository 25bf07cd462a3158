import { join } from 'node:path'
import { openKmodFolder } from '../../src/kmod/index.ts'
import { type MaterialPackage, unpackedPackage } from '../../test/material.ts'
import type { Judgement, VerifyContext } from '../verification.ts'
import { modulesFolder } from './kernels.ts'
import { notWritten, readManual, unused } from './nft-manual.ts'
import { type Probe, startRulesGuest } from './rules-guest.ts'
import { planRuleset, type RulesetPlan, readRulesets } from './rulesets.ts'

const kernel: MaterialPackage = { release: 'bookworm', architecture: 'arm64', package: 'linux-image-arm64' }

/** Rulesets in a guest with exactly the modules that were worked out for them, and with each of these taken away. */
export async function verifyRules({ folder, progress }: VerifyContext): Promise<Judgement> {
  const rulesets = readRulesets()
  const nftables = await unpackedPackage({ ...kernel, package: 'nftables' })
  const manual = readManual(join(nftables, 'usr/share/man/man8/nft.8.gz'))
  const words = manual.reduce((sum, section) => sum + Math.max(section.words.length, 1), 0)
  const notUsed = unused(
    manual,
    rulesets.map(({ text }) => text),
  )
  const missing = notUsed.filter((word) => notWritten[word] === undefined)
  for (const word of missing) progress(`no ruleset has ${word}`)

  const modules = await modulesFolder(kernel)
  const source = openKmodFolder(modules)
  if (!source.ok) throw new Error(source.error.message)
  const plans: RulesetPlan[] = []
  for (const ruleset of rulesets) plans.push(await planRuleset(source.value, ruleset))

  const guest = await startRulesGuest(folder, modules, plans)
  const counts = newCounts()
  const wrong: string[] = [...missing.map((word) => `no ruleset has ${word}`)]
  try {
    if (!modules.endsWith(`/${guest.version}`)) throw new Error(`${modules} is not of ${guest.version}`)
    for (const plan of plans) {
      const there = plan.steps.filter(({ name }) => guest.atBoot.has(name)).map(({ name }) => name)
      const found = judge(plan, await guest.probe(plan.name), counts)
      wrong.push(...there.map((name) => `${plan.name}: ${name} is there anyway`), ...found)
      for (const line of found) progress(line)
      progress(`${plan.name}: ${plan.steps.length} modules`)
    }
  } finally {
    await guest.kill()
  }
  return {
    columns: [
      'rulesets',
      'lines',
      'words of nft(8) in them',
      'modules taken away',
      'the ruleset fails',
      'only a softdep names it',
      'for packets, not for loading',
      'wrong',
    ],
    rows: [
      [
        plans.length,
        rulesets.reduce((sum, { text }) => sum + text.split('\n').length - 1, 0),
        `${words - notUsed.length} of ${words}`,
        counts.modules,
        counts.fails,
        counts.softdeps,
        counts.packets,
        wrong.length,
      ],
    ],
    notes: [
      `Linux ${guest.version} in QEMU, nothing in the guest loads a module by itself. Every ruleset is loaded with the modules of its plan, again without each module of it (and without those that use its symbols), and once more with all. A module without which it loads must be one that only softdeps name, or one that the plan has for the packets: whoever listens to a queue, address translation for a helper. Everything else without which a ruleset loads is wrong, and so is what is still loaded afterwards.`,
      `Words: of the synopses and tables of keywords in the chapters about expressions and statements, each in a line about its section. Left out: ${Object.entries(
        notWritten,
      )
        .map(([word, why]) => `${word} (${why})`)
        .join(', ')}.`,
    ],
    failures: wrong.length,
  }
}

export interface Counts {
  modules: number
  fails: number
  softdeps: number
  packets: number
}

export function newCounts(): Counts {
  return { modules: 0, fails: 0, softdeps: 0, packets: 0 }
}

/** What is wrong with what a ruleset's modules did; adds to `counts`. */
export function judge(plan: RulesetPlan, probe: Probe, counts: Counts): readonly string[] {
  const { name } = plan
  const wrong = probe.stuck.map((module) => `${name}: ${module} stays loaded`)
  if (probe.whole !== 'loads') wrong.push(`${name} with its plan: ${probe.whole}`)
  if (probe.again !== 'loads') wrong.push(`${name} with its plan, again: ${probe.again}`)
  for (const step of plan.steps) {
    counts.modules++
    const result = probe.without.get(step.name) ?? 'was not tried'
    if (/^(?:fails|refused):/.test(result)) counts.fails++
    else if (result !== 'loads') wrong.push(`${name} without ${step.name}: ${result}`)
    else if (!step.required) counts.softdeps++
    else if (plan.forPackets.has(step.name)) counts.packets++
    else wrong.push(`${name} loads without ${step.name}`)
  }
  return wrong
}
