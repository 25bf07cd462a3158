import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { FileTree } from '../filetree/index.ts'
import {
  appletsOf,
  clockService,
  entropyService,
  hostnameService,
  kernelLogService,
  loopbackService,
  renderInitramfs,
  renderOpenRc,
  type Service,
  serviceGraph,
  stateOf,
  stateService,
  sysctlService,
  syslogService,
} from './index.ts'

const origin = { feature: 'test', file: '/system.ts', line: 1 }
const console = { device: 'ttyS0', origin }

function textOf(tree: FileTree, path: string): string {
  const entry = tree.get(path)
  if (entry?.type !== 'file' || entry.content.type !== 'text') throw new Error(`${path} is no text`)
  return entry.content.text
}

function render(...services: readonly Service[]): FileTree {
  return renderOpenRc(serviceGraph(services), { origin, consoles: [console] })
}

const folder = mkdtempSync(join(tmpdir(), 'firmwright-openrc-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let roots = 0

/**
 * The rendered files in a folder of the host, with every path of the target moved below it, and stand-ins for the
 * programs of the target that say what they are asked to do.
 */
function install(tree: FileTree, tools: Readonly<Record<string, string>> = {}) {
  const root = join(folder, String(roots++))
  const moved = (text: string) =>
    text.replace(/(?<![\w.])\/(usr\/lib\/firmwright|run|var|proc\/modules)\b/g, `${root}/$1`)
  for (const [path, entry] of tree) {
    if (entry.type === 'directory') mkdirSync(join(root, path), { recursive: true })
    if (entry.type !== 'file' || entry.content.type !== 'text') continue
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), moved(entry.content.text), { mode: entry.mode })
  }
  mkdirSync(join(root, 'run/firmwright/log'), { recursive: true })
  mkdirSync(join(root, 'proc'), { recursive: true })
  mkdirSync(join(root, 'bin'))
  writeFileSync(join(root, 'proc/modules'), '')
  for (const [name, script] of Object.entries(tools)) {
    writeFileSync(join(root, 'bin', name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(root, 'bin', name), 0o755)
  }
  const openRcRun = (name: string, ...commands: string[]) => {
    const result = spawnSync(
      join(root, 'usr/lib/rc/sh/openrc-run.sh'),
      [join(root, 'etc/init.d', name), ...commands],
      { encoding: 'utf8', env: { PATH: `${root}/bin:/usr/bin:/bin`, RC_SVCNAME: name, root } },
    )
    return { status: result.status, output: result.stdout + result.stderr }
  }
  return { root, openRcRun }
}

const oneshot = (name: string, rest: object = {}): Service => ({
  kind: 'oneshot',
  name,
  description: `The service ${name}`,
  origin,
  ...rest,
})

const base: readonly Service[] = [
  syslogService({ origin }),
  kernelLogService({ origin }),
  hostnameService({ hostname: 'edge', origin }),
  loopbackService({ origin }),
  sysctlService({ values: { 'net.ipv4.ip_forward': 1 }, origin }),
  entropyService({ origin }),
  clockService({ notBefore: new Date('2026-01-01T00:00:00Z'), origin }),
]
const everything: readonly Service[] = [
  ...base,
  oneshot('firewall', {
    kmods: [{ name: 'nf_tables', path: '/lib/modules/nf_tables.ko' }],
    up: ['nft', '-f', '/etc/nftables.conf'],
    down: ['nft', 'flush', 'ruleset'],
  }),
  {
    kind: 'longrun',
    name: 'dns',
    description: 'Names, and what they stand for',
    command: ['/usr/sbin/dnsmasq', '-k'],
    environment: { LANG: "it's" },
    user: 'dnsmasq:nogroup',
    prepare: [['mkdir', '-p', '/run/dnsmasq'], 'chown dnsmasq /run/dnsmasq'],
    cleanup: ['rm -rf /run/dnsmasq'],
    readiness: { check: 'pidof dnsmasq', timeoutSeconds: 5 },
    requires: [{ kind: 'service', name: 'firewall' }],
    after: [{ kind: 'service', name: 'clock' }],
    state: [{ path: '/var/lib/misc', what: 'DHCP leases', owner: 'dnsmasq' }],
    origin,
  },
]

describe('renderOpenRc', () => {
  const services = [...everything]
  services.push(stateService({ device: 'LABEL=state', fileSystem: 'ext4', services: everything, origin }))
  const tree = render(...services)

  it.each(
    [
      ['dash', '-n'],
      ['busybox', 'sh', '-n'],
    ].filter(([program = '']) => spawnSync(program).error === undefined),
  )('writes scripts that %s accepts', (program, ...args) => {
    const scripts = [...tree].filter(
      ([path, entry]) => entry.type === 'file' && /init\.d|\/usr\/lib/.test(path),
    )
    expect(scripts.length).toBeGreaterThan(10)
    for (const [path] of scripts) {
      const checked = spawnSync(program, args, { input: textOf(tree, path), encoding: 'utf8' })
      expect(`${path}: ${checked.stderr}`).toBe(`${path}: `)
    }
  })

  it('puts each service into the runlevel of its phase', () => {
    const links = [...tree].filter(([, entry]) => entry.type === 'symlink').map(([path]) => path)
    expect(links.sort()).toEqual([
      '/etc/runlevels/boot/clock',
      '/etc/runlevels/boot/entropy',
      '/etc/runlevels/boot/loopback',
      '/etc/runlevels/boot/sysctl',
      '/etc/runlevels/default/dns',
      '/etc/runlevels/default/firewall',
      '/etc/runlevels/sysinit/hostname',
      '/etc/runlevels/sysinit/klog',
      '/etc/runlevels/sysinit/state',
      '/etc/runlevels/sysinit/syslog',
    ])
  })

  it('tells OpenRC the same dependencies in the init scripts and in what it asks for at boot', () => {
    expect(textOf(tree, '/etc/init.d/dns')).toContain('depend() {\n\tneed firewall\n\tafter clock state\n}')
    const printed = spawnSync('sh', ['-c', textOf(tree, '/usr/lib/rc/sh/gendepends.sh')], {
      encoding: 'utf8',
    }).stdout
    expect(printed).toContain('\ndns\ndns ineed firewall\ndns iafter clock state\n')
    expect(printed).toContain('\nfirewall\n')
  })

  it('gives every entry an origin', () => {
    for (const [path, entry] of tree) expect(`${path} ${entry.origins.length > 0}`).toBe(`${path} true`)
  })

  it('needs no kernel module library without kernel modules', () => {
    expect(render(...base).has('/usr/lib/firmwright/kmod.sh')).toBe(false)
    expect(tree.has('/usr/lib/firmwright/kmod.sh')).toBe(true)
  })

  it('gives each console its getty, or its shell', () => {
    const text = textOf(
      renderOpenRc(serviceGraph([]), {
        origin,
        consoles: [console, { device: 'ttyAMA0', access: 'shell', origin }],
      }),
      '/etc/inittab',
    )
    expect(text).toContain('\nttyS0::respawn:/sbin/getty -L 115200 ttyS0 vt100\n')
    expect(text).toContain('\nttyAMA0::respawn:-/bin/sh\n')
  })

  it('knows which applets the services need', () => {
    expect(appletsOf(everything)).toEqual([
      'chown',
      'dmesg',
      'grep',
      'insmod',
      'logger',
      'rm',
      'rmdir',
      'rmmod',
      'start-stop-daemon',
      'tail',
    ])
    expect(appletsOf([oneshot('a')])).toEqual([])
  })
})

describe('a rendered service', () => {
  const kmods = [{ name: 'x', path: '/m/x.ko' }]
  const tools = { insmod: 'echo "x 1 0 - Live 0x0" >$root/proc/modules', rmmod: ': >$root/proc/modules' }

  it('runs its text up to the first line that fails, and gives back its modules', () => {
    const { root, openRcRun } = install(
      render(
        oneshot('a', { kmods, up: 'cat $root/proc/modules\necho one\nfalse\necho two', down: 'echo never' }),
      ),
      tools,
    )
    expect(openRcRun('a', 'start')).toEqual({ status: 1, output: 'x 1 0 - Live 0x0\none\n' })
    expect(readFileSync(join(root, 'proc/modules'), 'utf8')).toBe('')
  })

  it('says that it is up, and unloads its modules after its text has stopped it', () => {
    const { root, openRcRun } = install(
      render(oneshot('a', { kmods, up: ['echo', 'up  it', '*'], down: 'cat $root/proc/modules' })),
      tools,
    )
    expect(openRcRun('a', 'start')).toEqual({ status: 0, output: 'up  it *\n * a: The service a\n' })
    expect(openRcRun('a', 'stop')).toEqual({ status: 0, output: 'x 1 0 - Live 0x0\n * a: stopped\n' })
    expect(readFileSync(join(root, 'proc/modules'), 'utf8')).toBe('')
  })

  it('survives text that is no shell', () => {
    const { root, openRcRun } = install(render(oneshot('a', { kmods, up: "if ' then ((" })), tools)
    expect(openRcRun('a', 'start').status).not.toBe(0)
    expect(readFileSync(join(root, 'proc/modules'), 'utf8')).toBe('')
  })

  it('describes itself, knows its status, and refuses other commands', () => {
    const { root, openRcRun } = install(render(oneshot('a')))
    expect(openRcRun('a', 'describe')).toEqual({ status: 0, output: ' * The service a\n' })
    expect(openRcRun('a', 'status')).toEqual({ status: 3, output: ' * status: stopped\n' })
    mkdirSync(join(root, 'run/openrc/started'), { recursive: true })
    writeFileSync(join(root, 'run/openrc/started/a'), '')
    expect(openRcRun('a', 'status')).toEqual({ status: 0, output: ' * status: started\n' })
    expect(openRcRun('a', 'dance')).toEqual({ status: 1, output: ' * ERROR: a: unknown command dance\n' })
  })

  const longrun = (rest: object = {}): Service => ({
    kind: 'longrun',
    name: 'd',
    description: 'A process',
    command: ['/bin/d'],
    origin,
    ...rest,
  })
  const supervisor = { 'supervise-daemon': 'echo "supervise-daemon $*" | sed "s,$root,,"' }

  it('prepares, starts and waits for its process', () => {
    const { openRcRun } = install(
      render(
        longrun({
          prepare: ['echo prepare'],
          readiness: { check: 'test -e $root/ready || ! : >$root/ready', timeoutSeconds: 2 },
          respawn: { delaySeconds: 2, max: 3, periodSeconds: 30 },
        }),
      ),
      supervisor,
    )
    expect(openRcRun('d', 'start')).toEqual({
      status: 0,
      output: [
        'prepare',
        'supervise-daemon d --start --respawn-delay 2 --respawn-max 3 --respawn-period 30 --stdout /dev/null --stderr /dev/null /usr/lib/firmwright/run/d',
        ' * d: A process',
        '',
      ].join('\n'),
    })
  })

  it('stops a process that is not ready in time, and cleans up', () => {
    const { openRcRun } = install(
      render(longrun({ readiness: { check: 'false', timeoutSeconds: 1 }, cleanup: ['echo cleanup'] })),
      supervisor,
    )
    const { status, output } = openRcRun('d', 'start')
    expect(status).toBe(1)
    expect(output.split('\n').slice(1)).toEqual([
      'supervise-daemon d --stop',
      'cleanup',
      ' * ERROR: d was not ready within 1 s',
      '',
    ])
  })

  it('does not start its process when a preparation fails', () => {
    const { openRcRun } = install(render(longrun({ prepare: ['false'] })), supervisor)
    expect(openRcRun('d', 'start')).toEqual({ status: 1, output: 'supervise-daemon d --stop\n' })
  })

  it('hands any arguments and environment to its process, whose output goes to the log', () => {
    const logged = { logger: 'printf "<%s> " "$@"; cat >$root/logged' }
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("'", '"', '$HOME', '*', ' ', '\n', '\\', '-n', '', 'é'), { maxLength: 5 }),
        (words) => {
          const command = ['/usr/bin/env', 'printf', '[%s]', ...words, words.join('')] as const
          const { root } = install(
            render(longrun({ command, environment: { WORDS: words.join('') } })),
            logged,
          )
          spawnSync('mkfifo', [join(root, 'run/firmwright/log/d')])
          spawnSync(join(root, 'usr/lib/firmwright/run/d'), {
            env: { PATH: `${root}/bin:/usr/bin:/bin`, root },
          })
          // The logger ends after its last writer, not before.
          spawnSync('sh', ['-c', `until [ -s ${root}/logged ]; do sleep 0.02; done`])
          expect(readFileSync(join(root, 'logged'), 'utf8')).toBe(
            [...words, words.join('')].map((word) => `[${word}]`).join(''),
          )
        },
      ),
      { numRuns: 15 },
    )
  })
})

