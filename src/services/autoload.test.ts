import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AutoloadModule, deviceHandler, requestHandler } from './autoload.ts'

const module = (name: string, more: Partial<AutoloadModule> = {}): AutoloadModule => ({
  name,
  path: `/lib/modules/6.1/kernel/net/${name}.ko`,
  parameters: [],
  before: [],
  aliases: [],
  ...more,
})
const needs = (...names: readonly string[]) => names.map((name) => ({ name, optional: false }))
const modules = [
  module('nf_tables', { aliases: ['nfnetlink-subsys-10'], before: [{ name: 'crc', optional: true }] }),
  module('nft_ct', { aliases: ['nft-expr-ct', 'nft-obj-3'], before: needs('nf_tables') }),
  module('crc', { parameters: ['mode=a b'], before: [{ name: 'nf_tables', optional: true }] }),
  module('card', { aliases: ['pci:v00008086d*', 'net-pf-16-proto-[4-9]*', "odd'name"] }),
  module('phy', { aliases: ['mdio:00000000001000100001010101??????', 'acpi*:PHY0:*'] }),
  module('ip_set_hash_net', { aliases: ['ip_set_hash:net'] }),
  module('broken', { aliases: ['wants-broken'], path: '/lib/modules/6.1/kernel/broken.ko' }),
  module('above', { before: needs('broken') }),
]

describe('the handler of the kernel’s requests', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'firmwright-autoload-'))
    const handler = requestHandler(modules).replace('proc=/proc/modules', `proc=${folder}/modules`)
    writeFileSync(join(folder, 'modprobe'), handler)
    const forDevices = deviceHandler(modules).replace('proc=/proc/modules', `proc=${folder}/modules`)
    writeFileSync(join(folder, 'hotplug'), forDevices.replace('/sys/devices', `${folder}/devices`))
    const insmod = `#!/bin/sh
case $1 in *broken*) exit 1 ;; esac
echo "$@" >>${folder}/calls
name=\${1##*/}
echo "\${name%.ko} 1 0 - Live 0x0" >>${folder}/modules
`
    writeFileSync(join(folder, 'insmod'), insmod)
    chmodSync(join(folder, 'insmod'), 0o755)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** What is loaded for a request, in order, and whether the kernel is told that it was. */
  function ask(
    name: string,
    present: readonly string[] = [],
  ): { readonly done: boolean; readonly calls: string[] } {
    writeFileSync(join(folder, 'modules'), present.map((one) => `${one} 1 0 - Live 0x0\n`).join(''))
    writeFileSync(join(folder, 'calls'), '')
    const { status } = spawnSync('busybox', ['sh', join(folder, 'modprobe'), '-q', '--', name], {
      env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
    })
    const calls = readFileSync(join(folder, 'calls'), 'utf8').split('\n').slice(0, -1)
    return { done: status === 0, calls: calls.map((call) => call.replaceAll('/lib/modules/6.1/kernel/', '')) }
  }

  it('loads what answers to an alias, with all that it needs before it, and with its parameters', () => {
    const calls = ['net/crc.ko mode=a b', 'net/nf_tables.ko', 'net/nft_ct.ko']
    expect(ask('nft-expr-ct')).toEqual({ done: true, calls })
    expect(ask('nft_obj_3')).toEqual({ done: true, calls })
    expect(ask('nft-ct', ['nf_tables'])).toEqual({ done: true, calls: ['net/nft_ct.ko'] })
  })

  it('has patterns as modules have them', () => {
    expect(ask('net-pf-16-proto-5-type-1').calls).toEqual(['net/card.ko'])
    expect(ask('net-pf-16-proto-3').done).toBe(false)
    expect(ask("odd'name").done).toBe(true)
  })

  it('knows nothing of devices and of what does not ship', () => {
    expect(ask('pci:v00008086d00001234')).toEqual({ done: false, calls: [] })
    expect(ask('nft-expr-1-ct')).toEqual({ done: false, calls: [] })
    expect(ask('acpi:PHY0:')).toEqual({ done: false, calls: [] })
  })

  it('knows what the kernel asks for with a colon: PHYs, types of sets', () => {
    expect(ask('mdio:00000000001000100001010101001101').calls).toEqual(['net/phy.ko'])
    expect(ask('ip_set_hash:net').calls).toEqual(['net/ip_set_hash_net.ko'])
  })

  it('is content with what is there already, and fails when something does not load', () => {
    expect(ask('nft-expr-ct', ['nft_ct'])).toEqual({ done: true, calls: [] })
    expect(ask('wants-broken').done).toBe(false)
    expect(ask('above')).toEqual({ done: false, calls: [] })
  })

  describe('for devices', () => {
    /** What is loaded for a uevent, or with the argument `all` for what lies below /sys/devices. */
    function plug(environment: Readonly<Record<string, string>>, ...args: readonly string[]): string[] {
      writeFileSync(join(folder, 'modules'), '')
      writeFileSync(join(folder, 'calls'), '')
      spawnSync('busybox', ['sh', join(folder, 'hotplug'), ...args], {
        env: { ...process.env, PATH: `${folder}:${process.env.PATH}`, ...environment },
      })
      return readFileSync(join(folder, 'calls'), 'utf8').split('\n').slice(0, -1)
    }

    it('loads what drives a device that is added, under no other names, and nothing when one goes', () => {
      const card = ['/lib/modules/6.1/kernel/net/card.ko']
      expect(plug({ ACTION: 'add', MODALIAS: 'pci:v00008086d00001234sv0' })).toEqual(card)
      expect(plug({ ACTION: 'remove', MODALIAS: 'pci:v00008086d00001234sv0' })).toEqual([])
      expect(plug({ ACTION: 'add', MODALIAS: 'nft-expr-ct' })).toEqual([])
      expect(plug({ ACTION: 'add' })).toEqual([])
    })

    it('loads what drives all that is there', () => {
      for (const [name, alias] of [
        ['a', 'pci:v00008086d00001234sv0'],
        ['b/c', 'acpi:PHY0:'],
        ['b', 'usb:nobody'],
      ] as const) {
        mkdirSync(join(folder, 'devices', name), { recursive: true })
        writeFileSync(join(folder, 'devices', name, 'modalias'), `${alias}\n`)
      }
      const names = plug({}, 'all').map((path) => path.slice(path.lastIndexOf('/') + 1))
      expect(names.sort()).toEqual(['card.ko', 'phy.ko'])
    })
  })
})
