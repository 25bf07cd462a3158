/** Running a tree's own `conf`, whose word about a configuration is the last. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The text of a configuration, and everything that was said about it on standard error. */
export interface Outcome {
  readonly text: string
  readonly messages: string
}

export interface JudgeOptions {
  readonly conf: string
  /** folder of its own: every run starts in an empty one inside */
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  /** top file of the tree */
  readonly top?: string
}

export interface ConfRun {
  /** what the `.config` is before */
  readonly config?: string | undefined
  readonly environment?: Readonly<Record<string, string>>
  /** the file that is looked at afterwards */
  readonly output?: string
}

export type Judge = (args: readonly string[], run?: ConfRun) => Outcome & { readonly stdout: string }

/** One judge for each tree, architecture and environment: it keeps what the compiler answered to it. */
export function createJudge({ conf, folder, environment, top = 'Kconfig' }: JudgeOptions): Judge {
  const answers = join(folder, 'answers')
  const work = join(folder, 'work')
  mkdirSync(answers, { recursive: true })
  const preload = join(folder, 'cachedPopen.so')
  const source = fileURLToPath(new URL('cached-popen.c', import.meta.url))
  execFileSync('gcc', ['-shared', '-fPIC', '-O2', '-o', preload, source, '-ldl'])
  return (args, { config, environment: more = {}, output = '.config' } = {}) => {
    rmSync(work, { recursive: true, force: true })
    mkdirSync(join(work, 'include'), { recursive: true })
    if (config !== undefined) writeFileSync(join(work, '.config'), config, 'latin1')
    const result = spawnSync(conf, [...args, top], {
      cwd: work,
      env: {
        ...environment,
        KCONFIG_DEFCONFIG_LIST: '',
        LD_PRELOAD: preload,
        PROBE_CACHE: answers,
        ...more,
      },
      // Enter at every question of those that ask.
      input: '\n'.repeat(20_000),
      encoding: 'latin1',
      maxBuffer: 1 << 28,
    })
    const file = join(work, output)
    const text = existsSync(file) ? readFileSync(file, 'latin1') : `exit ${result.status}\n${result.stderr}`
    return { text, messages: result.stderr, stdout: result.stdout }
  }
}
