import { diskInitramfs, initramfsImage } from './images.ts'
import type { Output } from './output.ts'

/**
 * The initramfs: `initramfs.img`, a compressed cpio archive that loads the drivers of the root, mounts it and hands
 * over to it. Kernels whose root drivers are modules, as Debian's are, cannot start without one.
 */
export const initramfs: Output = {
  name: 'initramfs',
  description: 'the initial file system that finds and mounts the root',
  async build(engine, system) {
    return {
      files: { 'initramfs.img': await initramfsImage(engine, system) },
      targets: { 'initramfs.img': diskInitramfs(system) },
    }
  },
}
