/**
 * Reading a tree from disk, running the probes it asks for. This is the part of the room that touches the world: it
 * reads files below the folder that the caller named and runs the `$(shell,…)` commands of that tree, nothing else.
 */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { machine } from 'node:os'
import { join, resolve } from 'node:path'
import type { TreeFiles } from './architectures.ts'
import { type Dialect, detectDialect } from './dialect.ts'
import { kconfigEnvironment } from './environment.ts'
import { replay } from './preprocess.ts'
import { createProbes, type Probes } from './probes.ts'
import { type KconfigResult, parseKconfig } from './tree.ts'
import { createTreeCache, type TreeCache, type TreeInput } from './tree-cache.ts'

export interface OpenOptions {
  /** top folder of the tree */
  readonly srctree: string
  /** what make's ARCH takes; undefined: that of this machine, or of the environment */
  readonly arch?: string | undefined
  /** the top file, relative to the tree; default: `Kconfig`, or `Config.in` where there is none */
  readonly top?: string
  /** default: found out from the tree's scripts/kconfig */
  readonly dialect?: Dialect | undefined
  /** default: that of this process */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** folder to run probes in; default: a temporary one */
  readonly folder?: string | undefined
  /** keeps the results of compiler probes between runs */
  readonly probeCacheFile?: string | undefined
  /** keeps trees between runs, see tree-cache.ts; a folder for nothing else. undefined: a tree is always read */
  readonly treeCacheFolder?: string | undefined
  /** how many probes run side by side; default: one for each processor */
  readonly jobs?: number
}

export type OpenResult = KconfigResult & {
  /** what probes wrote to standard error */
  readonly probeErrors: string
  /** the environment that the tree was read in */
  readonly environment: Readonly<Record<string, string>>
}

/** How often results of probes may lead to further probes. Real trees need three rounds. */
const MAX_ROUNDS = 50

/** Files below a folder as byte strings, each read once. */
export function fileReader(folder: string): (name: string) => string | undefined {
  const contents = new Map<string, string | undefined>()
  return (name) => {
    if (!contents.has(name))
      contents.set(name, byteStringOf(name.startsWith('/') ? name : `${folder}/${name}`))
    return contents.get(name)
  }
}

/** Large enough for nearly every file of a tree to be read in one go. */
let chunk: Buffer | undefined

function byteStringOf(path: string): string | undefined {
  chunk ??= Buffer.allocUnsafe(1 << 17)
  try {
    const file = openSync(path, 'r')
    try {
      let content = ''
      for (;;) {
        const size = readSync(file, chunk)
        content += chunk.toString('latin1', 0, size)
        if (size < chunk.length) return content
      }
    } finally {
      closeSync(file)
    }
  } catch {
    return undefined
  }
}

/** The files of a tree on disk, for `architecturesWith`. */
export const treeFiles = (folder: string): TreeFiles => ({
  read: fileReader(folder),
  folders(path) {
    try {
      const entries = readdirSync(join(folder, path), { withFileTypes: true })
      return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
    } catch {
      return []
    }
  },
})

export async function openTree(options: OpenOptions): Promise<OpenResult> {
  const srctree = resolve(options.srctree)
  const readFile = fileReader(srctree)
  const made = kconfigEnvironment({
    srctree,
    arch: options.arch,
    base: options.environment ?? process.env,
    machine: machine(),
    readFile,
  })
  const variables: Record<string, string> = { ...made.variables }
  const probes = createProbes({
    environment: variables,
    folder: options.folder,
    cacheFile: options.probeCacheFile,
    ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
  })
  const texts = Object.entries(made.commands)
  const missing = texts
    .map(([, command]) => command)
    .filter((command) => probes.recall(command) === undefined)
  if (missing.length > 0) await probes.run(missing)
  for (const [name, command] of texts) variables[name] = (probes.recall(command) ?? '').replaceAll('#', '')
  const input: TreeInput = {
    top: options.top ?? ['Kconfig', 'Config.in'].find((name) => readFile(name) !== undefined) ?? 'Kconfig',
    dialect: options.dialect ?? detectDialect(readFile),
    readFile,
    environment: (name) => variables[name],
  }
  const { treeCacheFolder } = options
  const result =
    treeCacheFolder === undefined
      ? await parseWithProbes(input, probes)
      : await readOrRecall(input, probes, createTreeCache({ folder: treeCacheFolder, srctree }))
  probes.save()
  return { ...result, probeErrors: probes.errors, environment: variables }
}

/**
 * A tree out of the cache, or read and put there. One whose probes had to be run is not put there: beside those, reading
 * it takes no time, and a machine that starts empty every time never comes to need it.
 */
async function readOrRecall(input: TreeInput, probes: Probes, cache: TreeCache): Promise<KconfigResult> {
  const kept = await cache.recall(input, probes)
  if (kept !== undefined) return kept
  const begun = Date.now()
  const files = new Map<string, boolean>()
  const variables = new Map<string, string | undefined>()
  const commands = new Set<string>()
  const listening: TreeInput = {
    ...input,
    readFile(name) {
      const content = input.readFile(name)
      files.set(name, content !== undefined)
      return content
    },
    environment(name) {
      const value = input.environment(name)
      variables.set(name, value)
      return value
    },
  }
  const result = await parseWithProbes(listening, probes, (command) => commands.add(command))
  if (result.ok && probes.ran === 0) cache.keep(input, result, { files, variables, commands }, probes, begun)
  return result
}

/**
 * Reads a tree as often as its probes need: while it is read, probes that it turns out to need run already.
 * @param listen is told every command that is asked for
 */
export async function parseWithProbes(
  input: TreeInput,
  probes: Probes,
  listen: (command: string) => void = () => {},
): Promise<KconfigResult> {
  const shell = (command: string): string | undefined => {
    listen(command)
    const answer = probes.recall(command)
    if (answer === undefined) probes.begin(command)
    return answer
  }
  for (let round = 0; ; round++) {
    const result = parseKconfig({ ...input, shell })
    if (result.ok || result.error.type !== 'unanswered') return result
    if (round >= MAX_ROUNDS) {
      await probes.run([])
      return result
    }
    // Answers lead to further commands (the compiler's version to tests of it): those come out of the macros alone.
    const { log } = result.error
    const silent = { environment: input.environment, shell, info: () => {}, warning: () => {} }
    let { commands } = result.error
    for (let again = 0; commands.length > 0 && again < MAX_ROUNDS; again++) {
      await probes.run(commands)
      commands = replay(log, silent)
    }
  }
}
