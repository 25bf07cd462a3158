/** A folder in which a kernel has been built: what a later build of one more module has to fit to. */
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { UserError } from '../diagnostics/index.ts'
import { sourceArchitecture } from '../kconfig/index.ts'
import { parseConfigFile } from '../kernel/index.ts'
import { parseSymvers, type Symvers } from '../kmod/index.ts'

export interface BuildFolder {
  /** real path, without links */
  readonly folder: string
  /** real path of the source; the same as `folder` where it was built in the tree itself */
  readonly source: string
  /** text of its .config, a byte string */
  readonly configText: string
  readonly config: ReadonlyMap<string, string>
  /** make's ARCH and the folder below arch/ */
  readonly arch: string
  readonly srcarch: string
  /** what the names of its compiler and companions begin with; empty for the host's own */
  readonly toolPrefix: string
  /** as `uname -r` says it */
  readonly release: string
  /** what the kernel exports, and what its modules do */
  readonly symvers: Symvers
}

/** @throws UserError where the folder holds no finished build */
export function openBuildFolder(named: string): BuildFolder {
  if (!existsSync(named)) throw new UserError({ what: `${named} does not exist`, fix: advice })
  const folder = realpathSync(resolve(named))
  const read = (name: string): string => {
    const path = join(folder, name)
    if (existsSync(path)) return readFileSync(path, 'latin1')
    throw new UserError({
      what: `${named} holds no finished build of a kernel`,
      why: `it has no ${name}`,
      fix: advice,
    })
  }
  const configText = read('.config')
  // Made from all objects of the kernel since Linux 6.1; this is how it is known which those are.
  read('vmlinux.a')
  const symvers = parseSymvers(read('Module.symvers'))
  const release = read('include/config/kernel.release').trim()
  const [, headerArch] = /^# Linux\/(\S+) /m.exec(configText) ?? []
  const source = sourceOf(folder)
  if (headerArch === undefined || source === undefined)
    throw new UserError({
      what: `${named} holds no build of Linux that can be added to`,
      why:
        source === undefined
          ? 'neither is it a kernel source nor does its link `source` lead to one'
          : 'the first lines of its .config do not say for which architecture it is',
      fix: advice,
    })
  const config = parseConfigFile(configText)
  const toolPrefix = toolPrefixOf(read('init/.main.o.cmd'))
  if (toolPrefix === undefined)
    throw new UserError({
      what: `the kernel in ${named} was not compiled with gcc`,
      why: 'objects of other compilers cannot be made again here, and so not be compared',
    })
  return {
    folder,
    source,
    configText,
    config,
    arch: headerArch,
    srcarch: sourceArchitecture(headerArch),
    toolPrefix,
    release,
    symvers,
  }
}

const advice =
  "name the folder that make was run in, or its O= folder, with everything still in it that the flashed kernel's build left"

function sourceOf(folder: string): string | undefined {
  const isSource = (path: string): boolean =>
    existsSync(join(path, 'Kbuild')) && existsSync(join(path, 'Kconfig'))
  if (isSource(folder)) return folder
  const link = join(folder, 'source')
  if (existsSync(link) && isSource(link)) return realpathSync(link)
  return isSource(dirname(folder)) ? dirname(folder) : undefined
}

/** From the command that compiled init/main.c: `aarch64-linux-gnu-gcc …`. undefined for a compiler that is no gcc. */
function toolPrefixOf(commandFile: string): string | undefined {
  const [, compiler = ''] = /^(?:saved)?cmd_\S+ := (?:\S*(?:ccache|distcc) )?(\S+)/m.exec(commandFile) ?? []
  return /^(.*?)gcc(?:-[\d.]+)?$/.exec(compiler)?.[1]
}
