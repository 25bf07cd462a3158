/**
 * For which architectures of a kernel tree a symbol is defined, found by following `source` lines alone: no macro is
 * expanded and no probe run.
 */

export interface TreeFiles {
  /** the text of a file of the tree, undefined where there is none */
  read(path: string): string | undefined
  /** the names of the folders in a folder of the tree */
  folders(path: string): readonly string[]
}

const source = /^\s*source\s+"([^"]+)"/gm

/** @returns names of folders below arch/, sorted */
export function architecturesWith(files: TreeFiles, name: string): readonly string[] {
  const definition = new RegExp(`^\\s*(?:menu)?config\\s+${name.replace(/\W/g, '')}\\s*$`, 'm')
  const known = new Map<string, { readonly defines: boolean; readonly sources: readonly string[] }>()
  const look = (path: string) => {
    const before = known.get(path)
    if (before !== undefined) return before
    const text = files.read(path) ?? ''
    const found = {
      defines: definition.test(text),
      sources: [...text.matchAll(source)].map(([, to = '']) => to),
    }
    known.set(path, found)
    return found
  }
  /** Whether the symbol is defined in a file that is reached from this one. */
  const reaches = (path: string, architecture: string, seen: Set<string>): boolean => {
    if (seen.has(path)) return false
    seen.add(path)
    const { defines, sources } = look(path)
    if (defines) return true
    return sources.some((to) =>
      reaches(to.replace(/\$\((?:SRCARCH|ARCH|HEADER_ARCH)\)/g, architecture), architecture, seen),
    )
  }
  return files
    .folders('arch')
    .filter((architecture) => reaches('Kconfig', architecture, new Set()))
    .sort()
}
