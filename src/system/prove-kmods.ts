import { type Diagnostic, UserError } from '../diagnostics/index.ts'
import type { Engine } from '../engine/index.ts'
import type { FileTree } from '../filetree/index.ts'
import type { Kernel } from '../kernel/index.ts'
import { checkKmods, firmwareNames, type KmodFinding } from '../kmod/index.ts'
import { firmwarePaths } from './kmod-firmware.ts'
import type { NamedPlan } from './load-plans.ts'
import type { Asked } from './merge.ts'

/**
 * Proves that every module that ships loads on the target, in the order of each plan, and has its firmware. What is
 * not proved (a kernel without Module.symvers) is a warning, never silence; so is what may be meant: a softdep that
 * nothing answers to, or that modprobe would ignore, and a `depends=` that is not what the symbols say.
 *
 * @throws UserError listing everything that the kernel would refuse
 */
export async function proveKmods(
  engine: Engine,
  kernel: Kernel,
  plans: readonly NamedPlan[],
  given: {
    /** Where the modules are loaded: firmware is looked for in it. */
    readonly tree: FileTree
    readonly waived: readonly Asked<string>[]
  },
): Promise<void> {
  const firmware = {
    files: [...firmwareNames(firmwarePaths(given.tree), kernel)].sort(),
    waived: given.waived.map(({ value }) => value).sort(),
    builtin: [...new Set(plans.flatMap(({ builtin }) => builtin.map(({ name }) => name)))].sort(),
  }
  const names = plans.map(({ steps }) => steps.map(({ name }) => name))
  const signatureForced = kernel.config.get('MODULE_SIG_FORCE') === 'y'
  const { release, symvers } = kernel
  const findings = await engine.compute<readonly KmodFinding[]>({
    kind: 'function',
    name: 'prove kernel modules',
    function: { id: 'kmod/check', version: 3 },
    input: {
      kernel: kernel.image,
      symvers: symvers?.content ?? null,
      release,
      plans: names,
      firmware,
      signatureForced,
    },
    run: async () => {
      const { findings } = await checkKmods(kernel.modules, {
        plans: names,
        release,
        signatureForced,
        firmware: { ...firmware, builtin: new Set(firmware.builtin) },
        ...(symvers === undefined ? {} : { symvers: await symvers.read() }),
      })
      return findings
    },
  })
  const errors = findings.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw new UserError(...errors.map((finding) => explain(finding, kernel, plans)))
  if (findings.length === 0) return
  await engine.step('kernel modules', async (report) => {
    for (const { message } of findings) report.warn(message)
  })
}

function explain(finding: KmodFinding, kernel: Kernel, plans: readonly NamedPlan[]): Diagnostic {
  const module = 'module' in finding ? finding.module : undefined
  const loading = plans.filter(
    ({ steps, builtin }) =>
      module !== undefined && [...steps, ...builtin].some(({ name }) => name === module),
  )
  return {
    what: finding.message,
    where: [...loading.flatMap(({ origins }) => origins), kernel.origin],
    why: `${loading.map(({ name }) => name).join(' and ')} would load it, and the kernel is ${kernel.name}`,
    fix:
      finding.type === 'firmware-missing'
        ? `put the file there (system.packages.file), or say that the driver does without: system.kernel.waiveFirmware(${JSON.stringify(finding.file)})`
        : 'choose another kernel, or a module that was built with this one',
  }
}
