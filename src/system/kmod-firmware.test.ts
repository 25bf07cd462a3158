import { expect, it } from 'vitest'
import { usualKmod } from '../elf/test/assemble-kmod.ts'
import type { Entry, FileTree } from '../filetree/index.ts'
import type { Kernel } from '../kernel/index.ts'
import { createKmodSource } from '../kmod/index.ts'
import { planFirmware } from './kmod-firmware.ts'

const content = { type: 'text', text: '' } as const
const file: Entry = { type: 'file', mode: 0o644, uid: 0, gid: 0, content, origins: [] }
const link = (target: string): Entry => ({ type: 'symlink', target, uid: 0, gid: 0, origins: [] })

it('an initramfs gets the firmware that its own modules ask for, and what its links lead to', async () => {
  const files: Readonly<Record<string, Buffer>> = {
    'disk.ko': usualKmod('disk', {
      info: ['firmware=qla/disk.bin', 'firmware=qla/more-?.bin', 'firmware=none'],
    }),
    'radio.ko': usualKmod('radio', { info: ['firmware=radio.bin'] }),
  }
  const kernel: Kernel = {
    name: 'linux-test 6.1.0',
    release: '6.1.0-test',
    image: content,
    configFile: content,
    config: new Map([['FW_LOADER_COMPRESS_XZ', 'y']]),
    modules: createKmodSource({ paths: Object.keys(files), read: (path) => files[path] ?? Buffer.alloc(0) }),
    moduleContent: () => content,
    origin: {},
  }
  const root: FileTree = new Map([
    ['/usr/lib/firmware/qla/disk.bin.xz', link('../store/real.xz')],
    ['/usr/lib/firmware/store/real.xz', file],
    ['/usr/lib/firmware/updates/qla/more-1.bin', file],
    ['/usr/lib/firmware/qla/more-1.bin.zst', file],
    ['/usr/lib/firmware/radio.bin', file],
    ['/usr/lib/qla/disk.bin', file],
  ])
  const reason = { type: 'target', target: 'disk' } as const
  const plan = {
    name: 'initramfs',
    origins: [],
    steps: [{ name: 'disk', path: 'disk.ko', reason, required: true }],
    builtin: [],
    staying: [],
    notes: [],
  }
  const firmware = await planFirmware(kernel, plan, root)
  expect([...firmware.keys()].sort()).toEqual([
    '/usr/lib/firmware/qla/disk.bin.xz',
    '/usr/lib/firmware/store/real.xz',
    '/usr/lib/firmware/updates/qla/more-1.bin',
  ])
})
