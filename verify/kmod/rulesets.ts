import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { needsOfRuleset } from '../../src/features/nftables/needs.ts'
import type { KmodSource, LoadStep } from '../../src/kmod/index.ts'
import { planTargets } from '../../src/system/load-plans.ts'

const folder = fileURLToPath(new URL('rules', import.meta.url))

export interface Ruleset {
  readonly name: string
  readonly text: string
}

/** The rulesets of `rules/`. */
export function readRulesets(): readonly Ruleset[] {
  const files = readdirSync(folder).sort()
  return files.map((file) => ({
    name: basename(file, '.nft'),
    text: readFileSync(join(folder, file), 'utf8'),
  }))
}

/** The modules of one ruleset, as the firewall feature works them out. */
export interface RulesetPlan extends Ruleset {
  readonly steps: readonly LoadStep[]
  /** Modules that the plan has for packets that meet the rules; the kernel should load the ruleset without. */
  readonly forPackets: ReadonlySet<string>
  /** Each module of the plan with those that use its symbols, directly or not, in the order of loading. */
  readonly withUsers: ReadonlyMap<string, readonly string[]>
}

export async function planRuleset(source: KmodSource, { name, text }: Ruleset): Promise<RulesetPlan> {
  const needs = needsOfRuleset(text)
  if (!needs.ok) throw new Error(`${name}: ${needs.message}`)
  const plan = await planTargets(source, [...needs.kmods, ...needs.forPackets])
  const toLoad = await planTargets(source, needs.kmods)
  if (!plan.ok || !toLoad.ok) throw new Error(`${name}: ${JSON.stringify(plan)}`)
  const { steps } = plan.value
  const loading = new Set(toLoad.value.steps.map((step) => step.name))
  const forPackets = new Set(steps.flatMap((step) => (loading.has(step.name) ? [] : [step.name])))
  const users = new Map<string, string[]>()
  for (const step of steps) users.set(step.name, [step.name])
  for (const step of steps) {
    const kmod = await source.load(step.name)
    if (!kmod.ok) throw new Error(kmod.error.message)
    // In the order of loading, what a module depends on has been seen, and who uses that uses all below it.
    for (const [below, above] of users) {
      if (below !== step.name && kmod.value.depends.some((other) => above.includes(other)))
        above.push(step.name)
    }
  }
  return { name, text, steps, forPackets, withUsers: users }
}
