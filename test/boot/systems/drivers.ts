import { debianKernel, defineSystem } from 'firmwright'
import { qemuAarch64 } from 'firmwright/devices'
import { consoleLogin } from 'firmwright/features'

// A kernel whose modules are compressed, and the drivers of the board, which nobody has listed.
export default defineSystem({
  device: { ...qemuAarch64, deviceTree: { source: 'emulator' } },
  hostname: 'drivers',
  release: 'trixie',
  kernel: debianKernel({ package: 'linux-image-cloud-arm64' }),
  setup(system) {
    system.kernel.drivers('from-device-tree')
    system.applets('awk', 'cat', 'find', 'lsmod')
    consoleLogin(system, { login: { type: 'open' } })
  },
})
