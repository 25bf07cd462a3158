/** A tree's own Kconfig code, for many questions: see driver.c. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** What the tree's own code makes of a configuration. */
export interface Verdict {
  readonly values: readonly string[]
  /** symbols that it warned of: selected against their direct dependencies */
  readonly unmet: readonly string[]
}

export interface Driver {
  /** @param lines of a .config, in place of the base's for the same symbols; @param symbols whose values to tell */
  ask(lines: readonly string[], symbols: readonly string[]): Promise<Verdict>
  close(): Promise<void>
}

/** Compiles the driver with the sources of the tree, which stays untouched. @returns the program */
export function buildDriver(srctree: string, folder: string): string {
  mkdirSync(folder, { recursive: true })
  const source = join(srctree, 'scripts/kconfig')
  const run = (program: string, ...args: string[]): void => {
    execFileSync(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  }
  run('flex', '-o', 'lexer.lex.c', '-L', join(source, 'lexer.l'))
  run('bison', '-o', 'parser.tab.c', '--defines=parser.tab.h', '-t', '-l', join(source, 'parser.y'))
  const own = ['confdata', 'expr', 'menu', 'preprocess', 'symbol', 'util'].map((name) =>
    join(source, `${name}.c`),
  )
  const include = [folder, source, join(srctree, 'scripts/include')].map((path) => `-I${path}`)
  const main = fileURLToPath(new URL('driver.c', import.meta.url))
  run(
    'gcc',
    '-O2',
    '-D_GNU_SOURCE',
    '-w',
    ...include,
    '-o',
    'driver',
    main,
    'lexer.lex.c',
    'parser.tab.c',
    ...own,
  )
  return join(folder, 'driver')
}

export function startDriver(
  program: string,
  folder: string,
  base: string,
  environment: Readonly<Record<string, string>>,
): Driver {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'base.config'), base, 'latin1')
  const child = spawn(program, ['Kconfig', 'base.config'], {
    cwd: folder,
    env: environment,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const waiting: { resolve(verdict: Verdict): void; reject(error: Error): void }[] = []
  const ended = new Promise<void>((resolve) => {
    child.on('close', () => {
      for (const { reject } of waiting.splice(0)) reject(new Error(`${program} ended before it had answered`))
      resolve()
    })
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [values = '', unmet = ''] = line.split('|')
    waiting.shift()?.resolve({
      values: values.split('\t'),
      unmet: unmet === '' ? [] : unmet.split('\t'),
    })
  })
  return {
    ask(lines, symbols) {
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        child.stdin.write(`${[...lines, ...symbols.map((name) => `?${name}`)].join('\t')}\n`, 'latin1')
      })
    },
    close() {
      child.stdin.end()
      return ended
    },
  }
}
