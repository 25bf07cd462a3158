import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Machine, startMachine } from '../../src/machine/index.ts'
import { buildVm, devices, loadedModules, output, untilUp } from '../../test/boot/guest.ts'
import type { RulesetPlan } from './rulesets.ts'

/**
 * A guest that loads rulesets with the modules that were worked out, and without each of them. It has every module and
 * ruleset on a second disk; nothing in it loads a module by itself.
 */

const systemFile = `import { defineSystem } from 'firmwright'
import { consoleLogin } from 'firmwright/features'
import { device } from './parameters.ts'

export default defineSystem({
  device,
  hostname: 'rules',
  setup(system) {
    system.packages.file('nftables', '/usr/sbin/nft')
    system.packages.file('nftables', '/usr/share/doc/nftables/examples/pf.os')
    system.packages.file('netbase', '/etc/protocols')
    system.packages.file('netbase', '/etc/services')
    system.applets('awk', 'insmod', 'lsmod', 'mkdir', 'mount', 'rmmod', 'uname', 'usleep')
    consoleLogin(system, { login: { type: 'open' } })
  },
})
`

/**
 * `probe NAME`: loads all modules of a plan, and the ruleset; then, for each module, the same without it and those that
 * use its symbols. A module that something holds which is no user of its symbols (an algorithm) cannot go alone: then
 * all are unloaded, and the others loaded afresh. Prints `all RESULT` and `without MODULE RESULT`, where a result is
 * `loads`, `fails: WORDS OF NFT` or `refused: MODULE`, and `stuck MODULES` for what could not be unloaded.
 */
const probe = `#!/bin/sh
data=/run/data name=$1 newline='
'
now() {
	now=' '
	while read -r module rest; do now="$now$module "; done </proc/modules
}
# load OMITTED: what of the plan is not there.
load() {
	now
	refused=
	while read -r module optional; do
		case "$1$now" in *" $module "*) continue ;; esac
		insmod $data/modules/$module.ko 2>/dev/null || [ $optional = optional ] || refused="$refused $module"
	done <$data/plans/$name
}
# unload MODULES: in that order; 1 if one stays. What rules held is let go of a little later.
unload() {
	now
	for module in $1; do
		case $now in *" $module "*) ;; *) continue ;; esac
		tries=0
		until rmmod $module 2>/dev/null; do
			tries=$((tries + 1))
			[ $tries -lt $2 ] || return 1
			usleep 20000
		done
	done
}
rules() {
	if [ -n "$refused" ]; then
		result="refused:$refused"
		return
	fi
	# What fails changes nothing: a ruleset is one transaction.
	if said=$(nft -f $data/rules/$name.nft 2>&1); then
		result=loads
		nft flush ruleset
		return
	fi
	said=\${said#*Error: }
	result="fails: \${said%%$newline*}"
}
reversed=
while read -r module optional; do reversed="$module $reversed"; done <$data/plans/$name
load ' '
rules
echo "all $result"
while read -r without users; do
	set=" $without $users "
	backwards=
	for module in $set; do backwards="$module $backwards"; done
	if ! unload "$backwards" 5; then
		unload "$reversed" 100 || echo "stuck $module"
		load "$set"
	fi
	refused=
	# What nothing uses by symbols may still be what something else looks for while it is loaded.
	now
	case $now in *" $without "*) echo "stuck $without" ;; esac
	rules
	echo "without $without $result"
	load ' '
done <$data/users/$name
rules
echo "again $result"
unload "$reversed" 100 || echo "stuck $module"
`

export interface Probe {
  readonly whole: string
  readonly without: ReadonlyMap<string, string>
  /** The whole plan once more, after all that. */
  readonly again: string
  readonly stuck: readonly string[]
}

export interface RulesGuest {
  readonly version: string
  readonly atBoot: ReadonlySet<string>
  probe(name: string): Promise<Probe>
  kill(): Promise<void>
}

export async function startRulesGuest(
  folder: string,
  modulesFolder: string,
  plans: readonly RulesetPlan[],
): Promise<RulesGuest> {
  const [device] = devices
  const built = await buildVm(join(folder, 'system'), device, systemFile)
  const machine = startMachine({
    folder: built.folder,
    arguments: rulesDisk(folder, modulesFolder, plans),
  })
  const kill = async (): Promise<void> => {
    machine.kill()
    await machine.off
  }
  try {
    await untilUp(machine, 'the guest for rulesets')
    const version = await output(machine, 'uname -r')
    await mountRules(machine)
    const atBoot = new Set(await loadedModules(machine))
    return { version, atBoot, probe: (name) => runProbe(machine, name), kill }
  } catch (error) {
    await kill()
    throw error
  }
}

/** In a guest that was started with {@link rulesDisk}. */
export async function mountRules(machine: Machine): Promise<void> {
  // `socket cgroupv2` names a group that has to be there.
  const commands = [
    '! ls /sbin/modprobe 2>/dev/null',
    'mkdir -p /run/data /run/cgroup',
    'mount -t squashfs /dev/vdb /run/data',
    'mount -t cgroup2 none /sys/fs/cgroup',
    'mkdir -p /sys/fs/cgroup/user.slice',
  ]
  await output(machine, commands.join(' && '))
}

export async function runProbe(machine: Machine, name: string): Promise<Probe> {
  const said = await output(machine, `sh /run/data/probe ${name}`, 1_800_000)
  const lines = said.split('\n').map((line) => line.trim())
  const after = (word: string): readonly string[] =>
    lines.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []))
  const without = after('without').map((line): readonly [string, string] => {
    const [module = ''] = line.split(' ', 1)
    return [module, line.slice(module.length + 1)]
  })
  const [whole = 'said nothing'] = after('all')
  const [again = 'said nothing'] = after('again')
  return { whole, again, without: new Map(without), stuck: after('stuck') }
}

/** Arguments for QEMU: a second disk with rulesets, modules and the probe. */
export function rulesDisk(
  folder: string,
  modulesFolder: string,
  plans: readonly RulesetPlan[],
): readonly string[] {
  const data = join(folder, 'data')
  for (const name of ['modules', 'plans', 'rules', 'users']) mkdirSync(join(data, name), { recursive: true })
  writeFileSync(join(data, 'probe'), probe)
  for (const { name, text, steps, withUsers } of plans) {
    const lines = steps.map((step) => `${step.name} ${step.required ? 'required' : 'optional'}\n`)
    writeFileSync(join(data, 'plans', name), lines.join(''))
    const users = [...withUsers.values()].reverse().map((modules) => `${modules.join(' ')}\n`)
    writeFileSync(join(data, 'users', name), users.join(''))
    writeFileSync(join(data, 'rules', `${name}.nft`), text)
    for (const step of steps) {
      const place = join(data, 'modules', `${step.name}.ko`)
      if (!existsSync(place)) copyFileSync(join(modulesFolder, step.path), place)
    }
  }
  const disk = join(folder, 'data.squashfs')
  execFileSync('mksquashfs', [data, disk, '-quiet', '-no-progress', '-comp', 'lzo'])
  return [
    '-drive',
    `if=none,id=data,format=raw,readonly=on,file=${disk}`,
    '-device',
    // Behind the root in the order of the bus, which is that of their names.
    'virtio-blk-pci,drive=data,addr=0x10',
  ]
}
