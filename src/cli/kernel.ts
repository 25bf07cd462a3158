import { Command } from 'commander'

/** `firmwright kernel impact` */
export function kernelCommand(): Command {
  const command = new Command('kernel').description('Looks at kernels that were built from source.')
  command
    .command('impact')
    .description('Says whether modules can be added to a flashed kernel, or what needs a new one and why.')
    .argument('<SYMBOL=VALUE...>', 'what is wished for: TUN=m')
    .requiredOption('--build <DIR>', "the flashed kernel's build: where make was run, or its O= folder")
    .option('-o, --output <DIR>', 'where to put the modules that are new or change, if they are all it takes')
    .option('--json', 'as JSON, with every object')
    .addHelpText(
      'after',
      `
What the change touches is made again in a copy beside DIR, which is removed afterwards.
Ends with 0 if new modules are all it takes, with 1 if not.

Example:
  firmwright kernel impact --build linux-6.1/build TUN=m VETH=m -o modules`,
    )
    .action(async (requests, options) => (await import('./kernel-impact.ts')).impact(requests, options))
  return command
}