describe('the base services', () => {
  it('keeps time from running backwards', () => {
    const set = 'case $1 in +%s) echo 1000 ;; *) echo "$*" >$root/set ;; esac'
    const early = clockService({ notBefore: new Date(2_000_000), origin })
    const run = (last?: string) => {
      const { root, openRcRun } = install(render(early), { date: set })
      if (last !== undefined) {
        mkdirSync(join(root, 'var/lib/clock'), { recursive: true })
        writeFileSync(join(root, 'var/lib/clock/last'), last)
      }
      expect(openRcRun('clock', 'start').status).toBe(0)
      return existsSync(join(root, 'set')) ? readFileSync(join(root, 'set'), 'utf8') : ''
    }
    expect(run()).toBe('-s @2000\n')
    expect(run('3000\n')).toBe('-s @3000\n')
    expect(run('500\n')).toBe('-s @2000\n')
    expect(run('garbage\n')).toBe('-s @2000\n')
    expect(run('')).toBe('-s @2000\n')
  })

  it('writes each kernel setting to its file', () => {
    const service = sysctlService({
      values: { 'net.ipv4.ip_forward': 1, 'net/ipv4/conf/eth0.1/rp_filter': 0 },
      origin,
    })
    expect(service.up).toBe(
      "printf '%s\\n' 1 >/proc/sys/net/ipv4/ip_forward\nprintf '%s\\n' 0 >/proc/sys/net/ipv4/conf/eth0.1/rp_filter",
    )
  })
})

