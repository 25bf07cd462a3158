import { contentFile } from './images.ts'
import type { Output } from './output.ts'

/**
 * The kernel alone: `kernel`, the image as a boot loader takes it, and `config`, the configuration it was built with.
 */
export const kernel: Output = {
  name: 'kernel',
  description: 'the kernel image and its configuration',
  async build(engine, system) {
    return {
      files: {
        kernel: await contentFile(engine, 'the kernel', system.kernel.image),
        config: await contentFile(engine, "the kernel's configuration", system.kernel.configFile),
      },
      targets: {},
    }
  },
}
