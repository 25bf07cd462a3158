import { beforeAll, describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/devicetree/conformance.ts'
import type { Machine } from '../../src/machine/index.ts'
import { type BuiltSystem, devices, loadedModules, moduleNames, output } from './guest.ts'
import { type Action, createModel, type Facts } from './kmod-model.ts'
import { setUpRig } from './rig.ts'

const rig = setUpRig()
const services = ['masquerade', 'routes', 'logging', 'btrfs', 'xfs', 'tunnel'] as const
/** Each of five actions. KMOD_SEQUENCES=200 walks as long as a verification should. */
const sequences = Number(process.env.KMOD_SEQUENCES ?? 10)

let built: BuiltSystem
let machine: Machine
let atBoot: readonly string[] = []
beforeAll(async () => {
  built = await rig.build('kmods', devices[0])
  machine = await rig.boot({ folder: built.folder })
  atBoot = await loadedModules(machine)
})

const rc = (service: string, verb: 'start' | 'stop') => machine.run(`rc-service ${service} ${verb}`)
const pathOf = async (module: string): Promise<string> => {
  const plans = Object.values(built.manifest.loadPlans).flat()
  const path = plans.find((one) => moduleNames([one])[0] === module)
  return `/lib/modules/${await output(machine, 'uname -r')}/${path}`
}

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

  it('are loaded as long as somebody needs them, in any order of starts and stops', async () => {
    for (const service of services) await rc(service, 'stop')
    const before = await loadedModules(machine)
    const facts = await factsOf()
    const model = createModel(facts, before)
    const random = seededRandom(20_261_124)
    const list = moduleNames(...services.map((service) => built.manifest.loadPlans[service]))
    for (let sequence = 0; sequence < sequences; sequence++) {
      const actions: Action[] = []
      const expected: string[] = []
      for (let step = 0; step < 5; step++) {
        const possible = model.possible()
        const action = possible[random(possible.length)]
        if (action === undefined) throw new Error('nothing can be done')
        model.apply(action)
        actions.push(action)
        expected.push(`${action.join(' ')}: ${list.filter((name) => model.loaded.has(name)).join(' ')}`)
      }
      const said = await output(machine, `walk "${list.join(' ')}" ${actions.flat().join(' ')}`, 240_000)
      const happened = said.split('\n').map((line, step) => {
        const [status, bits = ''] = line.split(' ')
        const loaded = list.filter((_, index) => bits[index] === '1')
        return `${actions[step]?.join(' ')}${status === '0' ? '' : ` (status ${status})`}: ${loaded.join(' ')}`
      })
      expect(happened, `sequence ${sequence}`).toEqual(expected)
    }
    await machine.run('kill $(cat /run/holder)')
    for (const service of services) await rc(service, 'stop')
  }, 3_600_000)

  async function factsOf(): Promise<Facts> {
    const usable = new Set(atBoot)
    const lines = (await readModules()).map((line) => line.split(' '))
    const users = lines.map(([name = '', , , by = '-']) => {
      return [name, by.split(',').filter((user) => user !== '' && user !== '-')] as const
    })
    return {
      plans: Object.fromEntries(
        services.map((service) => [
          service,
          (built.manifest.loadPlans[service] ?? [])
            .flatMap((path) => moduleNames([path]))
            .filter((name) => usable.has(name)),
        ]),
      ),
      users: new Map(users),
      byHand: { zstd_compress: await pathOf('zstd_compress'), raid6_pq: await pathOf('raid6_pq') },
      held: 'tun',
    }
  }

  /** /proc/modules with every service up: who uses whom. */
  async function readModules(): Promise<readonly string[]> {
    for (const service of services) await rc(service, 'start')
    const text = await output(machine, 'cat /proc/modules')
    for (const service of services) await rc(service, 'stop')
    return text.split('\n')
  }
})

describe('a module that does not load', () => {
  const failures = [
    { what: 'removed', prepare: 'mount -t tmpfs none "$(dirname $file)"', says: /No such file/ },
    {
      what: 'built for another kernel',
      prepare:
        'sed "s/SMP mod_unload/SMP mod_other_/; s/~Module signature/~module signature/" $file >/run/other.ko && mount --bind /run/other.ko $file',
      says: /the kernel says: .*version magic/,
    },
    {
      what: 'cut short',
      prepare: 'dd if=$file of=/run/cut.ko bs=1k count=8 2>/dev/null && mount --bind /run/cut.ko $file',
      says: /nft_fib_ipv4 does not load/,
    },
  ] as const

  it.each(failures)('because it is $what takes with it what was loaded for it', async (failure) => {
    await rc('routes', 'stop')
    const before = await loadedModules(machine)
    const file = await pathOf('nft_fib_ipv4')
    await output(machine, `file=${file}; ${failure.prepare}`)
    const { status, output: said } = await machine.run('rc-service routes start 2>&1')
    await machine.run(`umount ${file} 2>/dev/null || umount $(dirname ${file}) 2>/dev/null`)
    expect(status).not.toBe(0)
    expect(said).toMatch(/kernel module nft_fib(_ipv4)? does not load/)
    expect(said).toMatch(failure.says)
    expect(await loadedModules(machine)).toEqual(before)
    expect((await rc('routes', 'start')).status).toBe(0)
    expect(await loadedModules(machine)).toContain('nft_fib_ipv4')
    await rc('routes', 'stop')
  })

  it('but stays because somebody uses it is said once, and is no failure', async () => {
    await rc('tunnel', 'start')
    await output(machine, 'sleep 100000 </dev/net/tun >/dev/null 2>&1 & holder=$!')
    const { status, output: said } = await rc('tunnel', 'stop')
    expect(status).toBe(0)
    expect(said.match(/kernel module tun stays loaded/g)).toHaveLength(1)
    expect(await loadedModules(machine)).toContain('tun')
    // It is still the services' own: the next stop takes it away.
    await output(machine, 'kill $holder; rc-service tunnel start && rc-service tunnel stop')
    expect(await loadedModules(machine)).not.toContain('tun')
  })
})
