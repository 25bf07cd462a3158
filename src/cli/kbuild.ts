import { machine } from 'node:os'
import { Command } from 'commander'
import { nearNames, UserError } from '../diagnostics/index.ts'
import type { ModuleSource } from '../kbuild/index.ts'
import { readMakefiles } from './kernel-source.ts'

interface WhichOptions {
  readonly srctree: string
  readonly arch?: string
  readonly json?: boolean
}

/** `firmwright kbuild which` */
export function kbuildCommand(): Command {
  const command = new Command('kbuild').description("Reads a kernel tree's Makefiles, without make.")
  command
    .command('which')
    .description('Says which symbols build a kernel module, and where that is written.')
    .argument('<MODULE...>', 'names, with or without .ko')
    .requiredOption('--srctree <DIR>', 'the kernel source; nothing in it is run')
    .option('--arch <ARCH>', "what make's ARCH takes: arm64, x86, mips … (default: this machine's)")
    .option('--json', 'as JSON, with the parts of composite modules')
    .addHelpText(
      'after',
      '\nExample:\n  firmwright kbuild which --srctree linux --arch arm64 nft_fib_ipv4 e1000e',
    )
    .action(which)
  return command
}

async function which(names: readonly string[], options: WhichOptions): Promise<void> {
  const { moduleName, modulesByName, moduleSource, openSourceTree } = await import('../kbuild/index.ts')
  const { archOfMachine, sourceArchitecture } = await import('../kconfig/index.ts')
  const arch = options.arch ?? archOfMachine(machine())
  const tree = openSourceTree(options.srctree)
  if (tree.readFile('Kbuild') === undefined || tree.readFile('Kconfig') === undefined)
    throw new UserError({
      what: `${options.srctree} is no kernel source`,
      why: 'it has no Kbuild or no Kconfig file',
      fix: 'name the top folder of an unpacked kernel source',
    })
  const srcarch = sourceArchitecture(arch)
  if (tree.readFile(`arch/${srcarch}/Makefile`) === undefined) {
    const known = (tree.list('arch') ?? []).flatMap((name) => (name.endsWith('/') ? [name.slice(0, -1)] : []))
    throw new UserError({
      what: `${options.srctree} has no architecture ${arch}`,
      fix: `name one of ${known.join(', ')}`,
    })
  }
  const kbuild = await readMakefiles(options.srctree, tree, arch)
  const byName = modulesByName(kbuild)
  const missing = names.filter((name) => !byName.has(moduleName(name)))
  if (missing.length > 0)
    throw new UserError(
      ...missing.map((name) => {
        const near = nearNames(moduleName(name), byName.keys())
        return {
          what: `no Makefile of ${options.srctree} builds a module ${name} for ${arch}`,
          ...(near.length === 0 ? {} : { fix: `did you mean ${near.join(' or ')}?` }),
        }
      }),
    )
  const sources = names.flatMap((name) =>
    (byName.get(moduleName(name)) ?? []).map((module) => moduleSource(kbuild, module)),
  )
  process.stdout.write(
    options.json
      ? `${JSON.stringify(sources, undefined, 2)}\n`
      : (await Promise.all(sources.map(describe))).join('\n'),
  )
}

async function describe(source: ModuleSource): Promise<string> {
  const { alternativesText, placeText } = await import('../kbuild/index.ts')
  const lines = [source.path, `  built when  ${alternativesText(source.alternatives)}`]
  for (const { at, alternatives, gates } of source.places) {
    lines.push(`  ${at === undefined ? '' : placeText(at)}  ${alternativesText(alternatives)}`)
    for (const gate of gates) {
      const place = gate.at === undefined ? '' : `, ${placeText(gate.at)}`
      lines.push(`    in ${gate.directory}${place}  ${alternativesText(gate.alternatives)}`)
    }
  }
  if (source.parts.length > 0) {
    lines.push('  linked from')
    for (const { path, alternatives } of source.parts) {
      const always = alternatives?.length === 1 && alternatives[0]?.length === 0
      lines.push(`    ${path}${always ? '' : `  ${alternativesText(alternatives)}`}`)
    }
  }
  return `${lines.join('\n')}\n`
}
