/** What a kernel and its modules have become in another build of the same tree. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseSymvers, type Symvers, type SymversEntry } from '../kmod/index.ts'
import { linkedObjects } from './linked-objects.ts'
import { codeDigest } from './object-code.ts'

export interface BuildDifference {
  /** objects of vmlinux, and its linker script */
  readonly builtin: Changes
  /** modules, by the path of their .ko */
  readonly modules: Changes
  /** how many objects are in vmlinux, before */
  readonly builtinObjects: ReadonlySet<string>
  readonly exports: readonly ExportChange[]
}

export interface Changes {
  readonly added: readonly string[]
  readonly gone: readonly string[]
  readonly different: readonly string[]
}

/** A symbol that vmlinux exports, and no more as it did; undefined where it does not export it at all. */
export interface ExportChange {
  readonly name: string
  readonly before: SymversEntry | undefined
  readonly after: SymversEntry | undefined
}

/** @param before a build, @param after a copy of it in which something was made again */
export async function compareBuilds(
  before: string,
  after: string,
  { toolPrefix, srcarch }: { readonly toolPrefix: string; readonly srcarch: string },
): Promise<BuildDifference> {
  const [old, now] = await Promise.all([linkedObjects(before, toolPrefix), linkedObjects(after, toolPrefix)])
  const script = `arch/${srcarch}/kernel/vmlinux.lds`
  const builtin = changes(before, after, [...old, script], [...now, script])
  return {
    builtin,
    modules: changes(before, after, modulesOf(before), modulesOf(after)),
    builtinObjects: old,
    exports: exportChanges(symversOf(before), symversOf(after)),
  }
}

/** The .ko files of a build, in the order of modules.order. */
export function modulesOf(folder: string): readonly string[] {
  const list = join(folder, 'modules.order')
  if (!existsSync(list)) return []
  const lines = readFileSync(list, 'utf8').split('\n')
  return lines
    .filter((line) => line !== '')
    .map((line) => line.replace(/\.o$/, '.ko').replace(/^kernel\//, ''))
}

export const symversOf = (folder: string): Symvers =>
  parseSymvers(readFileSync(join(folder, 'Module.symvers'), 'utf8'))

function changes(before: string, after: string, old: readonly string[], now: readonly string[]): Changes {
  const had = new Set(old)
  const has = new Set(now)
  return {
    added: now.filter((path) => !had.has(path)),
    gone: old.filter((path) => !has.has(path)),
    different: now.filter((path) => had.has(path) && isDifferent(join(before, path), join(after, path))),
  }
}

/** What was not made again still has its time, and is not read. */
function isDifferent(before: string, after: string): boolean {
  if (statSync(before).mtimeMs === statSync(after).mtimeMs) return false
  return codeDigest(readFileSync(before)) !== codeDigest(readFileSync(after))
}

function exportChanges(before: Symvers, after: Symvers): readonly ExportChange[] {
  const ofKernel = (symvers: Symvers): Map<string, SymversEntry> =>
    new Map([...symvers].filter(([, { exporter }]) => exporter === 'vmlinux'))
  const old = ofKernel(before)
  const now = ofKernel(after)
  const text = (entry: SymversEntry | undefined): string => JSON.stringify(entry) ?? ''
  return [...new Set([...old.keys(), ...now.keys()])]
    .map((name) => ({ name, before: old.get(name), after: now.get(name) }))
    .filter((each) => text(each.before) !== text(each.after))
}
