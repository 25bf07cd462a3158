import { chmod, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Machine } from '../../src/machine/index.ts'
import { type BuiltSystem, devices, loadedModules, moduleNames, output } from './guest.ts'
import { eventually, makeSshKey, setUpRig } from './rig.ts'

const rig = setUpRig()

/** A port of 127.0.0.1 that nobody has now. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

describe.each(devices)('the router example on $device', (device) => {
  let built: BuiltSystem
  let machine: Machine
  let port: number
  let key: string
  let strangersKey: string

  /** The host reaches the router's LAN side on a port of 127.0.0.1; nothing else goes in or out. */
  const environment = (): Record<string, string> => ({
    NET0: 'user,restrict=on',
    NET1: `user,restrict=on,net=192.168.8.0/24,host=192.168.8.254,dns=192.168.8.253,hostfwd=tcp:127.0.0.1:${port}-192.168.8.1:22`,
  })
  const everyPlan = (): string[] => moduleNames(...Object.values(built.manifest.loadPlans))

  beforeAll(async () => {
    const ours = await makeSshKey(join(rig.folder(), `${device.device}-key`))
    key = ours.file
    strangersKey = (await makeSshKey(join(rig.folder(), `${device.device}-stranger`))).file
    built = await rig.buildRouter(device, ours.line)
    port = await freePort()
    machine = await rig.boot({ folder: built.folder, environment: environment() })
  })

  it('starts every service and restarts none', async () => {
    const wanted = (
      await output(machine, 'ls -1 /etc/runlevels/sysinit /etc/runlevels/boot /etc/runlevels/default')
    )
      .split('\n')
      .filter((line) => line !== '' && !line.endsWith(':'))
    const lines = (await output(machine, 'rc-status -a')).split('\n').filter((line) => line.includes('['))
    const states = new Map(lines.map((line) => [line.trim().split(/\s+/)[0], line]))
    expect([...states.keys()].sort()).toEqual(wanted.sort())
    for (const line of states.values()) {
      expect(line).toMatch(/\[ +started(?: [\d:]+ \(0\))? +\]/)
    }
  })

  it('has loaded the kernel modules of its load plans and no other', async () => {
    expect(await loadedModules(machine)).toEqual(everyPlan())
  })

  it('has nothing to complain about in the kernel log', async () => {
    const log = await output(machine, 'dmesg')
    expect(log).not.toMatch(/Oops|BUG:|Unknown symbol|Call trace|segfault|Out of memory/i)
  })

  it('filters packets and masquerades', async () => {
    const rules = await output(machine, 'nft list ruleset')
    expect(rules).toMatch(/hook input priority filter; policy drop;/)
    expect(rules).toMatch(/hook forward priority filter; policy drop;/)
    expect(rules).toContain('iifname "eth1" oifname { "eth0", "eth1" } accept')
    expect(rules).toContain('oifname "eth0" masquerade')
    expect(await output(machine, 'cat /proc/sys/net/ipv4/ip_forward')).toBe('1')
  })

  it('has a root that is read-only and that everybody may enter', async () => {
    expect(await output(machine, 'ls -ld /')).toMatch(/^drwxr-xr-x +\d+ root +root /)
    expect(await output(machine, 'grep " / " /proc/mounts')).toMatch(/squashfs ro\b/)
  })

  it('keeps its time service running where no time server answers', async () => {
    await eventually(machine, "logread | grep 'ntp: no reply received in time'")
    await eventually(machine, "ps | grep '/usr/sbin/[n]tpd -d -s'")
    expect(await output(machine, 'rc-status -a | grep " ntp "')).toContain('(0)')
  })

  /** The host's ssh client, untouched by the configuration and the keys of whoever runs the test. */
  const ssh = (...options: readonly string[]) =>
    execa(
      'ssh',
      [
        ...['-F', 'none', '-p', String(port), '-o', 'IdentityAgent=none', '-o', 'IdentitiesOnly=yes'],
        ...['-o', `UserKnownHostsFile=${join(rig.folder(), `${device.device}-hosts`)}`],
        ...['-o', 'StrictHostKeyChecking=accept-new', '-o', 'ConnectTimeout=120'],
        ...options,
      ],
      { reject: false, stdin: 'ignore', timeout: 180_000 },
    )

  it('lets the owner of the key in over ssh', async () => {
    const { stdout, stderr } = await ssh('-i', key, 'root@127.0.0.1', 'cat /etc/hostname; id -u')
    expect(`${stdout}\n${stderr}`).toMatch(/^edge\n0\n/)
  })

  it('lets nobody else in over ssh: it offers nothing but keys', async () => {
    const stranger = await ssh('-v', '-i', strangersKey, '-o', 'BatchMode=yes', 'root@127.0.0.1', 'true')
    expect(stranger.exitCode).toBe(255)
    expect(stranger.stderr).toContain('Permission denied (publickey).')

    // A password is at hand, should the server ask for one.
    const askpass = join(rig.folder(), 'askpass')
    await writeFile(askpass, '#!/bin/sh\necho root\n')
    await chmod(askpass, 0o755)
    const password = await execa({
      env: { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force' },
      reject: false,
      stdin: 'ignore',
    })`ssh -v -F none -p ${port} -o UserKnownHostsFile=${join(rig.folder(), `${device.device}-hosts`)} -o StrictHostKeyChecking=accept-new -o PubkeyAuthentication=no -o PreferredAuthentications=password,keyboard-interactive root@127.0.0.1 true`
    expect(password.exitCode).toBe(255)
    expect(password.stderr).toMatch(/Authentications that can continue: publickey\r?\n/)
    expect(password.stderr).toContain('Permission denied (publickey).')
  })

  it('unloads with the firewall what only the firewall needed, and loads it again', async () => {
    const { firewall, ...others } = built.manifest.loadPlans
    expect(firewall).toContain('kernel/net/netfilter/nf_tables.ko')
    const rules = await output(machine, 'nft list ruleset')
    await output(machine, 'rc-service firewall stop', 120_000)
    expect(await loadedModules(machine)).toEqual(moduleNames(...Object.values(others)))
    expect(await output(machine, 'cat /proc/sys/net/ipv4/ip_forward')).toBe('0')
    await output(machine, 'rc-service firewall start', 120_000)
    expect(await loadedModules(machine)).toEqual(everyPlan())
    expect(await output(machine, 'nft list ruleset')).toBe(rules)
    expect(await output(machine, 'cat /proc/sys/net/ipv4/ip_forward')).toBe('1')
  })

  it('brings a daemon back that was killed', async () => {
    const find = "ps | awk '/[d]nsmasq --keep/ { print $1 }'"
    const before = await output(machine, find)
    expect(before).toMatch(/^\d+$/)
    await output(machine, `kill -9 ${before}`)
    const after = await eventually(
      machine,
      `pid=$(${find}); [ -n "$pid" ] && [ "$pid" != ${before} ] && echo $pid`,
    )
    expect(after).toMatch(/^\d+$/)
    expect(await output(machine, 'rc-status -a | grep " dns "')).toMatch(/started [\d:]+ \(1\)/)
  })

  it('forgets its host key at power-off, as the manifest says', async () => {
    expect(built.manifest.lostAtPowerOff.map(({ path }) => path)).toContain('/var/lib/dropbear')
    machine.console.send('poweroff\n')
    expect(await machine.off).toBe(0)
    machine = await rig.boot({ folder: built.folder, environment: environment() })
    const { exitCode, stderr } = await ssh('-i', key, 'root@127.0.0.1', 'true')
    expect(exitCode).toBe(255)
    expect(stderr).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED')
  })
})
