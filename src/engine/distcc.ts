/** Compilers that run on other machines: distcc stands before them, in a folder that comes first in PATH. */
import { mkdirSync, symlinkSync } from 'node:fs'
import { executorPath } from './action.ts'
import { sandboxWorkFolder } from './sandbox.ts'

const program = '/usr/bin/distcc'

/** In the working folder. */
const place = '.distcc'

/** Seconds in which a machine must say something; then the object is compiled here. */
const patienceSeconds = 60

export interface Elsewhere {
  readonly env: Readonly<Record<string, string>>
  /** A folder to appear in the sandbox, path → source. */
  readonly bound: { readonly path: string; readonly source: string } | undefined
}

/**
 * @param hosts `HOST/SLOTS,…`
 * @param compilers names that distcc finds itself called by; it looks for the true one further on in PATH (distcc(1),
 *   "Masquerading")
 */
export function placeDistcc({
  hosts,
  compilers,
  job,
  workFolder,
  sandboxed,
}: {
  readonly hosts: string
  readonly compilers: readonly string[]
  /** a folder of this command's own */
  readonly job: string
  readonly workFolder: string
  readonly sandboxed: boolean
}): Elsewhere {
  const source = `${job}/distcc`
  mkdirSync(source)
  for (const name of compilers) symlinkSync(program, `${source}/${name}`)
  mkdirSync(`${job}/tmp/distcc`)
  if (sandboxed) mkdirSync(`${workFolder}/${place}`)
  return {
    env: {
      PATH: `${sandboxed ? `${sandboxWorkFolder}/${place}` : source}:${executorPath}`,
      DISTCC_HOSTS: hosts.split(',').join(' '),
      DISTCC_DIR: sandboxed ? '/tmp/distcc' : `${job}/tmp/distcc`,
      DISTCC_IO_TIMEOUT: String(patienceSeconds),
    },
    bound: sandboxed ? { path: place, source } : undefined,
  }
}
