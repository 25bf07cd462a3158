import { Command } from 'commander'
import { nearNames, UserError } from '../diagnostics/index.ts'

interface PlanOptions {
  readonly modules: string
  readonly json?: boolean
  readonly asModprobe?: boolean
}

/** `firmwright kmod plan` */
export function kmodCommand(): Command {
  const command = new Command('kmod').description(
    'Looks at the kernel modules of a lib/modules/VERSION folder.',
  )
  command
    .command('plan')
    .description('Prints what must be loaded for some modules, in order, one path a line.')
    .argument('<TARGET...>', 'names, paths relative to the folder, or aliases')
    .requiredOption('--modules <DIR>', 'a lib/modules/VERSION folder; depmod need not have run')
    .option('--json', 'as JSON, with why each is there')
    .option('--as-modprobe', "exactly modprobe's plan, which counts a module's first softdep line only")
    .addHelpText(
      'after',
      '\nExample:\n  firmwright kmod plan --modules /lib/modules/6.1.0-31-arm64 nft_masq btrfs',
    )
    .action(plan)
  return command
}

async function plan(targets: readonly string[], options: PlanOptions): Promise<void> {
  const { describeReason, openKmodFolder, planAsModprobe, planLoad } = await import('../kmod/index.ts')
  const source = openKmodFolder(options.modules)
  if (!source.ok) {
    throw new UserError({
      what: `${options.modules} is no folder of kernel modules`,
      why: source.error.message,
      fix: 'name a lib/modules/VERSION folder',
    })
  }
  if (options.asModprobe) {
    for (const target of targets) {
      const planned = await planAsModprobe(source.value, target)
      if (!planned.ok) throw notPlanned(planned.error)
      process.stdout.write(options.json ? `${JSON.stringify(planned.value)}\n` : lines(planned.value.steps))
    }
    return
  }
  const planned = await planLoad(source.value, targets)
  if (!planned.ok) throw notPlanned(planned.error)
  const { steps, builtin, notes } = planned.value
  if (options.json) {
    const reasoned = steps.map((step) => ({ ...step, why: describeReason(step.reason) }))
    process.stdout.write(`${JSON.stringify({ steps: reasoned, builtin, notes }, undefined, 2)}\n`)
    return
  }
  process.stdout.write(lines(steps))
  for (const { name } of builtin) process.stderr.write(`${name} is built in\n`)
  for (const { message } of notes) process.stderr.write(`${message}\n`)
}

function lines(steps: readonly { readonly path: string }[]): string {
  return steps.map(({ path }) => `${path}\n`).join('')
}

function notPlanned(error: {
  readonly message: string
  readonly target?: string
  readonly known?: readonly string[]
}): UserError {
  const near = nearNames((error.target ?? '').replaceAll('-', '_'), error.known ?? [])
  return new UserError({
    what: error.message,
    ...(near.length === 0 ? {} : { fix: `did you mean ${near.join(' or ')}?` }),
  })
}
