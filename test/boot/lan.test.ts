import { beforeAll, describe, expect, it } from 'vitest'
import type { Machine } from '../../src/machine/index.ts'
import { devices, output } from './guest.ts'
import { eventually, setUpRig, wire } from './rig.ts'

const rig = setUpRig()

/** Prints the IPv4 address of an interface; fails while it has none. */
const addressOf = (name: string): string =>
  `ip -o -4 address show dev ${name} | awk '{ print $4; found = 1 } END { exit !found }'`

describe.each(devices)('three machines on $device: a router between a client and the world', (device) => {
  let world: Machine
  let router: Machine
  let client: Machine
  let routerAddress: string
  let clientAddress: string

  beforeAll(async () => {
    // One after the other: the second and third build find most of the first one's work done.
    const systems = {
      world: await rig.build('world', device),
      router: await rig.buildRouter(device),
      client: await rig.build('client', device),
    }
    const outside = wire(rig.folder(), `${device.device}-wan`)
    const inside = wire(rig.folder(), `${device.device}-lan`)
    ;[world, router, client] = await Promise.all([
      rig.boot({ folder: systems.world.folder, environment: { NET0: outside[0] } }),
      rig.boot({
        folder: systems.router.folder,
        environment: { NET0: outside[1], NET1: inside[0] },
        arguments: ['-rtc', 'base=2001-01-01'],
      }),
      rig.boot({ folder: systems.client.folder, environment: { NET0: inside[1] } }),
    ])
    routerAddress = (await eventually(router, addressOf('eth0'))).replace(/\/\d+$/, '')
    clientAddress = (await eventually(client, addressOf('eth0'))).replace(/\/\d+$/, '')
  })

  it('the router has an address of the world, the client one of the router, which is its gateway', async () => {
    expect(routerAddress).toMatch(/^203\.0\.113\.1\d\d$/)
    expect(clientAddress).toMatch(/^192\.168\.8\.1\d\d$/)
    expect(await output(client, 'ip route')).toContain('default via 192.168.8.1 dev eth0')
    await output(router, `logread | grep 'DHCPACK(eth1) ${clientAddress} '`)
  })

  it('the client resolves names of the router and of the world', async () => {
    const resolve = async (name: string): Promise<string | undefined> =>
      (await output(client, `getent ahostsv4 ${name}`)).split(/\s/)[0]
    expect(await output(client, 'cat /etc/resolv.conf')).toMatch(/^nameserver 192\.168\.8\.1$/m)
    expect(await resolve('router')).toBe('192.168.8.1')
    expect(await resolve('router.lan')).toBe('192.168.8.1')
    expect(await resolve('www.example')).toBe('203.0.113.1')
    const unknown = await client.run('getent ahostsv4 nowhere.example')
    expect(unknown.status).not.toBe(0)
  })

  it('the client reaches the world under the address of the router', async () => {
    expect(await output(client, 'wget -q -O - http://www.example/cgi-bin/visitor')).toBe(
      `visited by ${routerAddress}`,
    )
  })

  it('the client reaches the services of the router', async () => {
    expect(await output(client, banner('192.168.8.1', 22))).toContain('SSH-2.0-dropbear')
  })

  it('the world reaches neither the client nor a service of the router, for no other reason than the firewall', async () => {
    const page = `wget -q -O - http://${clientAddress}/`
    await output(world, `ip route replace 192.168.8.0/24 via ${routerAddress}`)
    expect(await output(router, page)).toBe('private')
    expect((await world.run(`timeout 5 ${page}`)).status).not.toBe(0)
    expect((await world.run(banner(routerAddress, 22))).output).not.toContain('SSH')
    expect((await world.run(`timeout 5 nslookup router.lan ${routerAddress}`)).status).not.toBe(0)

    await output(router, 'nft flush ruleset')
    expect(await output(world, page)).toBe('private')
    expect(await output(world, banner(routerAddress, 22))).toContain('SSH-2.0-dropbear')
    await output(router, 'nft -f /etc/nftables.conf')
    expect((await world.run(`timeout 5 ${page}`)).status).not.toBe(0)
  })

  it('the router sets its clock by the time server of the world', async () => {
    expect(await eventually(router, 'date +%Y | grep 2029')).toBe('2029')
  })
})

/** What a server says when somebody connects; nothing if nobody can. */
function banner(address: string, port: number): string {
  return `timeout 5 nc ${address} ${port} < /dev/null 2>&1 | head -n 1`
}