describe('the state partition', () => {
  it('lists what is lost without it', () => {
    expect(stateOf(everything).map(({ service, path, what }) => `${service} ${path} ${what}`)).toEqual([
      'clock /var/lib/clock the time, where no clock keeps it',
      'dns /var/lib/misc DHCP leases',
      'entropy /var/lib/seedrng the seed of the random number generator',
    ])
  })

  it('is there before every service that keeps something, and none fails without it', () => {
    const state = stateService({ device: '/dev/vdb', fileSystem: 'ext4', services: everything, origin })
    const graph = serviceGraph([...everything, state])
    for (const name of ['clock', 'dns', 'entropy']) {
      expect(graph.byName.get(name)?.after).toContain('state')
      expect(graph.byName.get(name)?.requires).not.toContain('state')
    }
    expect(graph.byName.get('hostname')?.after).toEqual([])
  })

  it('holds a folder within another one once', () => {
    const outer = oneshot('a', { state: [{ path: '/var/lib/a', what: 'a' }] })
    const inner = oneshot('b', { state: [{ path: '/var/lib/a/b', what: 'b' }] })
    const { up } = stateService({ device: '/dev/vdb', fileSystem: 'ext4', services: [inner, outer], origin })
    expect(String(up).match(/ln -s .*/g)).toEqual(['ln -s /state/lib/a /var/lib/a'])
  })
})

