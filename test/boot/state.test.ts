import { beforeAll, describe, expect, it } from 'vitest'
import type { Machine } from '../../src/machine/index.ts'
import { type BuiltSystem, devices, output } from './guest.ts'
import { eventually, setUpRig, wire } from './rig.ts'

const rig = setUpRig()

const hostKeys = 'sha256sum /var/lib/dropbear/dropbear_*_host_key'
const knock = 'dbclient -y -T root@127.0.0.1 true < /dev/null'
const leases = 'grep " 192.168.8.1" /var/lib/dnsmasq/*.leases'

describe.each(devices)('a system with state on $device', (device) => {
  let built: BuiltSystem
  let machine: Machine

  /** Its two cards share a wire: it gives an address to itself. */
  async function boot(): Promise<Machine> {
    const [asking, giving] = wire(rig.folder(), device.device)
    return rig.boot({ folder: built.folder, environment: { NET0: asking, NET1: giving } })
  }

  beforeAll(async () => {
    built = await rig.build('keeper', device)
    machine = await boot()
  })

  it('loses nothing at power-off, says the manifest', () => {
    expect(built.manifest.lostAtPowerOff).toEqual([])
  })

  it('has it on a partition of its own, each part with its owner and mode', async () => {
    expect(await output(machine, 'grep " /state " /proc/mounts')).toMatch(/^\/dev\/vdb \/state ext4 rw,/)
    expect(await output(machine, 'readlink /var/lib/dropbear')).toBe('/state/lib/dropbear')
    expect(await output(machine, 'readlink /var/lib/dnsmasq')).toBe('/state/lib/dnsmasq')
    const modes = await output(machine, 'stat -c "%U %a" /state/lib/dropbear /state/lib/dnsmasq')
    expect(modes).toBe('root 700\ndnsmasq 755')
  })

  it('keeps host key and leases when the plug is pulled', async () => {
    // The key is made for the first client that comes, be it one that may not come in.
    await machine.run(knock)
    const before = { key: await eventually(machine, hostKeys), lease: await eventually(machine, leases) }
    await output(machine, 'sync')
    machine.kill()
    await machine.off
    machine = await boot()
    expect(await output(machine, leases)).toBe(before.lease)
    await machine.run(knock)
    expect(await output(machine, hostKeys)).toBe(before.key)
  })

  it('has hard links of a package that are one file', async () => {
    const found = (await output(machine, 'stat -c "%i %h" /usr/sbin/ntpd /usr/sbin/ntpctl')).split('\n')
    expect(found[0]).toMatch(/^\d+ 2$/)
    expect(found[1]).toBe(found[0])
  })

  it('switches off in good order', async () => {
    machine.console.send('poweroff\n')
    await machine.console.expect(/state: stopped/, 60_000)
    expect(await machine.off).toBe(0)
  })
})
