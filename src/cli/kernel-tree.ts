import { UserError } from '../diagnostics/index.ts'
import { type Kbuild, openSourceTree, openSymbols, readKbuild, type SourceTree } from '../kbuild/index.ts'
import { sourceArchitecture } from '../kconfig/index.ts'

/**
 * Opens a kernel source and reads its Makefiles, with every symbol open.
 *
 * @param arch what make's ARCH takes
 * @throws UserError when it is none, or has no such architecture
 */
export function openKernelTree(folder: string, arch: string): { tree: SourceTree; kbuild: Kbuild } {
  const tree = openSourceTree(folder)
  if (tree.readFile('Kbuild') === undefined || tree.readFile('Kconfig') === undefined)
    throw new UserError({
      what: `${folder} is no kernel source`,
      why: 'it has no Kbuild or no Kconfig file',
      fix: 'name the top folder of an unpacked kernel source',
    })
  const srcarch = sourceArchitecture(arch)
  if (tree.readFile(`arch/${srcarch}/Makefile`) === undefined) {
    const known = (tree.list('arch') ?? []).flatMap((name) => (name.endsWith('/') ? [name.slice(0, -1)] : []))
    throw new UserError({
      what: `${folder} has no architecture ${arch}`,
      fix: `name one of ${known.join(', ')}`,
    })
  }
  const symbols = openSymbols(tree, arch)
  if (!symbols.ok)
    throw new UserError({ what: `${folder}: Kconfig cannot be read`, why: symbols.error.message })
  const kbuild = readKbuild({ tree, srcarch, arch, symbol: symbols.value })
  if (!kbuild.ok) throw new UserError({ what: kbuild.error.message })
  return { tree, kbuild: kbuild.value }
}
