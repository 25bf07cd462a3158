import { beforeAll, describe, expect, it } from 'vitest'
import { openKmodFolder } from '../../src/kmod/index.ts'
import type { Machine } from '../../src/machine/index.ts'
import { modulesFolder } from '../../verify/kmod/kernels.ts'
import { judge, newCounts } from '../../verify/kmod/rules.ts'
import { mountRules, rulesDisk, runProbe } from '../../verify/kmod/rules-guest.ts'
import { planRuleset, type RulesetPlan, readRulesets } from '../../verify/kmod/rulesets.ts'
import { seededRandom } from '../seeded-random.ts'
import { type BuiltSystem, devices, loadedModules, moduleNames, output } from './guest.ts'
import { setUpRig } from './rig.ts'

/** Of verify/kmod/rules: as many as a test has time for; `npm run verify kmod-rules` tries all. */
const fewRulesets = 2

const rig = setUpRig()
let built: BuiltSystem
let machine: Machine
const plans: RulesetPlan[] = []
beforeAll(async () => {
  const modules = await modulesFolder({
    release: 'bookworm',
    architecture: 'arm64',
    package: 'linux-image-arm64',
  })
  const source = openKmodFolder(modules)
  if (!source.ok) throw new Error(source.error.message)
  const rulesets = [...readRulesets()]
  const random = seededRandom(20_261_127)
  while (plans.length < fewRulesets) {
    const [ruleset] = rulesets.splice(random(rulesets.length), 1)
    if (ruleset !== undefined) plans.push(await planRuleset(source.value, ruleset))
  }
  built = await rig.build('rules', devices[0])
  machine = await rig.boot({
    folder: built.folder,
    arguments: rulesDisk(rig.folder(), modules, plans),
  })
})

describe('the modules of a firewall with rules of its own', () => {
  it('are enough for every expression, with nothing that loads others', async () => {
    // There is no modprobe: what is not loaded is not there.
    expect((await machine.run('command -v modprobe || ls /sbin/modprobe')).status).not.toBe(0)
    expect(await output(machine, 'rc-service firewall status')).toContain('started')
    const ruleset = await output(machine, 'nft list ruleset')
    for (const word of [
      'flow add @fast',
      'synproxy name "shield"',
      'tproxy',
      'osf name',
      'ipsec in reqid 1',
    ]) {
      expect(ruleset).toContain(word)
    }
    for (const family of ['inet', 'ip', 'ip6', 'arp', 'bridge', 'netdev']) {
      expect(ruleset).toContain(`table ${family} `)
    }
  })

  it('are all that is loaded', async () => {
    const planned = moduleNames(...Object.values(built.manifest.loadPlans))
    expect(planned).toEqual(expect.arrayContaining(await loadedModules(machine)))
  })

  it('go with the firewall', async () => {
    await output(machine, 'rc-service firewall stop')
    expect(await loadedModules(machine)).not.toContain('nf_tables')
    await output(machine, 'rc-service firewall start')
  })
})

/** Modules of the service `requests` that no other needs for its symbols, and which requests need them. */
const requestsOf: Readonly<Record<string, readonly string[]>> = {
  sch_cake: ['cake'],
  sch_ingress: ['clsact', 'flower'],
  cls_flower: ['flower'],
  act_mirred: ['mirred'],
  tcp_bbr: ['bbr'],
  ifb: ['ifb'],
  vxlan: ['vxlan'],
  wireguard: ['wireguard'],
  vcan: ['vcan', 'can'],
  can_raw: ['can'],
  algif_hash: ['hash'],
  rmd160: ['hash'],
  algif_skcipher: ['cipher'],
  ecb: ['cipher'],
  camellia_generic: ['cipher'],
  crypto_user: ['hash', 'cipher'],
  xfrm_user: ['xfrm'],
  l2tp_netlink: ['l2tp'],
}

describe('the modules of what programs have the kernel ask for', () => {
  const failing = async (...requests: readonly string[]): Promise<readonly string[]> =>
    (await output(machine, `sh /usr/lib/requests ${requests.join(' ')}`))
      .split('\n')
      .filter((line) => line !== '')

  it('are enough for every request, and gone with their service none succeeds', async () => {
    // What the kernel has to say would come between the lines.
    await output(machine, 'echo 1 >/proc/sys/kernel/printk')
    expect(await failing()).toEqual([])
    await output(machine, 'rc-service requests stop')
    expect(new Set(await failing())).toEqual(new Set(Object.values(requestsOf).flat()))
    await output(machine, 'rc-service requests start')
  })

  it('are each needed, by the requests that it is for', async () => {
    const folder = `/lib/modules/${await output(machine, 'uname -r')}`
    const used = (await output(machine, "awk '$3 > 0 { print $1 }' /proc/modules")).split('\n')
    const without: Record<string, readonly string[]> = {}
    for (const path of built.manifest.loadPlans.requests ?? []) {
      const [name = ''] = moduleNames([path])
      // What others use for its symbols cannot go without them.
      if (used.includes(name)) continue
      await output(machine, `rmmod ${name}`)
      without[name] = await failing(...(requestsOf[name] ?? []))
      await output(machine, `insmod ${folder}/${path}`)
    }
    expect(without).toEqual(requestsOf)
    expect(await failing()).toEqual([])
  })
})

describe('the modules of some rulesets', () => {
  it('are enough for them, and without any one that it needs none loads', async () => {
    for (const service of ['firewall', 'requests']) await output(machine, `rc-service ${service} stop`)
    await mountRules(machine)
    const there = await loadedModules(machine)
    const counts = newCounts()
    const wrong: string[] = []
    for (const plan of plans) {
      wrong.push(
        ...plan.steps.flatMap(({ name }) => (there.includes(name) ? [`${name} is there anyway`] : [])),
      )
      wrong.push(...judge(plan, await runProbe(machine, plan.name), counts))
    }
    expect(wrong).toEqual([])
    expect(counts.fails).toBeGreaterThan(plans.length)
  })
})
