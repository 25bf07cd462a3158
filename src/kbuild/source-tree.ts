/** A kernel source tree on disk, for reading. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { detectDialect, type Kconfig, parseKconfig, sourceArchitecture } from '../kconfig/index.ts'
import { type KbuildResult, limits } from './error.ts'
import type { SourceTree } from './expand.ts'
import type { SymbolState } from './kbuild.ts'

/** Names that lead out of the folder are names of nothing, and so are those of what is no file, or too large for one. */
export function openSourceTree(folder: string): SourceTree {
  const contents = new Map<string, string | undefined>()
  const outside = (name: string): boolean => name.split('/').includes('..')
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work()
    } catch {
      return undefined
    }
  }
  const read = (name: string): string | undefined => {
    const path = join(folder, name)
    const stat = statSync(path)
    return stat.isFile() && stat.size <= limits.fileBytes ? readFileSync(path, 'utf8') : undefined
  }
  return {
    readFile(name) {
      if (!contents.has(name)) contents.set(name, outside(name) ? undefined : attempt(() => read(name)))
      return contents.get(name)
    },
    list(name) {
      if (outside(name)) return undefined
      const entries = attempt(() => readdirSync(join(folder, name), { withFileTypes: true }))
      return entries?.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    },
  }
}

/**
 * The symbols of an architecture, each open: for looking at all configurations at once. Only their types are wanted,
 * which no compiler has a say in, so the tree's probes are not run; each counts as answered with 0. Numbers and texts
 * count as empty: nothing is known that makes an object depend on one.
 * @param arch what make's ARCH takes
 */
export function openSymbols(tree: SourceTree, arch: string): KbuildResult<(name: string) => SymbolState> {
  const readFile = (name: string): string | undefined => {
    const text = tree.readFile(name)
    return text === undefined ? undefined : Buffer.from(text, 'utf8').toString('latin1')
  }
  const environment: Readonly<Record<string, string>> = {
    ARCH: arch,
    SRCARCH: sourceArchitecture(arch),
    srctree: '.',
  }
  const result = parseKconfig({
    top: 'Kconfig',
    dialect: detectDialect(readFile),
    readFile,
    environment: (name) => environment[name],
    shell: () => '0',
  })
  if (!result.ok)
    return { ok: false, error: { type: 'invalid', message: result.error.message, at: undefined } }
  return { ok: true, value: (name) => stateOf(result.value, name) }
}

function stateOf({ byName }: Kconfig, name: string): SymbolState {
  const type = byName.get(name)?.type
  return type === 'bool' || type === 'tristate' ? { type } : { type: 'value', value: '' }
}

/** The symbols of one configuration, given as its values by name. */
export function fixedSymbols(config: ReadonlyMap<string, string>): (name: string) => SymbolState {
  return (name) => ({ type: 'value', value: config.get(name) ?? 'n' })
}
