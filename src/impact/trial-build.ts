/**
 * The build with the wish in it: a copy of the build folder, in which the kernel's own make makes again what the change
 * touches. Flags, generated headers, linker scripts, directories that are entered now: make knows of all of them, and
 * the folder of the flashed kernel stays as it is.
 */
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { UserError } from '../diagnostics/index.ts'
import type { BuildFolder } from './build-folder.ts'
import { makeVariablesOf, type Wish } from './wish.ts'

export interface TrialOptions {
  /** called with every object that is made */
  readonly onObject?: (path: string) => void
  readonly signal?: AbortSignal
}

/**
 * Makes all objects of the kernel and its modules, without linking the kernel, and hands the folder to `work`; it is
 * removed afterwards.
 *
 * @throws UserError where make fails
 */
export async function inTrialBuild<T>(
  build: BuildFolder,
  wish: Wish,
  { onObject, signal }: TrialOptions,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  // Beside the original, so that relative paths from one to the source are those from the other.
  const folder = makeFolder(`${build.folder}-impact-`)
  try {
    await promisify(execFile)('cp', ['-a', '--reflink=auto', `${build.folder}/.`, folder], { signal })
    writeFileSync(join(folder, '.config'), Buffer.from(wish.configText, 'latin1'))
    await make(build, wish, folder, { ...(onObject && { onObject }), ...(signal && { signal }) })
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function notStarted(error: NodeJS.ErrnoException): unknown {
  if (error.code !== 'ENOENT') return error
  return new UserError({ what: 'The program make is not installed', fix: 'install the Debian package make' })
}

function makeFolder(prefix: string): string {
  try {
    return mkdtempSync(prefix)
  } catch (error) {
    throw new UserError({
      what: `no folder can be made beside ${prefix.slice(0, -'-impact-'.length)}`,
      why: error instanceof Error ? error.message : String(error),
      fix: 'what is asked for is built in a copy there: make the folder around it writable, with room for a copy',
    })
  }
}

async function make(
  build: BuildFolder,
  { changes }: Wish,
  folder: string,
  { onObject, signal }: TrialOptions,
): Promise<void> {
  const inTree = build.source === build.folder
  const versioned = changes.some(({ symbol }) => symbol.startsWith('LOCALVERSION'))
  const variables = {
    ...makeVariablesOf(build),
    // What git, or a variable of the user's, added to the version at the time.
    ...(versioned ? {} : { KERNELRELEASE: build.release }),
  }
  const args = [
    `-j${availableParallelism()}`,
    ...['-C', inTree ? folder : build.source],
    ...(inTree ? [] : [`O=${folder}`]),
    ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    ...['vmlinux_o', 'modules'],
  ]
  const { MAKEFLAGS: _, MAKELEVEL: __, ...environment } = process.env
  const child = spawn('make', args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'], signal })
  const complaints: string[] = []
  const follow = async (stream: NodeJS.ReadableStream, each: (line: string) => void) => {
    for await (const line of createInterface({ input: stream })) each(line)
  }
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(notStarted(error)))
    child.once('close', resolve)
  })
  const [status] = await Promise.all([
    ended,
    follow(child.stdout, (line) => {
      const object = /^ {2}(?:CC|AS)(?: \[M\])? +(\S+\.o)$/.exec(line)?.[1]
      if (object !== undefined) onObject?.(object)
    }),
    follow(child.stderr, (line) => complaints.push(line)),
  ])
  if (status === 0) return
  const errors = complaints.filter((line) => /error:|No rule to make|No such file|not found/i.test(line))
  throw new UserError({
    what: 'the kernel with what is asked for does not build',
    why: [...errors.slice(0, 5), ...complaints.slice(-5)]
      .filter((line, at, all) => all.indexOf(line) === at)
      .join('\n'),
    fix: 'use the compiler, and have the packages, that the kernel was built with',
  })
}
