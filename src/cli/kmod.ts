import { Command, Option } from 'commander'
import { addSourceOptions } from './kernel-source.ts'

/** `firmwright kmod plan`, `kmod check`, `kmod match` */
export function kmodCommand(): Command {
  const command = new Command('kmod').description(
    'Looks at the kernel modules of a lib/modules/VERSION folder.',
  )
  const modules = ['--modules <DIR>', 'a lib/modules/VERSION folder; depmod need not have run'] as const
  const noIndex = [
    '--no-index',
    'read every module anew; otherwise what did not change (by inode, size and times) is known from the last time',
  ] as const
  addSourceOptions(command.command('plan'))
    .description('Prints what must be loaded for some modules, in order, one path a line.')
    .argument('<TARGET...>', 'names, paths relative to the folder, or aliases')
    .requiredOption(...modules)
    .option(...noIndex)
    .option('--json', 'as JSON, with why each is there')
    .addOption(new Option('--graph <FORMAT>', 'as a picture of who needs whom').choices(['svg', 'dot']))
    .addOption(
      new Option(
        '--as-modprobe',
        "exactly modprobe's plan, which counts a module's first softdep line only",
      ).conflicts('graph'),
    )
    .option(
      '--modprobe-config <PLACE...>',
      'modprobe.d folders or files, the first before later ones with a file of the same name: aliases, options, blacklists, softdeps; commands are reported and not run',
    )
    .addHelpText(
      'after',
      '\nExample:\n  firmwright kmod plan --modules /lib/modules/6.1.0-31-arm64 nft_masq btrfs',
    )
    .action(async (targets, options) => (await import('./kmod-plan.ts')).plan(targets, options))
  addSourceOptions(command.command('check'))
    .description('Proves that modules load: imports, checksums, namespaces, vermagic, licences, firmware.')
    .argument('[TARGET...]', 'names, paths or aliases, with all they need; without any, every module')
    .requiredOption(...modules)
    .option(...noIndex)
    .option(
      '--symvers <FILE>',
      "the kernel's Module.symvers, from its headers package or its build; default: DIR/build/Module.symvers",
    )
    .option('--firmware <DIR>', 'a lib/firmware folder: what drivers ask for must be in it')
    .option('--waive-firmware <NAME...>', 'firmware that may be missing')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Exit code 0 says that all is proved; 1 that something is wrong, or could not be proved.

Example:
  firmwright kmod check --modules /lib/modules/6.1.0-31-arm64 \\
    --symvers /usr/src/linux-headers-6.1.0-31-arm64/Module.symvers`,
    )
    .action(async (targets, options) => (await import('./kmod-check.ts')).check(targets, options))
  addSourceOptions(command.command('match'))
    .description('Prints which modules drive the devices of a device tree, or of a list of modaliases.')
    .requiredOption(...modules)
    .option(...noIndex)
    .addOption(new Option('--dtb <FILE>', 'a flattened device tree').conflicts('modalias'))
    .option(
      '--modalias <FILE>',
      'modaliases, one a line: what a running machine has in files of that name in /sys',
    )
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Drivers that are built into the kernel name no devices: where no module answers, that is not to say that none drives it.
With --srctree, the source of the same version, they are found there, and the symbols that would give a device a driver.

Example:
  firmwright kmod match --modules /lib/modules/6.1.0-31-arm64 --dtb board.dtb --srctree linux`,
    )
    .action(async (options) => (await import('./kmod-match.ts')).match(options))
  return command
}
