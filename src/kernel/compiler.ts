/** Which compiler builds a kernel: what the configuration depends on, and what a cached build is good for. */
import { existsSync } from 'node:fs'
import { UserError } from '../diagnostics/index.ts'
import type { Engine, FileArtifact } from '../engine/index.ts'
import type { BuildTarget } from './build-target.ts'

export interface Compiler {
  /** versions of compiler and linker, as they print them, and digests of all programs */
  readonly identity: FileArtifact
  /** programs whose content decides what is built; those that the compiler itself starts are among them */
  readonly tools: readonly string[]
}

/** @throws UserError naming each header that is missing and its package */
export function checkHeaders(headers: Readonly<Record<string, string>>): void {
  const missing = Object.entries(headers).filter(([path]) => !existsSync(path))
  if (missing.length > 0)
    throw new UserError(
      ...missing.map(([path, name]) => ({
        what: `The header ${path} is not installed`,
        why: 'programs that the kernel is built with need it',
        fix: `install the Debian package ${name}`,
      })),
    )
}

/** @throws UserError naming each missing program or header and its package */
export async function findCompiler(
  engine: Engine,
  { toolPrefix, headers }: Pick<BuildTarget, 'toolPrefix' | 'headers'>,
): Promise<Compiler> {
  checkHeaders(headers)
  const cross = (name: string): string => `${toolPrefix}${name}`
  const programs = [
    ...['gcc', 'ld', 'as', 'ar', 'nm', 'objcopy', 'objdump', 'strip', 'readelf'].map(cross),
    ...['gcc', 'make', 'flex', 'bison', 'bc'],
  ]
  // Two compilers of one version may differ: distributions mend them.
  const script = `set -eu
{ ${cross('gcc')} --version; ${cross('ld')} --version; gcc --version; } > identity
for compiler in ${cross('gcc')} gcc; do $compiler -print-prog-name=cc1; done > passes
for program in ${programs.join(' ')} $(cat passes); do sha256sum < "$(command -v "$program")"; done >> identity
`
  const outputs = await engine.build({
    kind: 'command',
    name: 'look at the compiler',
    argv: ['sh', '-c', script],
    env: {},
    inputs: {},
    outputs: ['identity', 'passes'],
    tools: [...programs, 'sha256sum'],
  })
  const { identity, passes } = outputs
  if (identity?.kind !== 'file' || passes?.kind !== 'file') throw new Error('the shell left no files')
  const paths = (await engine.read(passes))
    .toString('utf8')
    .split('\n')
    .filter((path) => path.startsWith('/'))
  return { identity, tools: [...new Set([...programs, ...paths])] }
}
