import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  firmwright,
  folderWith,
  type Outcome,
  setupLine,
  systemFolder,
  systemText,
  warmLock,
} from './firmwright.ts'

/** The message alone: no progress, no stack trace, no claim that the bug is ours. */
function complaint({ exitCode, stderr }: Outcome): string {
  expect(stderr).not.toMatch(/^\s+at |node:internal|bug in Firmwright/m)
  expect(exitCode).toBe(1)
  const start = stderr.indexOf('error: ')
  expect(start, stderr).toBeGreaterThanOrEqual(0)
  return stderr.slice(start)
}

/** What a build of this system complains about; nothing may have been written. */
async function refusal(text: string, online = false): Promise<string> {
  const folder = await systemFolder(text)
  const before = readdirSync(folder).sort()
  const args = ['build', 'system.ts', 'rootfs', '-o', 'out', ...(online ? [] : ['--offline'])]
  const message = complaint(await firmwright(args, { cwd: folder }))
  expect(existsSync(join(folder, 'out'))).toBe(false)
  expect(readdirSync(folder).sort()).toEqual(before)
  return message
}

const refusalOf = (...setup: string[]): Promise<string> => refusal(systemText(setup))
const line = (number: number): string => `system.ts:${setupLine + number - 1}`

beforeAll(async () => {
  await warmLock()
}, 600_000)

describe('packages', () => {
  it('that Debian does not have are refused with near names', async () => {
    const message = await refusal(systemText(["system.packages.file('nftablez', '/usr/sbin/nft')"]), true)
    expect(message).toContain('nftablez')
    expect(message).toContain(line(1))
    expect(message).toMatch(/did you mean .*nftables/)
  })

  it('that cannot be the name of one are refused before apt sees them', async () => {
    const message = await refusalOf("system.packages.file('--allow-unauthenticated', '/x')")
    expect(message).toContain('"--allow-unauthenticated" is not the name of a Debian package')
    expect(message).toContain(line(1))
  })

  it('do not have every file: near names are given', async () => {
    const message = await refusalOf("system.packages.file('nftables', '/usr/sbin/ntf')")
    expect(message).toMatch(/error: \/usr\/sbin\/ntf is not in the package nftables \S+/)
    expect(message).toContain(line(1))
    expect(message).toContain('did you mean /usr/sbin/nft')
  })

  it('that have a file which was sought in another are named', async () => {
    const message = await refusalOf("system.packages.file('nftables', '/usr/sbin/openrc')")
    expect(message).toContain('/usr/sbin/openrc is not in the package nftables')
    expect(message).toContain('it is in openrc')
  })

  it('are called by an absolute path on the target', async () => {
    const message = await refusalOf("system.packages.file('nftables', 'usr/sbin/nft')")
    expect(message).toContain('"usr/sbin/nft" is no path on the target')
    expect(message).toContain(line(1))
  })
})

