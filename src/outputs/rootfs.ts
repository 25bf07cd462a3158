import { rootImage } from './images.ts'
import type { Output } from './output.ts'

/**
 * The root file system alone: `rootfs.squashfs`, read-only, xz. For whoever writes it to flash or serves it with
 * tools of their own.
 */
export const rootfs: Output = {
  name: 'rootfs',
  description: 'the root file system as a squashfs image',
  async build(engine, system) {
    return {
      files: { 'rootfs.squashfs': await rootImage(engine, system) },
      targets: { 'rootfs.squashfs': system.rootTree },
    }
  },
}
