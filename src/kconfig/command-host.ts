/** What the `firmwright kconfig …` commands have in common: where they read, what they return, how they begin. */
import { mergeConfig, readConfig } from './config-file.ts'
import { type Configuration, createConfiguration } from './configuration.ts'
import { byteStringToText, type Kconfig } from './model.ts'
import { type OpenResult, openTree } from './open-tree.ts'

export interface CommandResult {
  readonly stdout: string
  readonly stderr: string
  /** 0 done, 1 the user must change something, 2 wrong usage */
  readonly exitCode: number
  /** files to write, as byte strings */
  readonly files: ReadonlyMap<string, string>
}

export interface TreeOptions {
  readonly srctree: string
  readonly arch?: string | undefined
  readonly probeCacheFile?: string | undefined
  readonly treeCacheFolder?: string | undefined
}

export interface CommandHost {
  /** a file of the user's as a byte string */
  readFile(path: string): string | undefined
  /** the names in a folder; empty where there is none */
  list(folder: string): readonly string[]
  environment(name: string): string | undefined
  /** default: `openTree` */
  open?(options: TreeOptions): Promise<OpenResult>
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly result: CommandResult }

export const done = (
  stdout: string,
  files: ReadonlyMap<string, string> = new Map(),
  stderr = '',
): CommandResult => ({ stdout, stderr, exitCode: 0, files })

export const failed = (stderr: string, exitCode = 1): CommandResult => ({
  stdout: '',
  stderr: stderr.endsWith('\n') ? stderr : `${stderr}\n`,
  exitCode,
  files: new Map(),
})

export interface OpenedTree {
  readonly tree: Kconfig
  /** what reading the tree has said */
  readonly messages: string
  /** the folder below `arch/` */
  readonly sourceArch: string
  /** a file of the tree as a byte string */
  readFile(path: string): string | undefined
}

export async function openForCommand(options: TreeOptions, host: CommandHost): Promise<Outcome<OpenedTree>> {
  const result = await (host.open ?? openTree)(options)
  const messages = byteStringToText(result.probeErrors + result.messages.map((line) => `${line}\n`).join(''))
  if (!result.ok) return { ok: false, result: failed(messages || result.error.message) }
  const value = {
    tree: result.value,
    messages,
    sourceArch: result.environment.SRCARCH ?? '',
    readFile: (path: string) => host.readFile(`${options.srctree}/${path}`),
  }
  return { ok: true, value }
}

/**
 * The assignments in a file, or in one of the tree's fragments that make has targets for: `make kvm_guest.config` takes
 * those of this name below kernel/configs and arch/ARCH/configs, one after the other.
 */
export function fragmentText(name: string, { tree, sourceArch, readFile }: OpenedTree, host: CommandHost) {
  const own = host.readFile(name)
  if (own !== undefined || name.includes('/')) return own
  const parts = ['kernel/configs', `arch/${sourceArch}/configs`].flatMap(
    (folder) => readFile(`${folder}/${name}`) ?? [],
  )
  if (parts.length === 0) return undefined
  return parts.reduce((base, part) => mergeConfig(base, part, tree.dialect.configPrefix))
}

export interface Started {
  readonly configuration: Configuration
  readonly warnings: readonly string[]
  /** the text that was read: the file with the fragments laid over it */
  readonly text: string
}

/** A configuration with the values of a file (undefined: none) and of fragments laid over it. */
export function startFrom(
  opened: OpenedTree,
  path: string | undefined,
  host: CommandHost,
  fragments: readonly string[] = [],
): Outcome<Started> {
  const { tree } = opened
  let text = ''
  if (path !== undefined) {
    const content = host.readFile(path)
    if (content === undefined) return { ok: false, result: failed(`cannot read ${path}`) }
    text = content
  }
  for (const fragment of fragments) {
    const content = fragmentText(fragment, opened, host)
    if (content === undefined) return { ok: false, result: failed(`cannot read ${fragment}`) }
    text = mergeConfig(text, content, tree.dialect.configPrefix)
  }
  const configuration = createConfiguration(tree)
  const { warnings } = readConfig(configuration, text, { name: path ?? 'fragment' })
  return { ok: true, value: { configuration, warnings, text } }
}
