import { Command } from 'commander'
import type { GarbageReport, StoreStatistics, VerifyReport } from '../engine/index.ts'
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
      print(
        await collectGarbage({ storeFolder: storeFolder(cacheFolder(options.cache)) }),
        options,
        garbageText,
      )
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
      print(report, options, verifyText)
      if (report.problems.some(({ repaired }) => !repaired)) process.exitCode = 1
    })
  add('stat', 'Counts what is in the store.')
    .addHelpText('after', '\nExample:\n  firmwright store stat --json')
    .action(async (options: StoreOptions) => {
      const { storeStatistics } = await import('../engine/index.ts')
      print(
        await storeStatistics({ storeFolder: storeFolder(cacheFolder(options.cache)) }),
        options,
        statisticsText,
      )
    })
  return command
}

function print<Report extends object>(
  report: Report,
  options: StoreOptions,
  text: (report: Report) => readonly string[],
): void {
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${text(report).join('\n')}\n`)
}

function garbageText({ removed, freedBytes, kept }: GarbageReport): readonly string[] {
  return [
    `removed ${removed.blobs.count} files and ${removed.results.count} results: ${megabytes(freedBytes)} freed`,
    `kept ${kept.blobs.count} files (${megabytes(kept.blobs.bytes)}), which these refer to:`,
    ...kept.roots.map((path) => `  ${path}`),
  ]
}

function verifyText({ problems, checked }: VerifyReport): readonly string[] {
  return [
    ...problems.map(({ path, message, repaired }) => `${path}: ${message}${repaired ? ' (repaired)' : ''}`),
    `read ${checked.blobs} files (${megabytes(checked.bytes)}) and ${checked.results} results: ${
      problems.length === 0 ? 'all is well' : `${problems.length} problems`
    }`,
  ]
}

function statisticsText({
  folder,
  blobs,
  results,
  work,
  totalBytes,
  roots,
}: StoreStatistics): readonly string[] {
  return [
    `${folder}: ${megabytes(totalBytes)} in ${blobs.count} files and ${results.count} results`,
    ...(work.count === 0
      ? []
      : [`of them kept to go on from, as objects of kernels: ${megabytes(work.bytes)}`]),
    'outputs that keep what they refer to:',
    ...roots.map(({ path, standing }) => `  ${path}${standing ? '' : ' (gone or changed: keeps nothing)'}`),
  ]
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
