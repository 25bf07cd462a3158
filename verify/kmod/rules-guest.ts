/**
 * Rulesets in a guest that has exactly the modules worked out for each and nothing that loads more: every ruleset must
 * load with all of them, and with any one of them missing (and what cannot be loaded without it) it must not; or it must
 * be known why not.
 */
import { needsOfRuleset } from '../../src/features/nftables/needs.ts'
import { type KmodSource, type LoadPlan, lookUp, planLoad, reasonChain } from '../../src/kmod/index.ts'
import type { Machine } from '../../src/machine/index.ts'
import type { Ruleset } from './rulesets.ts'

export interface PlannedRuleset extends Ruleset {
  readonly plan: LoadPlan
  /** A line for each module: itself, and what in the plan cannot be loaded without it, in the order of loading. */
  readonly groups: string
  /** Names of modules that nothing asks for while a ruleset is loaded, only when packets come; and why. */
  readonly later: ReadonlyMap<string, string>
}

/** The modules of a ruleset as the feature `firewall` asks for them. */
export async function planRuleset(source: KmodSource, ruleset: Ruleset): Promise<PlannedRuleset> {
  const needs = needsOfRuleset(ruleset.text)
  if (!needs.ok) throw new Error(`${ruleset.name}, line ${needs.line}: ${needs.message}`)
  const targets = new Map<string, string>()
  for (const { what, anyOf, optional } of needs.kmods) {
    const known = await firstKnown(source, anyOf)
    if (known !== undefined) targets.set(known, what)
    else if (optional !== true) throw new Error(`${ruleset.name}: nothing for ${what}`)
  }
  const planned = await planLoad(source, [...targets.keys()])
  if (!planned.ok) throw new Error(`${ruleset.name}: ${planned.error.message}`)
  const plan = planned.value
  const later = new Map<string, string>()
  for (const { name } of plan.steps) {
    const chain = reasonChain(plan, name)
    const root = chain.find(({ type }) => type === 'target')
    const what = root?.type === 'target' ? (targets.get(root.target) ?? '') : ''
    if (chain.some(({ type }) => type === 'softdep')) later.set(name, 'softdep')
    else if (/^(queues|address translation)/.test(what)) later.set(name, what)
  }
  return { ...ruleset, plan, groups: await groupsOf(source, plan), later }
}

async function firstKnown(source: KmodSource, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const found = await lookUp(source, name)
    if (!found.ok) throw new Error(found.error.message)
    if (found.value.length > 0) return name
  }
  return undefined
}

/**
 * `probe NUMBER`: loads all modules of a ruleset, the first names of the lines of its list, and says whether the ruleset
 * loads; then the same once for each line, without the modules of that line.
 */
const probeScript = `#!/bin/sh
rules=/etc/rules/$1.nft list=/etc/rules/$1.list
ko=/run/ko
if [ ! -d $ko ]; then
	mkdir $ko
	for file in $(find /lib/modules/ -name '*.ko'); do
		name=\${file##*/}
		ln -s "$file" "$ko/\${name//-/_}"
	done
fi
# What a ruleset took is given back some time after it is gone.
unload() {
	local tries=0
	while [ -d "/sys/module/$1" ] && ! rmmod "$1" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 50 ] || { echo "stuck $1"; return; }
		sleep 0.1
	done
}
try() {
	if nft -f $rules 2>/run/why; then echo "loads $1"; else echo "fails $1"; fi
	nft flush ruleset 2>/dev/null
}
loaded=
while read -r name others; do
	[ ! -d "/sys/module/$name" ] || echo "stuck $name"
	insmod $ko/$name.ko 2>/dev/null && loaded="$name $loaded"
done <$list
try -
cat /run/why
echo ---
while read -r names; do
	reversed=
	for name in $names; do reversed="$name $reversed"; done
	for name in $reversed; do unload $name; done
	try \${names%% *}
	for name in $names; do insmod $ko/$name.ko 2>/dev/null; done
done <$list
for name in $loaded; do unload $name; done
`

/** A system file whose root has all of it. */
export function rulesSystem(rulesets: readonly PlannedRuleset[], device: string): string {
  const files = rulesets.flatMap(({ text, groups }, index) => [
    [`/etc/rules/${index}.nft`, text],
    [`/etc/rules/${index}.list`, groups],
  ])
  const names = new Set(rulesets.flatMap(({ plan }) => plan.steps.map(({ name }) => name)))
  return `import { defineSystem } from 'firmwright'
import { consoleLogin } from 'firmwright/features'
import { ${device} } from 'firmwright/devices'

export default defineSystem({
  device: ${device},
  hostname: 'rules',
  setup(system) {
    system.packages.file('nftables', '/usr/sbin/nft')
    for (const [path, text] of ${JSON.stringify(files)}) system.files.text(path, text)
    system.files.text('/usr/bin/probe', ${JSON.stringify(probeScript)}, { mode: 0o755 })
    system.kernel.load('all', ${JSON.stringify([...names].sort())})
    system.applets('cat', 'find', 'insmod', 'ln', 'mkdir', 'rmmod', 'sleep', 'uname')
    consoleLogin(system, { login: { type: 'open' } })
  },
})
`
}

async function groupsOf(source: KmodSource, { steps }: LoadPlan): Promise<string> {
  const needers = new Map<string, string[]>(steps.map(({ name }) => [name, []]))
  for (const { name } of steps) {
    const kmod = await source.load(name)
    if (!kmod.ok) throw new Error(kmod.error.message)
    for (const other of kmod.value.depends) needers.get(other)?.push(name)
  }
  const order = steps.map(({ name }) => name)
  return order
    .map((name) => {
      const group = new Set([name])
      for (const member of group) for (const other of needers.get(member) ?? []) group.add(other)
      return `${order.filter((one) => group.has(one)).join(' ')}\n`
    })
    .join('')
}

export interface ProbedRuleset {
  readonly modules: number
  /** Modules without which the ruleset does not load. */
  readonly needed: readonly string[]
  /** Modules without which it loads, each with why it ships all the same. */
  readonly later: readonly string[]
  /** What is not as promised. */
  readonly wrong: readonly string[]
}

export async function probeRuleset(
  machine: Machine,
  ruleset: PlannedRuleset,
  index: number,
): Promise<ProbedRuleset> {
  const { output } = await machine.run(`probe ${index}`, 1_800_000)
  const [whole = '', each = ''] = output.split('---')
  const wrong = [...output.matchAll(/^stuck .*$/gm)].map(([line]) => line)
  if (!whole.includes('loads -')) wrong.push(`does not load: ${whole.trim()}`)
  const needed: string[] = []
  const later: string[] = []
  for (const { name } of ruleset.plan.steps) {
    const reason = ruleset.later.get(name)
    if (new RegExp(`^fails ${name}$`, 'm').test(each)) needed.push(name)
    else if (!new RegExp(`^loads ${name}$`, 'm').test(each)) wrong.push(`${name} was not tried`)
    else if (reason === undefined) wrong.push(`loads without ${name}`)
    else later.push(`${name} (${reason})`)
  }
  return { modules: ruleset.plan.steps.length, needed, later, wrong }
}
