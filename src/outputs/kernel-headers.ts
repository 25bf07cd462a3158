import { UserError } from '../diagnostics/index.ts'
import type { Output } from './output.ts'

/**
 * `linux-headers.tar`: what out-of-tree modules are built against on another machine, for a kernel that is built from
 * source. Unpacked, its one folder is what make is given as `-C`, with the `ARCH` and `CROSS_COMPILE` of the kernel. The
 * programs in it (modpost and the like) are for the kind of machine that the kernel was built on.
 */
export const kernelHeaders: Output = {
  name: 'kernel-headers',
  description: 'what modules are built against elsewhere, of a kernel that is built from source',
  async build(_, { kernel, definition }) {
    if (kernel.headers === undefined)
      throw new UserError({
        what: `${kernel.name} was not built here`,
        where: [definition.origin],
        fix: 'take the headers package of your distribution, or build the kernel from source (linuxSource)',
      })
    return { files: { 'linux-headers.tar': await kernel.headers() }, targets: {} }
  },
}
