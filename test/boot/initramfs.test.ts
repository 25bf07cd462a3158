import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type ContentReader, type ImageEntries, writeCpio } from '../../src/filetree/index.ts'
import type { Machine } from '../../src/machine/index.ts'
import { devices, output } from './guest.ts'
import { setUpRig } from './rig.ts'

const rig = setUpRig()

const owner = { uid: 0, gid: 0 } as const
/** Unpacked by the kernel after the initramfs itself. */
const entries: ImageEntries = [
  ['/linked', { type: 'directory', mode: 0o750, ...owner }],
  ['/linked/first', { type: 'file', mode: 0o640, ...owner, content: { type: 'text', text: 'one file' } }],
  ['/linked/other', { type: 'file', mode: 0o640, ...owner, content: { type: 'text', text: 'one file' } }],
  ['/linked/second', { type: 'hardlink', target: '/linked/first' }],
]
/** These entries hold their bytes themselves. */
const reader: ContentReader = {
  read() {
    throw new Error('nothing here lies in a store')
  },
}

describe.each(devices)('the initramfs on $device, when there is no root', (device) => {
  let machine: Machine

  beforeAll(async () => {
    const { folder, manifest } = await rig.build('client', device)
    const image = await readFile(join(folder, 'initramfs.img'))
    const parts: Uint8Array[] = [image, new Uint8Array((4 - (image.length % 4)) % 4)]
    for await (const part of writeCpio(reader, entries)) parts.push(part)
    await writeFile(join(folder, 'longer.img'), Buffer.concat(parts))
    machine = rig.start({
      folder,
      environment: { NET0: 'user,restrict=on' },
      arguments: ['-append', `${manifest.commandLine} root=/dev/vdz`, '-initrd', 'longer.img'],
    })
  })

  it('says what is wrong and what there is', async () => {
    await machine.console.expect(/cannot boot: root device \/dev\/vdz did not appear/, 180_000)
    const [, there] = await machine.console.expect(/there are:([^\n]*)\n/, 10_000)
    expect(there?.split(' ')).toContain('vda')
  })

  it('opens a shell', async () => {
    await machine.console.expect(/# $/, 60_000)
    expect(await output(machine, 'busybox id -u')).toBe('0')
  })

  it('has hard links that are one file', async () => {
    const inodes = (await output(machine, 'busybox stat -c "%i %h %a" /linked/*')).split('\n')
    expect(inodes).toHaveLength(3)
    const [first, other, second] = inodes
    expect(first).toMatch(/^\d+ 2 640$/)
    expect(second).toBe(first)
    expect(other).not.toBe(first)
    expect(await output(machine, 'busybox cat /linked/first /linked/second')).toBe('one fileone file')
  })
})
