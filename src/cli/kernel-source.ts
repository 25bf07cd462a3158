import { existsSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { UserError } from '../diagnostics/index.ts'
import type { SourceDrivers } from '../hardware/index.ts'
import type { Kbuild, SourceTree } from '../kbuild/index.ts'

/** Options that name the source of the kernel whose modules are looked at. */
export interface SourceOptions {
  readonly modules: string
  readonly srctree?: string
  readonly config?: string
}

export function addSourceOptions(command: Command): Command {
  return command
    .option('--srctree <DIR>', 'the source of this kernel; nothing in it is run')
    .option(
      '--config <FILE>',
      "the kernel's .config, which --srctree takes; default: DIR/build/.config, or boot/config-VERSION beside lib",
    )
}

/** A kernel's source under its own configuration. */
export interface ConfiguredSource {
  readonly kbuild: Kbuild
  readonly config: ReadonlyMap<string, string>
}

/**
 * Reads the Makefiles of a kernel's source, with every symbol open.
 *
 * @throws UserError where it is none, is of another version than the modules, or has no configuration
 */
export async function openConfiguredSource(
  options: SourceOptions & { readonly srctree: string },
): Promise<ConfiguredSource> {
  const { openSourceTree } = await import('../kbuild/index.ts')
  const { configHead, parseConfigFile, sourceVersion } = await import('../kernel/index.ts')
  const file = configFileOf(options)
  const text = readFileSync(file, 'utf8')
  const head = configHead(text)
  if (head === undefined) {
    throw new UserError({
      what: `${file} is no .config of a kernel`,
      why: 'its head does not say which',
      fix: 'name the .config that it was built with',
    })
  }
  const tree = openSourceTree(options.srctree)
  const { arch, version } = head
  const ofSource = sourceVersion(tree.readFile('Makefile') ?? '')
  if (ofSource !== version) {
    throw new UserError({
      what: `${options.srctree} is not the source of this kernel`,
      why:
        ofSource === undefined
          ? 'its Makefile names no version'
          : `it is of Linux ${ofSource}, and the kernel of Linux ${version}`,
      fix: `name an unpacked source of Linux ${version}`,
    })
  }
  return { kbuild: await readMakefiles(options.srctree, tree, arch), config: parseConfigFile(text) }
}

/**
 * The Makefiles of a kernel's source for one architecture, with every symbol open.
 *
 * @param name of the tree, for messages
 * @throws UserError
 */
export async function readMakefiles(name: string, tree: SourceTree, arch: string): Promise<Kbuild> {
  const { openSymbols, readKbuild } = await import('../kbuild/index.ts')
  const { sourceArchitecture } = await import('../kconfig/index.ts')
  const symbols = openSymbols(tree, arch)
  if (!symbols.ok)
    throw new UserError({ what: `${name}: Kconfig cannot be read`, why: symbols.error.message })
  const kbuild = readKbuild({ tree, srcarch: sourceArchitecture(arch), arch, symbol: symbols.value })
  if (!kbuild.ok) throw new UserError({ what: kbuild.error.message })
  return kbuild.value
}

function configFileOf(options: SourceOptions): string {
  const { found, places } = findConfigFile(options)
  if (found !== undefined) return found
  throw new UserError({
    what: `the configuration of the kernel of ${options.modules} is not known`,
    why: `there is none of ${places.join(', ')}`,
    fix: 'name it with --config',
  })
}

/** The .config that is named, or lies beside the modules. */
export function findConfigFile({ modules, config }: SourceOptions): {
  readonly found: string | undefined
  readonly places: readonly string[]
} {
  if (config !== undefined) return { found: config, places: [config] }
  const folder = resolve(modules)
  const release = basename(folder)
  const places = [
    join(folder, 'build/.config'),
    ...['../../..', '../../../..'].map((up) => join(folder, up, 'boot', `config-${release}`)),
  ]
  return { found: places.find((place) => existsSync(place)), places }
}

/** What its drivers say of the devices that they drive. */
export async function openSourceDrivers(
  options: SourceOptions & { readonly srctree: string },
): Promise<SourceDrivers> {
  const { readSourceDrivers } = await import('../hardware/index.ts')
  const { kbuild, config } = await openConfiguredSource(options)
  return readSourceDrivers({
    kbuild,
    symbol: (name) => {
      const value = config.get(name)
      return value === 'y' || value === 'm' ? value : 'n'
    },
    readFile: (path) => readIfThere(join(options.srctree, path)),
  })
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
