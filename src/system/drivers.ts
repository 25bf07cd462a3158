import { type Origin, UserError } from '../diagnostics/index.ts'
import type { Engine } from '../engine/index.ts'
import { matchDevices, type TreeDevice, treeDevices } from '../hardware/index.ts'
import type { Kernel } from '../kernel/index.ts'
import type { DefinedSystem } from './definition.ts'
import { boardTree } from './device-tree.ts'

/** The service that loads what the device tree calls for; see `system.kernel.drivers`. */
export const driversService = 'drivers'

/**
 * The modules that drive what a device's tree describes: those that answer to what each bus sends. What only the form
 * of another bus would find is loaded too, since the device is there, and nobody else will.
 *
 * @throws UserError where no tree is known when the system is built
 */
export async function treeDrivers(
  engine: Engine,
  kernel: Kernel,
  definition: DefinedSystem,
  origins: readonly Origin[],
): Promise<readonly string[]> {
  const devices = await boardDevices(engine, definition, origins, kernel)
  return engine.compute({
    kind: 'function',
    name: 'find the drivers of the device tree',
    function: { id: 'hardware/match', version: 1 },
    input: { kernel: kernel.image, release: kernel.release, devices },
    run: async () => {
      const matched = await matchDevices(kernel.modules, devices)
      if (!matched.ok) {
        throw new UserError({
          what: `the modules of ${kernel.name} cannot be read`,
          where: [...origins, kernel.origin],
          why: matched.error.message,
        })
      }
      return [...new Set(matched.value.flatMap(({ modules, unheard }) => [...modules, ...unheard]))].sort()
    },
  })
}

/**
 * What the device tree has.
 *
 * @param kernel absent while it is not built
 * @throws UserError where no tree is known
 */
export async function boardDevices(
  engine: Engine,
  definition: DefinedSystem,
  origins: readonly Origin[],
  kernel?: Kernel,
): Promise<readonly TreeDevice[]> {
  const { name } = definition.device
  const tree = await boardTree(engine, { definition, kernel })
  if (tree === undefined) {
    throw new UserError({
      what: `the drivers of ${name} cannot be read from its device tree`,
      where: [...origins, definition.origin],
      why: 'the machine brings a tree of its own, or the kernel has one built in: nothing is known of it here',
      fix: 'name the modules (system.kernel.load), or give the device a deviceTree',
    })
  }
  return treeDevices(tree)
}
