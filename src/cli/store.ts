import { Command } from 'commander'
import { cacheFolder, storeFolder } from './session.ts'

interface StoreOptions {
  readonly cache?: string
  readonly json?: boolean
}

/** `firmwright store gc|verify|stat` */
export function storeCommand(): Command {
  const command = new Command('store').description('Looks after the store: what has been built and fetched.')
  const add = (name: string, description: string): Command =>
    command
      .command(name)
      .description(description)
      .option('--cache <DIR>', 'folder of the store (default: FIRMWRIGHT_CACHE, ~/.cache/firmwright)')
      .option('--json', 'as JSON')
  add('gc', 'Removes what no output on disk refers to.')
    .addHelpText('after', '\nExample:\n  firmwright store gc')
    .action(async (options: StoreOptions) => {
      const { collectGarbage } = await import('../engine/index.ts')
      print(await collectGarbage({ storeFolder: storeFolder(cacheFolder(options.cache)) }), options)
    })
  add('verify', 'Reads everything in the store and finds any changed byte.')
    .option('--repair', 'removes what is damaged, so that the next build makes it again')
    .addHelpText('after', '\nExample:\n  firmwright store verify')
    .action(async (options: StoreOptions & { readonly repair?: boolean }) => {
      const { verifyStore } = await import('../engine/index.ts')
      const report = await verifyStore({
        storeFolder: storeFolder(cacheFolder(options.cache)),
        repair: options.repair === true,
      })
      print(report, options)
      if (report.problems.length > 0) process.exitCode = 1
    })
  add('stat', 'Counts what is in the store.')
    .addHelpText('after', '\nExample:\n  firmwright store stat --json')
    .action(async (options: StoreOptions) => {
      const { storeStatistics } = await import('../engine/index.ts')
      print(await storeStatistics({ storeFolder: storeFolder(cacheFolder(options.cache)) }), options)
    })
  return command
}

function print(report: object, options: StoreOptions): void {
  process.stdout.write(`${JSON.stringify(report, undefined, options.json ? 0 : 2)}\n`)
}