describe('kernels', () => {
  it('that lack a symbol: the line that wants it and the line that chose the kernel are named', async () => {
    const message = await refusalOf("system.kernel.require({ config: { SOUND: 'm' } })")
    expect(message).toMatch(/has CONFIG_SOUND=n, and =m is wanted/)
    expect(message).toContain(line(1))
    expect(message).toContain('system.ts:8')
    expect(message).toContain('fix:')
  })

  it('that have never heard of a symbol: near names are given', async () => {
    const message = await refusalOf("system.kernel.require({ config: { NF_TABLE: 'm' } })")
    expect(message).toContain('CONFIG_NF_TABLE=n')
    expect(message).toContain('NF_TABLES')
  })

  it('without a module: near names are given', async () => {
    const message = await refusalOf("system.kernel.load('filter', ['nft_mask'])")
    expect(message).toMatch(/linux-image-\S+ \S+ has no module nft_mask/)
    expect(message).toContain(line(1))
    expect(message).toContain('system.ts:8')
    expect(message).toContain('did you mean nft_masq')
  })

  it('that are required to have a module which they have not', async () => {
    const message = await refusalOf("system.kernel.require({ modules: ['virtio_nett'] })")
    expect(message).toContain('has no module virtio_nett')
    expect(message).toContain(line(1))
    expect(message).toContain('virtio_net')
  })

  it('that are wanted with one symbol as m and as n', async () => {
    const message = await refusalOf(
      "system.kernel.require({ config: { NF_TABLES: 'm' } })",
      "system.kernel.require({ config: { NF_TABLES: 'n' } })",
    )
    expect(message).toContain('CONFIG_NF_TABLES is wanted as =m and as =n')
    expect(message).toContain(line(1))
    expect(message).toContain(line(2))
  })

  it('whose modules ask for firmware that is nowhere, unless that was waived', async () => {
    const load = "system.kernel.load('phy', ['mscc'])"
    const message = await refusalOf(load)
    expect(message).toMatch(/mscc asks for \/lib\/firmware\/microchip\/\S+, which is not there/)
    expect(message).toContain(line(1))
    expect(message).toMatch(/phy would load it, and the kernel is linux-image-\S+ \S+/)
    const waivers = [...message.matchAll(/system\.kernel\.waiveFirmware\("\S+"\)/g)].map(([verb]) => verb)
    expect(waivers.length).toBeGreaterThan(1)
    const folder = await systemFolder(systemText([load, ...waivers]))
    const built = await firmwright(['build', 'system.ts', 'rootfs', '--offline'], { cwd: folder })
    expect(built.stderr).not.toContain('error')
    expect(built.exitCode).toBe(0)
  })

  it('whose modules are given parameters that nobody looks at', async () => {
    const message = await refusalOf(
      "system.kernel.load('net', ['virtio_net'])",
      "system.kernel.moduleParameter('virtio-net', 'napi_txx', true)",
      "system.kernel.moduleParameter('virtio_nett', 'csum', true)",
      "system.kernel.moduleParameter('btrfs', 'csum', true)",
    )
    expect(message).toMatch(/virtio_net of linux-image-\S+ \S+ has no parameter napi_txx/)
    expect(message).toContain('did you mean napi_tx?')
    expect(message).toContain('csum of the kernel module virtio_nett is set, and nothing loads virtio_nett')
    expect(message).toContain('nothing loads btrfs')
    expect(message).toContain(line(2))
    expect(message).toContain(line(4))
  })

  it('whose modules are given two values of one parameter', async () => {
    const message = await refusalOf(
      "system.kernel.load('net', ['virtio_net'])",
      "system.kernel.moduleParameter('virtio-net', 'napi_tx', true)",
      "system.kernel.moduleParameter('virtio_net', 'napi_tx', false)",
    )
    expect(message).toContain('the kernel module parameter virtio_net.napi_tx is wanted as true and as false')
    expect(message).toContain(line(2))
    expect(message).toContain(line(3))
  })

  it('whose condition is met are held to what hangs on it, and to nothing else', async () => {
    const message = await refusalOf("system.kernel.when('VIRTIO_NET', { config: { SOUND: 'y' } })")
    expect(message).toContain('has CONFIG_SOUND=n, and =y is wanted')
    expect(message).toContain(line(1))
    const folder = await systemFolder(
      systemText(["system.kernel.when('SOUND', { config: { SND_HDA_INTEL: 'm' }, modules: ['nothing'] })"]),
    )
    const built = await firmwright(['build', 'system.ts', 'rootfs', '--offline'], { cwd: folder })
    expect(built.stderr).not.toContain('error')
    expect(built.exitCode).toBe(0)
  })
})

describe('busybox', () => {
  it('without an applet: near names are given', async () => {
    const message = await refusalOf("system.applets('udhcpcc')")
    expect(message).toContain('busybox has no applet udhcpcc')
    expect(message).toContain(line(1))
    expect(message).toMatch(/did you mean .*udhcpc/)
  })
})

