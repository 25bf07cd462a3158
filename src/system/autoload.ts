import { type Origin, UserError } from '../diagnostics/index.ts'
import type { Engine } from '../engine/index.ts'
import type { FileTree } from '../filetree/index.ts'
import type { Kernel } from '../kernel/index.ts'
import { lookUp } from '../kmod/index.ts'
import {
  type AutoloadModule,
  deviceHandler,
  deviceHandlerPath,
  type KmodStep,
  largestHandlerBytes,
  renderHandler,
  requestHandler,
  requestHandlerPath,
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
  const shipped = shippedSteps(kernel, plans, parameters)
  const handler = await renderOnce(engine, kernel, shipped, {
    name: 'answer the requests of the kernel',
    function: { id: 'kmod/autoload', version: 2 },
    render: requestHandler,
  })
  const sizeBytes = Buffer.byteLength(handler)
  if (sizeBytes > largestHandlerBytes) {
    throw new UserError({
      what: `the handler of the kernel's requests for ${shipped.size} modules would have ${sizeBytes} bytes`,
      where: origins,
      why: `${largestHandlerBytes} is the limit`,
      fix: 'name fewer modules in system.kernel.autoload',
    })
  }
  return renderHandler(requestHandlerPath, handler, origins[0] ?? kernel.origin)
}

/** What loads modules for devices that come, of all modules that ship. Aliases of devices are many, and have no limit. */
export async function hotplugTree(
  engine: Engine,
  kernel: Kernel,
  plans: readonly NamedPlan[],
  parameters: KmodParameters,
  origins: readonly Origin[],
): Promise<FileTree> {
  const handler = await renderOnce(engine, kernel, shippedSteps(kernel, plans, parameters), {
    name: 'answer to devices that come',
    function: { id: 'kmod/hotplug', version: 1 },
    render: deviceHandler,
  })
  return renderHandler(deviceHandlerPath, handler, origins[0] ?? kernel.origin)
}

function shippedSteps(
  kernel: Kernel,
  plans: readonly NamedPlan[],
  parameters: KmodParameters,
): ReadonlyMap<string, KmodStep> {
  const shipped = new Map<string, KmodStep>()
  for (const plan of plans.filter(({ name }) => name !== 'initramfs')) {
    for (const step of kmodSteps(plan, kernel, parameters.ofModules)) shipped.set(step.name, step)
  }
  return shipped
}

/** The text of a handler for modules; once for the same ones of a kernel. */
function renderOnce(
  engine: Engine,
  kernel: Kernel,
  shipped: ReadonlyMap<string, KmodStep>,
  handler: {
    readonly name: string
    readonly function: { readonly id: string; readonly version: number }
    readonly render: (modules: readonly AutoloadModule[]) => string
  },
): Promise<string> {
  const steps = [...shipped.values()]
  return engine.compute({
    kind: 'function',
    name: handler.name,
    function: handler.function,
    input: { kernel: kernel.image, steps },
    run: async () => handler.render(await Promise.all(steps.map((step) => describe(kernel, step, shipped)))),
  })
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
