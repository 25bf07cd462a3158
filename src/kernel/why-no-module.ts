/** Why a kernel has no module of some name, as far as its source tells. */
import { type Origin, UserError } from '../diagnostics/index.ts'
import type { Engine, FileArtifact } from '../engine/index.ts'
import { readContent } from '../filetree/index.ts'
import {
  alternativesText,
  type Kbuild,
  type KbuildObject,
  moduleName,
  moduleSource,
  modulesByName,
  openSourceTree,
} from '../kbuild/index.ts'
import { sourceArchitecture } from '../kconfig/index.ts'
import type { Packages } from '../packages/index.ts'
import { parseConfigFile } from './config-file.ts'
import { openKbuild, readAliasFile } from './configure.ts'
import type { Kernel } from './kernel.ts'
import { openLinuxTree, treeOutline, withUnpacked } from './linux-tree.ts'
import { type ModuleSources, moduleSources } from './module-symbols.ts'
import { readSourceAliases } from './source-aliases.ts'

/**
 * The symbols that the source builds a module by, and their values in a kernel.
 *
 * @param target name, path or, where `byAlias` is given, alias
 * @returns undefined for what the source does not know either, and for what this configuration builds
 */
export function whyNoModule(
  { kbuild, byAlias = new Map() }: { readonly kbuild: Kbuild } & Partial<Pick<ModuleSources, 'byAlias'>>,
  config: ReadonlyMap<string, string>,
  target: string,
): string | undefined {
  const modules: readonly KbuildObject[] =
    modulesByName(kbuild).get(moduleName(target)) ?? byAlias.get(target) ?? []
  const reasons = modules.map((module) => {
    const { path, alternatives } = moduleSource(kbuild, module)
    const symbols = [...new Set((alternatives ?? []).flat().map(({ symbol }) => symbol))]
    const values = symbols.map((symbol) => `${symbol}=${config.get(symbol) ?? 'n'}`)
    return `the source has it as ${path}, which takes ${alternativesText(alternatives)}; this kernel has ${values.join(', ')}`
  })
  return reasons.length === 0 ? undefined : reasons.join('\n')
}

/** Linux's architecture and version in the head of a .config: `# Linux/arm64 6.1.176 Kernel Configuration`. */
export function configHead(text: string): { readonly arch: string; readonly version: string } | undefined {
  // scripts/kconfig/confdata.c, `conf_write`
  const [, arch, version] = /^# Linux\/(\S+) (\d+\.\d+)\S* Kernel Configuration$/m.exec(text) ?? []
  return arch === undefined || version === undefined ? undefined : { arch, version }
}

/**
 * The same for a kernel of Debian's out of the package of its source. The source is unpacked when it is first asked.
 *
 * @throws UserError where the source is of another version than the kernel
 */
export function explainedBySource(
  engine: Engine,
  packages: Packages,
  kernel: Pick<Kernel, 'name' | 'configFile'>,
  source: { readonly package: string; readonly origin: Origin },
): (target: string) => Promise<string | undefined> {
  return async (target) => {
    const text = (await readContent(engine, kernel.configFile)).toString('latin1')
    const head = configHead(text)
    if (head === undefined) throw new Error(`the .config of ${kernel.name} has no head`)
    const tree = await openLinuxTree(
      engine,
      packages,
      {
        type: 'linux-source',
        from: { package: source.package },
        patches: [],
        kmods: [],
        origin: source.origin,
      },
      '/',
    )
    const outline = await treeOutline(engine, tree)
    const answer = await engine.compute<Answer>({
      kind: 'function',
      name: `look for ${target} in ${tree.name}`,
      function: { id: 'kernel/why-no-module', version: 1 },
      input: { outline, config: kernel.configFile, target },
      run: () => look(engine, outline, { ...head, config: parseConfigFile(text), target }),
    })
    if (answer.type === 'other-version')
      throw new UserError({
        what: `${source.package} is not the source of ${kernel.name}`,
        where: [source.origin],
        why: `it is of Linux ${answer.version}, and the kernel of Linux ${head.version}`,
        fix: `name the package of Linux ${head.version}`,
      })
    return answer.why === null ? undefined : `${tree.name}: ${answer.why}`
  }
}

type Answer =
  | { readonly type: 'why'; readonly why: string | null }
  | { readonly type: 'other-version'; readonly version: string }

function look(
  engine: Engine,
  outline: FileArtifact,
  asked: {
    readonly arch: string
    readonly version: string
    readonly config: ReadonlyMap<string, string>
    readonly target: string
  },
): Promise<Answer> {
  return withUnpacked<Answer>(engine, [outline], async (folder) => {
    const tree = openSourceTree(folder)
    const version = sourceVersion(tree.readFile('Makefile') ?? '')
    if (version !== asked.version) return { type: 'other-version', version: version ?? 'no version' }
    const { arch } = asked
    const kbuild = openKbuild(tree, { arch, srcarch: sourceArchitecture(arch) })
    if (!kbuild.ok) throw new Error(kbuild.problem.why)
    const sources = moduleSources(kbuild.value, readSourceAliases(readAliasFile(folder)))
    return { type: 'why', why: whyNoModule(sources, asked.config, asked.target) ?? null }
  })
}

/** @param makefile text of the tree's top Makefile */
export function sourceVersion(makefile: string): string | undefined {
  const [, version] = /^VERSION = (\d+)$/m.exec(makefile) ?? []
  const [, level] = /^PATCHLEVEL = (\d+)$/m.exec(makefile) ?? []
  return version === undefined || level === undefined ? undefined : `${version}.${level}`
}