describe('services', () => {
  it('must have the program that they run', async () => {
    const message = await refusalOf(
      "system.packages.file('dropbear-bin', '/usr/sbin/dropbear')",
      "system.services.longrun({ name: 'shell', description: 'x', command: ['/usr/sbin/dropbaer', '-F'] })",
    )
    expect(message).toContain('the service shell runs /usr/sbin/dropbaer, which is not on the target')
    expect(message).toContain(line(2))
    expect(message).toMatch(/did you mean .*\/usr\/sbin\/dropbear\b/)
  })

  const oneshot = (name: string, requires: string): string =>
    `system.services.oneshot({ name: '${name}', description: '${name}', up: 'true', requires: [{ kind: 'service', name: '${requires}' }] })`

  it('that wait for each other are named with their places', async () => {
    const message = await refusalOf(oneshot('a', 'b'), oneshot('b', 'c'), oneshot('c', 'a'))
    expect(message).toContain('services wait for each other: a → b → c → a')
    for (const number of [1, 2, 3]) expect(message).toContain(line(number))
  })

  it('that wait for one that does not exist', async () => {
    const message = await refusalOf(oneshot('a', 'hostnam'))
    expect(message).toContain('service a requires hostnam, which this system does not have')
    expect(message).toContain(line(1))
    expect(message).toContain('did you mean hostname')
  })

  it('of one name that are not the same', async () => {
    const message = await refusalOf(oneshot('a', 'b'), oneshot('a', 'c'))
    expect(message).toContain('two different services are called a')
    expect(message).toContain(line(1))
    expect(message).toContain(line(2))
  })
})

describe('contributions that disagree', () => {
  it('about a path', async () => {
    const message = await refusalOf("system.files.text('/etc/x', 'a')", "system.files.text('/etc/x', 'b')")
    expect(message).toContain('two different things at /etc/x')
    expect(message).toContain(line(1))
    expect(message).toContain(line(2))
  })

  it('about a path, with a file of a package', async () => {
    const message = await refusalOf(
      "system.packages.file('nftables', '/usr/sbin/nft')",
      "system.files.text('/sbin/nft', 'mine')",
    )
    expect(message).toContain('two different things at /usr/sbin/nft')
    expect(message).toContain('of package nftables')
    expect(message).toContain(line(1))
    expect(message).toContain(line(2))
  })

  it('with what is mounted over them at boot', async () => {
    const message = await refusalOf("system.files.text('/var/lib/x', 'a')")
    expect(message).toContain('nothing could be seen at /var/lib/x')
    expect(message).toContain('mounted on /var')
    expect(message).toContain(line(1))
  })

  it('about the host name', async () => {
    const message = await refusalOf("system.hostname('core')")
    expect(message).toContain('two host names: edge and core')
    expect(message).toContain(line(1))
    expect(message).toContain('system.ts:5')
  })
})

describe('options', () => {
  it('of the wrong type, from plain JavaScript', async () => {
    const text = systemText(['features.networkInterface(system, { name: 7, adress: "192.168.8.1" })'])
    const folder = await systemFolder(text, { 'system.js': text })
    const run = await firmwright(['build', 'system.js', 'rootfs', '--offline'], { cwd: folder })
    const message = complaint(run)
    expect(message).toContain('networkInterface was given options it cannot take')
    expect(message).toContain(`networkInterface (system.js:${setupLine})`)
    expect(message).toContain('name: ')
    expect(message).toContain('adress')
  })

  it('that are no handle of another feature', async () => {
    const message = await refusalOf("features.dhcpClient(system, { interface: 'eth0' })")
    expect(message).toContain('interface: not what networkInterface() returned')
    expect(message).toContain(`dhcpClient (${line(1)})`)
  })

  it('of defineSystem', async () => {
    const message = await refusal(systemText().replace("'edge'", "'not a name'"))
    expect(message).toContain('hostname: not a host name')
    expect(message).toContain('system.ts:5')
  })

  it.each([
    ["system.kernel.load('x', 'virtio_net')", 'kmods: '],
    ['system.files.text(7, "text")', '7 is no path'],
    ['system.files.text("/etc/x", 7)', 'text'],
    ['system.applets(["ip"])', 'applet'],
    ['system.services.oneshot({ name: "x" })', 'service'],
    ['system.services.longrun({ name: "x", description: "x", command: "/bin/x" })', 'command'],
    ['system.kernel.require({ modules: "x" })', 'modules'],
    ['system.kernel.require({ config: { NF_TABLES: true } })', 'NF_TABLES'],
    ['system.users.add({ name: "x" })', 'uid'],
    ['system.packages.file("nftables")', 'path'],
  ])('of the builder’s own verbs: %s', async (statement, word) => {
    const message = await refusalOf(statement)
    expect(message).toContain(line(1))
    expect(message).toContain(word)
  })
})