describe('renderInitramfs', () => {
  const options = {
    kmods: [
      { name: 'virtio_blk', path: '/lib/modules/virtio_blk.ko' },
      { name: 'crc32c_intel', path: '/lib/modules/crc32c-intel.ko', optional: true },
    ],
    root: { by: 'path', path: '/dev/vda' },
    fileSystem: 'squashfs',
    origin,
  } as const

  it('writes an /init that the shell accepts, and loads the modules in order', () => {
    for (const onFailure of ['shell', 'panic'] as const) {
      const init = textOf(renderInitramfs({ ...options, onFailure }), '/init')
      expect(spawnSync('sh', ['-n'], { input: init, encoding: 'utf8' }).stderr).toBe('')
      expect(init).toContain(
        "\nload virtio_blk /lib/modules/virtio_blk.ko\nload 'crc32c_intel?' /lib/modules/crc32c-intel.ko\n",
      )
    }
  })

  it.each([
    [{ by: 'path', path: '/dev/vda' } as const, 'root=/dev/vda '],
    [{ by: 'serial', serial: 'root' } as const, 'root=SERIAL=root '],
    [{ by: 'partition-name', partitionName: 'root a' } as const, "root='PARTLABEL=root a' "],
    [{ by: 'partition-uuid', partitionUuid: 'ABCD-12' } as const, 'root=PARTUUID=abcd-12 '],
    [{ by: 'file', path: '/root.squashfs' } as const, 'root=FILE=/root.squashfs '],
    [{ by: 'mtd-name', name: 'rootfs' } as const, 'root=MTD=rootfs '],
  ])('knows its root device (%#)', (root, expected) => {
    expect(textOf(renderInitramfs({ ...options, root }), '/init')).toContain(`\n${expected}`)
  })

  it('has the console that the kernel opens first', () => {
    expect(renderInitramfs(options).get('/dev/console')).toMatchObject({ type: 'device', major: 5, minor: 1 })
  })
})
