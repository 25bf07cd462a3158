import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  environment,
  freshCache,
  program,
  systemFolder,
  systemText,
  temporaryFolder,
  warmLock,
} from './firmwright.ts'

const text = systemText(
  [
    "const lan = features.networkInterface(system, { name: 'eth0', address: '192.168.8.1/24' })",
    "const wan = features.networkInterface(system, { name: 'eth1' })",
    'features.firewall(system, { zones: { lan: [lan], wan: [wan] } })',
    "system.files.text('/etc/one', 'x')",
    "system.files.hardlink('/etc/two', '/etc/one')",
    "system.kernel.sysctl('net.ipv4.conf.all.rp_filter', 1)",
  ],
  ['state: { sizeMebibytes: 8 },'],
)

describe('the same system file and lock', () => {
  const folders: string[] = []

  beforeAll(async () => {
    await warmLock()
    const differences = [
      { umask: '022', env: { TZ: 'UTC', HOME: temporaryFolder(), LC_ALL: 'C' }, jobs: '1' },
      {
        umask: '077',
        env: { TZ: 'Pacific/Kiritimati', HOME: '/nonexistent', LC_ALL: 'C.UTF-8', USER: 'x' },
        jobs: '2',
      },
    ]
    for (const { umask, env, jobs } of differences) {
      const folder = await systemFolder(text)
      const cache = await freshCache()
      const script = `umask ${umask}; exec "$@"`
      const build = [
        'build',
        'system.ts',
        'rootfs',
        'initramfs',
        'vm',
        '--offline',
        '--jobs',
        jobs,
        '-o',
        'out',
      ]
      const { exitCode, stderr } = await execa(
        'sh',
        ['-c', script, 'sh', process.execPath, program, ...build],
        {
          cwd: folder,
          env: { ...environment, ...env, FIRMWRIGHT_CACHE: cache },
          reject: false,
        },
      )
      expect(exitCode, stderr).toBe(0)
      folders.push(join(folder, 'out'))
    }
  }, 600_000)

  it('give the same bytes in another folder, later, with another umask, home and time zone', () => {
    const [first = '', second = ''] = folders
    const files = readdirSync(first, { recursive: true, encoding: 'utf8' }).sort()
    expect(files).toEqual(
      expect.arrayContaining([
        'initramfs/initramfs.img',
        'rootfs/rootfs.squashfs',
        'vm/manifest.json',
        'vm/state.ext4',
      ]),
    )
    expect(readdirSync(second, { recursive: true, encoding: 'utf8' }).sort()).toEqual(files)
    for (const name of files) {
      const [a, b] = [statSync(join(first, name)), statSync(join(second, name))]
      if (a.isDirectory()) continue
      expect([name, a.mode, a.size]).toEqual([name, b.mode, b.size])
      expect(readFileSync(join(first, name)).equals(readFileSync(join(second, name))), name).toBe(true)
    }
  })
})
