/** Kernel modules from sources of their own, outside the kernel's tree: how a build makes them after the kernel's. */
import { existsSync } from 'node:fs'
import { basename, isAbsolute, join } from 'node:path'
import { type Origin, UserError } from '../diagnostics/index.ts'
import type { Engine, TreeArtifact } from '../engine/index.ts'
import { kernelForm } from '../kmod/index.ts'
import { quoted } from './linux-tree.ts'

/** A kernel module's own source: a vendor's driver. */
export interface OutOfTreeKmods {
  /** has a Kbuild file or a Makefile for the kernel's build; relative to the system file's folder */
  readonly directory: string
  /** names of the modules that it builds */
  readonly modules: readonly string[]
  /** what its Makefile wants to be told (`CONFIG_VENDOR_WIFI=m`) */
  readonly variables: Readonly<Record<string, string>>
  readonly origin: Origin
}

/** One that has been read, and where it is among the inputs of the build. */
export interface OutOfTreeSource extends OutOfTreeKmods {
  readonly place: string
  readonly tree: TreeArtifact
}

/** @param folder that folder names are relative to */
export function openOutOfTree(
  engine: Engine,
  kmods: readonly OutOfTreeKmods[],
  folder: string,
): Promise<readonly OutOfTreeSource[]> {
  return Promise.all(
    kmods.map(async (each, index) => {
      const path = isAbsolute(each.directory) ? each.directory : join(folder, each.directory)
      if (!['Kbuild', 'Makefile'].some((name) => existsSync(join(path, name))))
        throw new UserError({
          what: `${each.directory} is no source of a kernel module`,
          where: [each.origin],
          why: 'it has neither a Kbuild file nor a Makefile',
          fix: 'name the folder that make is given as M=',
        })
      const tree = await engine.import(path)
      if (tree.kind !== 'tree') throw new Error('a folder is a tree')
      const name = basename(path).replaceAll(/[^A-Za-z0-9_.-]/g, '_')
      return { ...each, place: `kmods/${index}/${name}`, tree }
    }),
  )
}

/** Whether one of these builds a module of this name. */
export function buildsOutOfTree(kmods: readonly OutOfTreeKmods[], name: string): boolean {
  return kmods.some(({ modules }) => modules.some((own) => kernelForm(own) === kernelForm(name)))
}

export const outOfTreeInputs = (
  sources: readonly OutOfTreeSource[],
): Readonly<Record<string, TreeArtifact>> =>
  Object.fromEntries(sources.map(({ place, tree }) => [place, tree]))

/**
 * Lines of shell: each source is copied out of the way of its input, built as Documentation/kbuild/modules.rst says (6.3
 * for symbols of one that another uses), and put where Debian has such modules, below `updates` of `$modules`. `$top` is
 * the working folder.
 *
 * @param make the command, with all that it is given for the kernel itself
 */
export function outOfTreeScript(sources: readonly OutOfTreeSource[], make: string): string {
  if (sources.length === 0) return ''
  const lines = [`mkdir -p "$modules/updates"`]
  const symbols: string[] = []
  for (const { place, modules, variables } of sources) {
    const work = `"$top"/build-${place}`
    const own = Object.entries(variables).map(([name, value]) => quoted(`${name}=${value}`))
    const known = symbols.length === 0 ? [] : [`KBUILD_EXTRA_SYMBOLS="${symbols.join(' ')}"`]
    lines.push(
      `mkdir -p ${work}`,
      `cp -r "$top"/${place}/. ${work}`,
      `chmod -R u+w ${work}`,
      // The folder's own place gets into no message of a module (__FILE__).
      [make, `M=${work}`, `KCFLAGS=-fmacro-prefix-map=${work}/=`, ...known, ...own, 'modules'].join(' '),
    )
    for (const module of modules) {
      const path = `${work}/${module}.ko`
      const missing = `error: ${place.slice(place.lastIndexOf('/') + 1)} builds no module ${module}`
      lines.push(`[ -f ${path} ] || { echo ${quoted(missing)}; exit 1; }`, `cp ${path} "$modules/updates"`)
    }
    symbols.push(`$top/build-${place}/Module.symvers`)
  }
  return `${lines.join('\n')}\n`
}
