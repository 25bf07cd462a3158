import { UserError } from '../diagnostics/index.ts'
import { contentFile, diskInitramfs, initramfsImage, rootImage } from './images.ts'
import type { Output } from './output.ts'
import { runScript } from './run-script.ts'
import { stateImage } from './state-image.ts'

/**
 * A virtual machine: kernel, initramfs, root and, where the system has one, a state partition, with a `run.sh` that
 * boots them and needs nothing but QEMU. For trying a system, and for testing it. How to wire its network cards is
 * written at the top of `run.sh`.
 */
export const vm: Output = {
  name: 'vm',
  description: 'a folder with a run.sh that boots the system in QEMU',
  async build(engine, system) {
    const { device } = system.definition
    if (device.emulator === undefined) {
      throw new UserError({
        what: `output vm cannot be made for ${device.name}`,
        where: [system.definition.origin],
        why: 'QEMU does not play this device',
        fix: `choose another output${device.defaultOutput === 'vm' ? '' : `, for example ${device.defaultOutput}`}, or a qemu-… device`,
      })
    }
    const { state } = system.definition
    return {
      files: {
        kernel: await contentFile(engine, 'the kernel', system.kernel.image),
        'initramfs.img': await initramfsImage(engine, system),
        'rootfs.squashfs': await rootImage(engine, system),
        ...(state === undefined ? {} : { 'state.ext4': await stateImage(engine, state.sizeMebibytes) }),
        'run.sh': await engine.put(runScript(device, device.emulator, system), { executable: true }),
      },
      targets: { 'rootfs.squashfs': system.rootTree, 'initramfs.img': diskInitramfs(system) },
    }
  },
}
