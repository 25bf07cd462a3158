/** `runConf` in this process: its environment, its working folder, its standard streams. */
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { ConfHost } from './conf.ts'
import { type Dialect, detectDialect } from './dialect.ts'
import { fileReader, parseWithProbes } from './open-tree.ts'
import { createProbes } from './probes.ts'

export interface NodeHostOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** default: that of the tree at `$srctree` */
  readonly dialect?: Dialect
  readonly probeCacheFile?: string
}

const STDIN = 0

/** Writes everything, however often a pipe says that it is full. */
function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

/** Lines of standard input, read no further than needed to have one. */
function lineReader(): () => string | undefined {
  let pending = ''
  const chunk = Buffer.alloc(1 << 16)
  return () => {
    for (;;) {
      const end = pending.indexOf('\n')
      if (end >= 0) {
        const line = pending.slice(0, end + 1)
        pending = pending.slice(end + 1)
        return line
      }
      let size = 0
      try {
        size = readSync(STDIN, chunk)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EAGAIN') continue
        if (code !== 'EOF') throw error
      }
      if (size === 0) {
        const rest = pending
        pending = ''
        return rest === '' ? undefined : rest
      }
      pending += chunk.toString('latin1', 0, size)
    }
  }
}

export function createNodeHost(options: NodeHostOptions = {}): ConfHost {
  const given = options.environment ?? process.env
  const variables: Record<string, string> = {}
  for (const [name, value] of Object.entries(given)) if (value !== undefined) variables[name] = value
  const { srctree } = variables
  const own = (name: string): string | undefined => {
    try {
      return readFileSync(name, 'latin1')
    } catch {
      return undefined
    }
  }
  const inTree = fileReader(srctree ?? '.')
  const readFile = (name: string): string | undefined =>
    own(name) ?? (srctree === undefined || name.startsWith('/') ? undefined : inTree(name))
  return {
    write: (text) => writeAll(1, text),
    writeError: (text) => writeAll(2, text),
    readLine: lineReader(),
    isTerminal: process.stdin.isTTY === true && process.stdout.isTTY === true,
    environment: (name) => variables[name],
    readFile,
    writeFile(name, content) {
      mkdirSync(dirname(name), { recursive: true })
      const temporary = `${name}.${process.pid}.tmp`
      writeFileSync(temporary, content, 'latin1')
      renameSync(temporary, name)
    },
    keepOld: (name, old) => copyFileSync(name, old),
    async open(top) {
      const probes = createProbes({
        environment: variables,
        folder: process.cwd(),
        cacheFile: options.probeCacheFile,
      })
      const result = await parseWithProbes(
        {
          top,
          dialect: options.dialect ?? detectDialect(inTree),
          readFile,
          environment: (name) => variables[name],
        },
        probes,
      )
      probes.save()
      return { ...result, probeErrors: probes.errors }
    },
  }
}
