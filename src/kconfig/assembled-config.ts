/**
 * Defconfigs that are no files: an architecture's Makefile puts them together from a base and fragments. Understood are
 * the two ways in which trees write that,
 *
 *     ppc64le_defconfig:
 *             $(call merge_into_defconfig,ppc64_defconfig,le)
 *
 * (powerpc, arm, arm64, riscv), where a target can stand for another one, and the generic kernels of mips, whose targets
 * are made of word size, revision and byte order (`32r2el_defconfig`), with every board whose requirements are met.
 */
import { mergeConfig, readConfig, writeConfig } from './config-file.ts'
import { createConfiguration } from './configuration.ts'
import type { Kconfig } from './model.ts'

export interface AssembleInput {
  readonly model: Kconfig
  /** the folder below `arch/` */
  readonly sourceArch: string
  /** @returns a file of the tree as a byte string */
  readFile(path: string): string | undefined
  /** names in a folder of the tree; empty where there is none */
  list(folder: string): readonly string[]
  /** mips: the boards to support (make's BOARDS); undefined: all that there are */
  readonly boards: readonly string[] | undefined
}

/** How often one target may stand for another. */
const MAX_ALIASES = 10

/** @returns what is to be completed by olddefconfig; undefined when the Makefile does not put such a one together */
export function assembledConfig(target: string, input: AssembleInput): string | undefined {
  const configs = `arch/${input.sourceArch}/configs`
  const makefile = (input.readFile(`arch/${input.sourceArch}/Makefile`) ?? '').replaceAll('\\\n', ' ')
  let name = target
  for (let i = 0; i < MAX_ALIASES; i++) {
    const generic = /^(micro32|32|64)(r\d)(el)?_defconfig$/.exec(name)
    if (generic !== null && makefile.includes('gen_generic_defconfigs'))
      return genericMips(`${generic[1]}${generic[2]}`, generic[3] ?? 'eb', configs, input)
    const rule = ruleOf(makefile, name)
    if (rule?.type === 'merge') return merged(`${configs}/${rule.base}`, rule.fragments, configs, input)
    if (rule === undefined) return undefined
    if (rule.boards !== undefined) return assembledConfig(rule.name, { ...input, boards: rule.boards })
    name = rule.name
  }
  return undefined
}

type Rule =
  | { readonly type: 'merge'; readonly base: string; readonly fragments: readonly string[] }
  | { readonly type: 'alias'; readonly name: string; readonly boards: readonly string[] | undefined }

function ruleOf(makefile: string, name: string): Rule | undefined {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const find = (pattern: string): RegExpExecArray | null => new RegExp(pattern, 'm').exec(makefile)
  const merge = find(
    `^${escaped}:\\s*\\n\\t\\$\\(call merge_into_defconfig(?:_override)?,([^,)]*),?([^)]*)\\)`,
  )
  if (merge?.[1] !== undefined)
    return { type: 'merge', base: merge[1].trim(), fragments: words(merge[2] ?? '') }
  const other = find(`^${escaped}:[ \\t]*(\\w+config)[ \\t]*$`)
  if (other?.[1] !== undefined) return { type: 'alias', name: other[1], boards: undefined }
  const legacy = find(`^${escaped}-y[ \\t]*:=[ \\t]*(\\w+)[ \\t]+BOARDS=(.*)$`)
  if (legacy?.[1] !== undefined)
    return { type: 'alias', name: legacy[1], boards: words((legacy[2] ?? '').replaceAll('"', '')) }
  return undefined
}

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '')

function merged(
  base: string,
  fragments: readonly string[],
  folder: string,
  { readFile, model }: AssembleInput,
): string | undefined {
  let text = readFile(base)
  for (const fragment of fragments) {
    const more = readFile(`${folder}/${fragment}.config`)
    if (text === undefined || more === undefined) return undefined
    text = mergeConfig(text, more, model.dialect.configPrefix)
  }
  return text
}

function genericMips(isa: string, endian: string, configs: string, input: AssembleInput): string | undefined {
  const { readFile, list, model } = input
  const folder = `${configs}/generic`
  let text = merged(`${configs}/generic_defconfig`, [isa, endian], folder, input)
  if (text === undefined) return undefined
  const reference = createConfiguration(model)
  readConfig(reference, text, { name: isa })
  const lines = new Set(writeConfig(reference).split('\n'))
  const all = list(folder).flatMap((name) => /^board-(.*)\.config$/.exec(name)?.[1] ?? [])
  for (const board of input.boards ?? all.sort()) {
    const fragment = readFile(`${folder}/board-${board}.config`)
    if (fragment === undefined || !requirementsMet(fragment, lines)) continue
    text = mergeConfig(text, fragment, model.dialect.configPrefix)
  }
  return text
}

/** A board's `# require CONFIG_A=y` lines; `=n` means "not y". */
function requirementsMet(fragment: string, lines: ReadonlySet<string>): boolean {
  const requirements = [...fragment.matchAll(/^# require (\S+)=([yn])[ \t]*$/gm)]
  return requirements.every(([, name, value]) => lines.has(`${name}=y`) === (value === 'y'))
}
