import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { UserError } from '../diagnostics/index.ts'
import type { Engine } from '../engine/index.ts'
import { jsonProgress, plainProgress, terminalProgress } from '../progress/index.ts'

/** Options that every command which builds something has. */
export interface BuildOptions {
  readonly cache?: string
  readonly jobs?: number
  readonly offline?: boolean
  readonly json?: boolean
  readonly distcc?: string
}

export function addBuildOptions(command: Command): Command {
  return command
    .option(
      '--cache <DIR>',
      'folder of the store and of package indexes (default: FIRMWRIGHT_CACHE, ~/.cache/firmwright)',
    )
    .option('--jobs <N>', 'commands that run at once (default: one a core)', wholeNumber)
    .option(
      '--distcc <HOST/SLOTS,…>',
      'compile kernels on these machines too, by distcc; each needs the same compiler',
      distccHosts,
    )
    .option('--offline', 'do not touch the network; pinned packages must have been fetched before')
    .option('--json', 'progress as lines of JSON on standard output')
}

function wholeNumber(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) {
    throw new InvalidArgumentError(`${text} is not a whole number above 0`)
  }
  return number
}

/** distcc(1), "HOST SPECIFICATIONS": a name or an address, a port if it is not 3632, and how many jobs at once. */
function distccHosts(text: string): string {
  const wrong = text.split(',').find((host) => !/^[\w.-]+(?::\d+)?\/[1-9]\d*$/.test(host))
  if (wrong !== undefined) throw new InvalidArgumentError(`${wrong || 'nothing'} is not HOST/SLOTS`)
  return text
}

/** Folder of everything that Firmwright keeps between runs. */
export function cacheFolder(given?: string): string {
  if (given !== undefined) return resolve(given)
  const { FIRMWRIGHT_CACHE, XDG_CACHE_HOME } = process.env
  if (FIRMWRIGHT_CACHE !== undefined && FIRMWRIGHT_CACHE !== '') return resolve(FIRMWRIGHT_CACHE)
  return join(
    XDG_CACHE_HOME === undefined || XDG_CACHE_HOME === '' ? join(homedir(), '.cache') : XDG_CACHE_HOME,
    'firmwright',
  )
}

export function storeFolder(cache: string): string {
  return join(cache, 'store')
}

/** Runs `work` with an engine whose progress is shown, and which stops in good order on SIGINT and SIGTERM. */
export async function withEngine<T>(options: BuildOptions, work: (engine: Engine) => Promise<T>): Promise<T> {
  const { openEngine } = await import('../engine/index.ts')
  if (options.distcc !== undefined && !existsSync('/usr/bin/distcc'))
    throw new UserError({
      what: 'The program distcc is not installed',
      fix: 'install the Debian package distcc, or leave out --distcc',
    })
  const progress = options.json
    ? jsonProgress((line) => process.stdout.write(`${line}\n`))
    : process.stderr.isTTY
      ? await terminalProgress(process.stderr)
      : plainProgress((line) => process.stderr.write(`${line}\n`))
  const abort = new AbortController()
  const stop = (): void => abort.abort()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    const engine = await openEngine({
      storeFolder: storeFolder(cacheFolder(options.cache)),
      onEvent: progress.event,
      signal: abort.signal,
      ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
      ...(options.distcc === undefined ? {} : { distcc: options.distcc }),
    })
    try {
      return await work(engine)
    } finally {
      await engine.close()
    }
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
    progress.stop()
  }
}
