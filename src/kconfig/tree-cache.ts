/**
 * Trees that were read before, kept on disk.
 *
 * What a tree is depends on its files, on the variables that they refer to, on the answers of the commands that they
 * run, and on the program that read it. All of that is kept beside the tree and looked at again before the tree is
 * believed: a file counts as the same while its place on the disk, its size, and the times of its last change and of
 * its last change of state are (as for make and git); variables and answers have to be equal. A command whose answer is
 * not known (a compiler was exchanged; `uname`) is run, as it would be for reading the tree.
 */
import { createHash } from 'node:crypto'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Probes } from './probes.ts'
import type { KconfigInput, KconfigResult } from './tree.ts'
import { recordTree, treeOfRecord } from './tree-record.ts'

/** How many trees are kept: each is one architecture of one tree, and takes some megabytes. */
const MAX_KEPT = 16

/** What changed after this much time before the reading may have changed again within the same tick of a file system's clock. */
const SETTLED_MILLISECONDS = 3000

export type TreeInput = Omit<KconfigInput, 'shell'>
type Read = Extract<KconfigResult, { ok: true }>

export interface TreeCacheOptions {
  /** folder of this cache alone */
  readonly folder: string
  readonly srctree: string
}

/** What has been asked for while a tree was read. */
export interface Questions {
  /** files, by the name under which they were asked for; whether there is one */
  readonly files: ReadonlyMap<string, boolean>
  readonly variables: ReadonlyMap<string, string | undefined>
  readonly commands: ReadonlySet<string>
}

export interface TreeCache {
  /** @returns the tree, if it was kept and reading it would give the same again */
  recall(input: TreeInput, probes: Probes): Promise<Read | undefined>
  /** @param begun when the reading of the tree began, in milliseconds since 1970. A cache that cannot be written is no error. */
  keep(input: TreeInput, result: Read, questions: Questions, probes: Probes, begun: number): void
}

interface Heading {
  readonly program: string
  readonly files: readonly (readonly [string, string])[]
  readonly variables: readonly (readonly [string, string | null])[]
  readonly commands: readonly (readonly [string, string])[]
  readonly messages: readonly string[]
  readonly output: readonly string[]
  /** the lengths of the two parts that follow: the numbers of the record, and its texts */
  readonly numbers: number
  readonly texts: number
}

export function createTreeCache({ folder, srctree }: TreeCacheOptions): TreeCache {
  const placeOf = (name: string): string => (name.startsWith('/') ? name : `${srctree}/${name}`)
  const fileFor = (input: TreeInput): string => {
    const { dialect, top, environment } = input
    const about = [srctree, top, dialect, environment('ARCH'), environment('SRCARCH')]
    return join(folder, createHash('sha256').update(JSON.stringify(about)).digest('hex').slice(0, 32))
  }

  async function recall(input: TreeInput, probes: Probes): Promise<Read | undefined> {
    const kept = readKept(fileFor(input))
    if (kept === undefined || input.dialect === undefined) return undefined
    const { heading, record } = kept
    if (heading.program !== programIdentity()) return undefined
    if (!heading.files.every(([name, identity]) => identityOf(placeOf(name))?.text === identity))
      return undefined
    if (!heading.variables.every(([name, value]) => (input.environment(name) ?? null) === value))
      return undefined
    const unknown = heading.commands
      .map(([command]) => command)
      .filter((command) => probes.recall(command) === undefined)
    if (unknown.length > 0) await probes.run(unknown)
    if (!heading.commands.every(([command, answer]) => probes.recall(command) === answer)) return undefined
    const { messages, output } = heading
    return { ok: true, value: treeOfRecord(record(), input.dialect, input.readFile), messages, output }
  }

  function keep(input: TreeInput, result: Read, questions: Questions, probes: Probes, begun: number): void {
    const files: [string, string][] = []
    for (const [name, exists] of questions.files) {
      const identity = exists ? identityOf(placeOf(name)) : undefined
      if (identity === undefined || identity.changed > begun - SETTLED_MILLISECONDS) return
      files.push([name, identity.text])
    }
    const commands: [string, string][] = []
    for (const command of questions.commands) {
      const answer = probes.recall(command)
      if (answer !== undefined) commands.push([command, answer])
    }
    const record = recordTree(result.value, input.readFile)
    if (record === undefined) return
    const numbers = Buffer.from(record.numbers.buffer)
    const joined = record.texts.join(SEPARATOR)
    const texts = Buffer.from(joined, 'latin1')
    // A separator inside a text, or a variable that is more than bytes.
    if (joined.split(SEPARATOR).length !== record.texts.length || texts.toString('latin1') !== joined) return
    const heading: Heading = {
      program: programIdentity(),
      files,
      variables: [...questions.variables].map(([name, value]) => [name, value ?? null]),
      commands,
      messages: result.messages,
      output: result.output,
      numbers: numbers.length,
      texts: texts.length,
    }
    writeKept(fileFor(input), [Buffer.from(`${JSON.stringify(heading)}\n`), numbers, texts])
  }
  return { recall, keep }
}

/** Stands between the texts of a record. */
const SEPARATOR = '\0'

function readKept(file: string) {
  try {
    const bytes = readFileSync(file)
    const end = bytes.indexOf('\n')
    const heading = JSON.parse(bytes.toString('utf8', 0, end)) as Heading
    const start = end + 1
    if (bytes.length !== start + heading.numbers + heading.texts) return undefined
    // Which trees are in use shows in the times of their files.
    const now = new Date()
    utimesSync(file, now, now)
    return {
      heading,
      record() {
        const numbers = new Int32Array(heading.numbers / Int32Array.BYTES_PER_ELEMENT)
        Buffer.from(numbers.buffer).set(bytes.subarray(start, start + heading.numbers))
        return { numbers, texts: bytes.toString('latin1', start + heading.numbers).split(SEPARATOR) }
      },
    }
  } catch {
    return undefined
  }
}

function writeKept(file: string, parts: readonly Buffer[]): void {
  try {
    const folder = dirname(file)
    mkdirSync(folder, { recursive: true })
    const temporary = `${file}.${process.pid}`
    writeFileSync(temporary, Buffer.concat(parts))
    renameSync(temporary, file)
    const others = readdirSync(folder).map((name) => join(folder, name))
    const oldestLast = others
      .map((path) => ({ path, used: statSync(path).mtimeMs }))
      .sort((a, b) => b.used - a.used)
    for (const { path } of oldestLast.slice(MAX_KEPT)) rmSync(path, { force: true })
  } catch {
    // Next time then.
  }
}

/** @returns undefined for what cannot be looked at; `changed`: when it changed last, in milliseconds since 1970 */
function identityOf(path: string): { readonly text: string; readonly changed: number } | undefined {
  try {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined) return undefined
    const { dev, ino, size, mtimeMs, ctimeMs } = stat
    return { text: `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`, changed: Math.max(mtimeMs, ctimeMs) }
  } catch {
    return undefined
  }
}

/** The program that reads trees: every file beside this one, which are the room or the bundle that it went into. */
function programIdentity(): string {
  const folder = dirname(fileURLToPath(import.meta.url))
  return readdirSync(folder)
    .sort()
    .map((name) => `${name}:${identityOf(join(folder, name))?.text}`)
    .join()
}
