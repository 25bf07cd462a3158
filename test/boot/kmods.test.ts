import { beforeAll, describe, expect, it } from 'vitest'
import type { Machine } from '../../src/machine/index.ts'
import { seededRandom } from '../seeded-random.ts'
import { type BuiltSystem, devices, loadedModules, moduleNames, output } from './guest.ts'
import { damages } from './kmod-model.ts'
import { rc, walkSequences, withoutExit } from './kmod-walk.ts'
import { setUpRig } from './rig.ts'

const rig = setUpRig()
/** As many as a test has time for; `npm run verify kmod-sequences` walks all. */
const sequences = 10

let built: BuiltSystem
let machine: Machine
let atBoot: readonly string[] = []
beforeAll(async () => {
  built = await rig.build('kmods', devices[0])
  machine = await rig.boot({ folder: built.folder })
  atBoot = await loadedModules(machine)
})

describe('kernel modules of services', () => {
  it('are all that the plans have, but for what this processor refuses', () => {
    const planned = moduleNames(...Object.values(built.manifest.loadPlans))
    expect(planned).toEqual(expect.arrayContaining([...atBoot]))
    for (const module of ['nft_masq', 'nft_fib_ipv6', 'nft_log', 'btrfs', 'xfs', 'tun']) {
      expect(atBoot).toContain(module)
    }
  })

  it('are given their parameters, on the command line where they are built in', async () => {
    expect(await output(machine, 'ls /sys/class/net')).toMatch(/dummy0\s+dummy1\s+dummy2\s+lo/)
    expect(built.manifest.commandLine).toMatch(/(^| )tcp_cubic\.hystart=0( |$)/)
    expect(await output(machine, 'cat /sys/module/tcp_cubic/parameters/hystart')).toBe('0')
  })

  it('are loaded as long as somebody needs them, in any order of starts, failed starts and stops', async () => {
    const walk = await walkSequences(machine, sequences, seededRandom(20_261_124))
    expect(walk.differences).toEqual([])
    expect([...walk.failures.keys()].sort()).toEqual([...damages].sort())
  }, 3_600_000)
})

describe('a module that cannot go', () => {
  it('because it has no exit function is known when the system is built, and is said once', async () => {
    expect(await output(machine, 'cat /etc/init.d/tunnel')).toContain(`${withoutExit}!`)
    expect(await loadedModules(machine)).toContain(withoutExit)
    // All services have been stopped by now, and that was said then.
    await rc(machine, 'tunnel', 'start')
    await output(machine, `rm /run/firmwright/kmod/${withoutExit}/.said`)
    const first = await machine.run('rc-service tunnel stop 2>&1')
    expect(first.status).toBe(0)
    expect(first.output).toContain(`kernel module ${withoutExit} stays loaded: it has no exit function`)
    await rc(machine, 'tunnel', 'start')
    const second = await machine.run('rc-service tunnel stop 2>&1')
    expect([second.status, second.output.includes(withoutExit)]).toEqual([0, false])
  })

  it('because somebody uses it is said once, and is no failure', async () => {
    await rc(machine, 'tunnel', 'start')
    await output(machine, 'sleep 100000 </dev/net/tun >/dev/null 2>&1 & holder=$!')
    const { status, output: said } = await rc(machine, 'tunnel', 'stop')
    expect(status).toBe(0)
    expect(said.match(/kernel module tun stays loaded/g)).toHaveLength(1)
    expect(await loadedModules(machine)).toContain('tun')
    // It is still the services' own: the next stop takes it away.
    await output(machine, 'kill $holder; rc-service tunnel start && rc-service tunnel stop')
    expect(await loadedModules(machine)).not.toContain('tun')
  })
})