describe('a system file', () => {
  async function fileRefusal(text: string, files: Readonly<Record<string, string>> = {}): Promise<string> {
    const folder = folderWith({ 'system.ts': text, ...files })
    return complaint(await firmwright(['build', 'system.ts', 'rootfs', '--offline'], { cwd: folder }))
  }

  it('that does not exist', async () => {
    const folder = folderWith({})
    const message = complaint(await firmwright(['build', 'missing.ts', 'rootfs'], { cwd: folder }))
    expect(message).toContain('there is no system file missing.ts')
    expect(message).toContain('fix:')
    expect(readdirSync(folder)).toEqual([])
  })

  it('that throws', async () => {
    const message = await fileRefusal("\n\nthrow new TypeError('no such luck')\n")
    expect(message).toContain('the system file threw TypeError: no such luck')
    expect(message).toContain('system.ts:3')
  })

  it('that throws in setup', async () => {
    const message = await refusalOf('const nothing = undefined', 'nothing.x()')
    expect(message).toMatch(/the system file threw TypeError: .*undefined/)
    expect(message).toContain(line(2))
  })

  it('that throws in a file it imports', async () => {
    const message = await fileRefusal("import './part.ts'\n", { 'part.ts': "\nthrow new Error('in part')\n" })
    expect(message).toContain('the system file threw Error: in part')
    expect(message).toContain('part.ts:2')
  })

  it('that throws what is no error', async () => {
    expect(await fileRefusal("throw 'text'\n")).toContain('the system file threw text')
    expect(await refusalOf("throw 'text'")).toContain('the system file threw text')
  })

  it('that is no TypeScript', async () => {
    const message = await fileRefusal('export default {\n  a: ,\n}\n')
    expect(message).toContain('does not compile')
    expect(message).toContain('system.ts:2')
  })

  it('that imports what does not exist', async () => {
    const message = await fileRefusal("import { x } from './missing.ts'\nexport default x\n")
    expect(message).toContain('imports something that cannot be found')
    expect(message).toContain('missing.ts')
  })

  it('that calls a feature which does not exist', async () => {
    const message = await refusalOf("features.networkInterfase(system, { name: 'eth0' })")
    expect(message).toContain('networkInterfase')
    expect(message).toContain(line(1))
  })

  it.each([
    '',
    'export default 7\n',
    'export default []\n',
    'export const system = 1\n',
    'export default null\n',
  ])('that exports something else: %j', async (text) => {
    const message = await fileRefusal(text)
    expect(message).toContain('system.ts does not export a system')
    expect(message).toContain('export default defineSystem')
  })

  it('whose setup goes on after it has returned', async () => {
    const message = await refusalOf("setTimeout(() => system.hostname('late'), 0)")
    expect(message).toContain('after setup had returned')
    expect(message).toContain(line(1))
    expect(message).toContain('await')
  })

  it('whose setup awaits what never happens', async () => {
    const message = await refusalOf('return new Promise(() => {})')
    expect(message).toContain('something is awaited that never happens')
  })

  it('whose setup rejects later, unobserved', async () => {
    const message = await refusalOf("Promise.resolve().then(() => { throw new Error('unobserved') })")
    expect(message).toContain('unobserved')
  })
})

describe('outputs', () => {
  it('that do not exist are refused with near names, before anything is done', async () => {
    const folder = await systemFolder()
    const message = complaint(await firmwright(['build', 'system.ts', 'rootsf'], { cwd: folder }))
    expect(message).toContain('there is no output rootsf')
    expect(message).toContain('did you mean rootfs')
  })

  it('that a device cannot have', async () => {
    const text = systemText().replace(
      'device: qemuAarch64',
      'device: { ...qemuAarch64, name: "board", emulator: undefined }',
    )
    const folder = await systemFolder(text)
    const message = complaint(await firmwright(['build', 'system.ts', 'vm', '--offline'], { cwd: folder }))
    expect(message).toContain('output vm cannot be made for board')
    expect(message).toContain('system.ts:5')
    // The device's own default cannot be the way out of its own refusal.
    expect(message).not.toContain('for example vm')
    expect(existsSync(join(folder, 'build'))).toBe(false)
  })
})
