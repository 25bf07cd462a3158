import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../diagnostics/index.ts'
import { readSourceDrivers, type SourceDrivers } from '../hardware/index.ts'
import { parseConfigFile } from '../kernel/index.ts'
import { openKernelTree } from './kernel-tree.ts'

export interface SourceOptions {
  readonly srctree?: string
  readonly config?: string
}

/**
 * What the source of a kernel has drivers for.
 *
 * @returns undefined where no source is named
 * @throws UserError when source and configuration are not of one kernel
 */
export function openSourceDrivers({ srctree, config }: SourceOptions): SourceDrivers | undefined {
  if (srctree === undefined && config === undefined) return undefined
  if (srctree === undefined || config === undefined)
    throw new UserError({
      what: srctree === undefined ? '--config comes without --srctree' : '--srctree comes without --config',
      why: 'what is built in follows from the source of a kernel and its configuration together',
      fix: 'name both: Debian has the source in linux-source-6.1, and the configuration in /boot',
    })
  const text = readFileSync(config, 'utf8')
  // What every .config begins with: scripts/kconfig writes the title of the main menu there.
  const [, arch, version] = /^# Linux\/(\S+) (\S+) Kernel Configuration$/m.exec(text) ?? []
  if (arch === undefined)
    throw new UserError({
      what: `${config} does not say which kernel it configures`,
      why: 'it has no line like # Linux/arm64 6.1.0 Kernel Configuration',
      fix: 'name the .config that the kernel was built with',
    })
  const { tree, kbuild } = openKernelTree(srctree, arch)
  const own = versionOf(tree.readFile('Makefile') ?? '')
  if (own !== version)
    throw new UserError({
      what: `${srctree} is Linux ${own}, and ${config} configures ${version}`,
      why: 'drivers, and the symbols that build them, change between versions',
      fix: `name the source of ${version}`,
    })
  const values = parseConfigFile(text)
  return readSourceDrivers({
    kbuild,
    symbol: (name) => {
      const value = values.get(name)
      return value === 'y' || value === 'm' ? value : 'n'
    },
    readFile: (path) => readIfThere(join(srctree, path)),
  })
}

function versionOf(makefile: string): string {
  const [version, patchlevel, sublevel, extra] = ['VERSION', 'PATCHLEVEL', 'SUBLEVEL', 'EXTRAVERSION'].map(
    (name) => new RegExp(`^${name}[ \\t]*=[ \\t]*(\\S*)`, 'm').exec(makefile)?.[1] ?? '',
  )
  return `${version}.${patchlevel}.${sublevel}${extra}`
}

/** An object may be assembled, or made by a rule: then there is no C file of its name. */
function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
