import { contentFile } from './images.ts'
import type { Output } from './output.ts'

/**
 * The kernel alone: `kernel`, the image as a boot loader takes it, and `config`, the configuration it was built with. Of
 * a kernel that was built from source also `kernel.tar`, with all that the build left, laid out as in Debian's packages:
 * vmlinux (for debuggers), System.map, Module.symvers, modules and device trees.
 */
export const kernel: Output = {
  name: 'kernel',
  description: 'the kernel image, its configuration and, built from source, all that the build left',
  async build(engine, { kernel }) {
    return {
      files: {
        kernel: await contentFile(engine, 'the kernel', kernel.image),
        config: await contentFile(engine, "the kernel's configuration", kernel.configFile),
        ...(kernel.archive === undefined ? {} : { 'kernel.tar': kernel.archive }),
      },
      targets: {},
    }
  },
}
