import { type Origin, UserError } from '../diagnostics/index.ts'
import type { Engine } from '../engine/index.ts'
import type { FileTree } from '../filetree/index.ts'
import type { Kernel } from '../kernel/index.ts'
import { lookUp } from '../kmod/index.ts'
import {
  type AutoloadModule,
  autoloadHandler,
  type KmodStep,
  largestHandlerBytes,
  renderAutoload,
} from '../services/index.ts'
import type { KmodParameters } from './kmod-parameters.ts'
import { kmodSteps, type NamedPlan } from './load-plans.ts'

/**
 * The handler of the kernel's requests for all modules that ship.
 *
 * @throws UserError when there are so many that it would be too large
 */
export async function autoloadTree(
  engine: Engine,
  kernel: Kernel,
  plans: readonly NamedPlan[],
  parameters: KmodParameters,
  origins: readonly Origin[],
): Promise<FileTree> {
  const shipped = new Map<string, KmodStep>()
  for (const plan of plans.filter(({ name }) => name !== 'initramfs')) {
    for (const step of kmodSteps(plan, kernel, parameters.ofModules)) shipped.set(step.name, step)
  }
  const steps = [...shipped.values()]
  const handler = await engine.compute({
    kind: 'function',
    name: 'answer the requests of the kernel',
    function: { id: 'kmod/autoload', version: 1 },
    input: { kernel: kernel.image, steps },
    run: async () => autoloadHandler(await Promise.all(steps.map((step) => describe(kernel, step, shipped)))),
  })
  const sizeBytes = Buffer.byteLength(handler)
  if (sizeBytes > largestHandlerBytes) {
    throw new UserError({
      what: `the handler of the kernel's requests for ${steps.length} modules would have ${sizeBytes} bytes`,
      where: origins,
      why: `${largestHandlerBytes} is the limit`,
      fix: 'name fewer modules in system.kernel.autoload',
    })
  }
  return renderAutoload(handler, origins[0] ?? kernel.origin)
}

async function describe(
  kernel: Kernel,
  { name, path, parameters = [] }: KmodStep,
  shipped: ReadonlyMap<string, KmodStep>,
): Promise<AutoloadModule> {
  const kmod = await kernel.modules.load(name)
  if (!kmod.ok) throw new Error(`${name} was planned and cannot be read: ${kmod.error.message}`)
  const { depends, softdeps, aliases } = kmod.value
  const before = new Map(depends.map((other) => [other, false]))
  for (const { pre, bare } of softdeps) {
    for (const wanted of [...bare, ...pre]) {
      const found = await lookUp(kernel.modules, wanted)
      for (const other of found.ok ? found.value : []) if (!before.has(other)) before.set(other, true)
    }
  }
  return {
    name,
    path,
    parameters,
    aliases,
    before: [...before]
      .filter(([other]) => shipped.has(other) && other !== name)
      .map(([other, optional]) => ({ name: other, optional })),
  }
}
