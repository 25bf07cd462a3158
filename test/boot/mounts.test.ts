import { execFileSync } from 'node:child_process'
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Machine } from '../../src/machine/index.ts'
import { devices, loadedModules, moduleNames, output } from './guest.ts'
import { setUpRig } from './rig.ts'

const rig = setUpRig()
const checksums = ['crc32c', 'xxhash', 'sha256', 'blake2'] as const

function makeImage(
  name: string,
  sizeMebibytes: number,
  command: string,
  ...options: readonly string[]
): string {
  const file = join(rig.folder(), `${name}.img`)
  writeFileSync(file, '')
  truncateSync(file, sizeMebibytes << 20)
  execFileSync(command, [...options, file], { stdio: ['ignore', 'ignore', 'inherit'] })
  return file
}

describe('file systems', () => {
  let machine: Machine
  let planned: readonly string[]
  beforeAll(async () => {
    const images = [
      // The smallest that it makes.
      ...checksums.map((checksum) => makeImage(checksum, 110, 'mkfs.btrfs', '--quiet', '--csum', checksum)),
      makeImage('stick', 4, 'mkfs.vfat'),
    ]
    const built = await rig.build('mounts', devices[0])
    planned = moduleNames(...Object.values(built.manifest.loadPlans))
    machine = await rig.boot({
      folder: built.folder,
      arguments: images.flatMap((file, index) => [
        '-drive',
        `if=none,id=more${index},format=raw,file=${file}`,
        '-device',
        // Behind the root in the order of the bus, which is that of their names.
        `virtio-blk-pci,drive=more${index},addr=0x${(16 + index).toString(16)}`,
      ]),
    })
  })

  it.each(checksums)('btrfs with the checksum %s is mounted, written and read', async (checksum) => {
    const folder = `/mnt/${checksum}`
    expect(await output(machine, `grep " ${folder} " /proc/mounts`)).toContain(' btrfs rw')
    await output(
      machine,
      `dd if=/dev/urandom of=/run/data bs=64k count=4 2>/dev/null && cat /run/data >${folder}/data && sync`,
    )
    // From the disk, not from memory: that is where the checksum is looked at.
    await output(
      machine,
      `rc-service mount${folder.replaceAll('/', '-')} restart && cmp /run/data ${folder}/data`,
    )
    const dump = execFileSync('btrfs', [
      'inspect-internal',
      'dump-super',
      join(rig.folder(), `${checksum}.img`),
    ])
    expect(dump.toString()).toMatch(new RegExp(`csum_type\\s+\\d+ \\(${checksum}`))
  })

  it('vfat is mounted with its character sets, below a folder that is made when it starts', async () => {
    await output(machine, 'echo text >"/run/stick/A long name" && cat "/run/stick/A long name"')
  })

  it('get the modules that were worked out, and nothing that loads others', async () => {
    expect((await machine.run('ls /sbin/modprobe')).status).not.toBe(0)
    expect(planned).toEqual(expect.arrayContaining(await loadedModules(machine)))
    expect(planned).toEqual(
      expect.arrayContaining(['btrfs', 'vfat', 'nls_cp437', 'nls_ascii', 'blake2b_generic']),
    )
  })
})
