import { defineSystem } from 'firmwright'
import { consoleLogin, mount } from 'firmwright/features'
import { device } from './parameters.ts'

export default defineSystem({
  device,
  hostname: 'mounts',
  setup(system) {
    for (const [index, checksum] of ['crc32c', 'xxhash', 'sha256', 'blake2'].entries())
      mount(system, { device: `/dev/vd${'bcde'[index]}`, path: `/mnt/${checksum}`, type: 'btrfs' })
    mount(system, { device: '/dev/vdf', path: '/run/stick', type: 'vfat', options: 'noatime' })
    system.applets('awk', 'cat', 'cmp', 'dd', 'grep', 'ls', 'lsmod', 'sync')
    consoleLogin(system, { login: { type: 'open' } })
  },
})
