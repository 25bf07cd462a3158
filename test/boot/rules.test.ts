import { beforeAll, describe, expect, it } from 'vitest'
import type { Machine } from '../../src/machine/index.ts'
import { type BuiltSystem, devices, loadedModules, moduleNames, output } from './guest.ts'
import { setUpRig } from './rig.ts'

const rig = setUpRig()

describe('the modules of a firewall with rules of its own', () => {
  let built: BuiltSystem
  let machine: Machine
  beforeAll(async () => {
    built = await rig.build('rules', devices[0])
    machine = await rig.boot({ folder: built.folder })
  })

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
