import type { Machine } from '../../src/machine/index.ts'
import { loadedModules, output } from './guest.ts'
import { type Action, createModel, type Damage, type Facts, type PlannedModule } from './kmod-model.ts'

/** Random starts and stops of the services of `systems/kmods.ts`, each step held against the model. */

export const services = ['masquerade', 'routes', 'logging', 'btrfs', 'xfs', 'tunnel'] as const

export const stepsOfSequence = 5

/** Of systems/kmods.ts: loaded once, it stays. */
export const withoutExit = 'vrf'

const byHand = ['zstd_compress', 'raid6_pq']

export const rc = (machine: Machine, service: string, verb: 'start' | 'stop') =>
  machine.run(`rc-service ${service} ${verb}`)

export interface Walk {
  readonly steps: number
  /** Starts that had to fail, by what was done to the module. */
  readonly failures: ReadonlyMap<Damage, number>
  /** What was otherwise than the model says; empty where nothing was. */
  readonly differences: readonly string[]
}

/** What has to be said of a module whose file was damaged: the module, and the kernel's own words. */
const complaints: Readonly<Record<Damage, RegExp>> = {
  removed: /No such file/,
  vermagic: /the kernel says: .*version magic/,
  // The kernel's line about it comes once in ten seconds at most (mm/page_alloc.c, `warn_alloc`).
  memory: /(?:out of|Cannot allocate) memory/,
  cut: /does not load: \S.*(?:invalid module format|Exec format error|Invalid argument)/i,
}

export async function walkSequences(
  machine: Machine,
  sequences: number,
  random: (below: number) => number,
  progress: (sequence: number) => void = () => {},
): Promise<Walk> {
  // What the kernel has to say of damaged modules would come between the lines of the walk.
  await output(machine, 'echo 1 >/proc/sys/kernel/printk')
  const usable = new Set(await loadedModules(machine))
  // The root is read-only, and files are to be damaged.
  const folder = `/lib/modules/${await output(machine, 'uname -r')}`
  await output(machine, `cp -a ${folder} /run/modules && mount --bind /run/modules ${folder}`)
  const facts = await factsOf(machine, usable)
  for (const service of services) await rc(machine, service, 'stop')
  const model = createModel(facts, await loadedModules(machine))
  const list = [...new Set(Object.values(facts.plans).flatMap((plan) => plan.map(({ name }) => name)))]
  const failures = new Map<Damage, number>()
  const differences: string[] = []
  for (let sequence = 0; sequence < sequences && differences.length === 0; sequence++) {
    const actions: Action[] = []
    const expected: string[] = []
    for (let step = 0; step < stepsOfSequence; step++) {
      const possible = model.possible(random)
      const action = possible[random(possible.length)]
      if (action === undefined) throw new Error('nothing can be done')
      model.apply(action)
      actions.push(action)
      expected.push(list.filter((name) => model.loaded.has(name)).join(' '))
      if (action[0] === 'fail') failures.set(action[2], (failures.get(action[2]) ?? 0) + 1)
    }
    const said = await output(machine, `walk "${list.join(' ')}" ${actions.flat().join(' ')}`, 600_000)
    for (const [step, action] of actions.entries()) {
      const [status = '', bits = '', ...words] = (said.split('\n')[step] ?? '').split(' ')
      const loaded = list.filter((_, index) => bits[index] === '1').join(' ')
      const where = `sequence ${sequence}: ${actions
        .slice(0, step + 1)
        .map((each) => each.join(' '))
        .join(', ')}`
      if (loaded !== expected[step]) differences.push(`${where}: loaded ${loaded}, not ${expected[step]}`)
      if ((status !== '0') !== (action[0] === 'fail')) differences.push(`${where}: status ${status}`)
      if (action[0] === 'fail') {
        const name = nameAt(facts, action[3])
        const text = words.join(' ')
        if (!text.includes(`kernel module ${name} does not load`) || !complaints[action[2]].test(text)) {
          differences.push(`${where}: said ${text}`)
        }
      }
    }
    progress(sequence)
  }
  await machine.run('kill $(cat /run/holder)')
  for (const service of services) await rc(machine, service, 'stop')
  return { steps: sequences * stepsOfSequence, failures, differences }
}

function nameAt(facts: Facts, path: string): string | undefined {
  return Object.values(facts.plans)
    .flat()
    .find((module) => module.path === path)?.name
}

async function factsOf(machine: Machine, usable: ReadonlySet<string>): Promise<Facts> {
  for (const service of services) await rc(machine, service, 'start')
  const users = (await output(machine, 'cat /proc/modules')).split('\n').map((line) => {
    const [name = '', , , by = '-'] = line.split(' ')
    return [name, by.split(',').filter((user) => user !== '' && user !== '-')] as const
  })
  const plans: Record<string, readonly PlannedModule[]> = {}
  for (const service of services) {
    const script = await output(machine, `cat /etc/init.d/${service}`)
    const steps = [...script.matchAll(/"\$@" '?(\w+)([?!]*)'? (\S+\.ko)/g)]
    plans[service] = steps.flatMap(([, name = '', marks = '', path = '']) =>
      usable.has(name) ? [{ name, path, required: !marks.includes('?') }] : [],
    )
  }
  const all = Object.values(plans).flat()
  const pathOf = (name: string): string => all.find((module) => module.name === name)?.path ?? ''
  return {
    plans,
    users: new Map(users),
    byHand: Object.fromEntries(byHand.map((name) => [name, pathOf(name)])),
    held: 'tun',
    forever: new Set([withoutExit]),
  }
}
