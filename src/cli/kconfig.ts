import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { Command, InvalidArgumentError } from 'commander'
import { UserError } from '../diagnostics/index.ts'
import type { CommandHost, CommandResult, FreshMode } from '../kconfig/index.ts'
import { cacheFolder } from './session.ts'

interface TreeOptions {
  readonly srctree: string
  readonly arch?: string
  readonly config?: string
}

interface ResolveOptions extends TreeOptions {
  readonly json?: boolean
  readonly fragment?: boolean
  readonly alternatives?: number
}

function alternativeCount(text: string): number {
  if (!/^\d{1,2}$/.test(text)) throw new InvalidArgumentError('a number from 0 to 99 is expected')
  return Number(text)
}

/** `firmwright kconfig …`: a kernel tree's configuration without make. */
export function kconfigCommand(): Command {
  const command = new Command('kconfig').description("Works on a kernel tree's configuration, without make.")
  /** `config`: how the configuration to start from is described. */
  const add = (name: string, description: string, config?: string): Command => {
    const added = command
      .command(name)
      .description(description)
      .requiredOption('--srctree <DIR>', 'the kernel source; its Kconfig files and compiler probes are run')
      .option('--arch <ARCH>', "what make's ARCH takes: arm64, x86, i386, mips …")
    return config === undefined ? added : added.option('--config <FILE>', config)
  }
  add('olddefconfig', 'Writes what `make olddefconfig` writes.', 'the configuration to start from')
    .option('--fragment <FILE...>', 'assignments laid over it, later ones over earlier ones')
    .option('--report', 'says what became of every value when moving to another kernel')
    .option('-o, --output <FILE>', 'where to (default: standard output)')
    .addHelpText('after', example('olddefconfig --srctree linux --arch arm64 --config .config -o .config'))
    .action(async (options: TreeOptions & { fragment?: string[]; report?: boolean; output?: string }) => {
      runBriefly()
      const { olddefconfigCommand } = await import('../kconfig/index.ts')
      finish(
        await olddefconfigCommand(
          {
            ...tree(options),
            config: options.config,
            fragments: options.fragment ?? [],
            output: options.output,
            report: options.report === true,
          },
          host,
        ),
      )
    })
  for (const [mode, description] of freshModes) {
    add(mode, description, mode.endsWith('defconfig') ? 'the file to start from' : undefined)
      .option('-o, --output <FILE>', 'where to (default: standard output)')
      .option('--seed <N>', 'for randconfig')
      .addHelpText('after', example(`${mode} --srctree linux --arch arm64 -o .config`))
      .action(async (options: TreeOptions & { output?: string; seed?: string }) => {
        runBriefly()
        const { freshCommand } = await import('../kconfig/index.ts')
        const { output, seed, config } = options
        finish(await freshCommand(mode, { ...tree(options), config, output, seed }, host))
      })
  }
  add(
    'resolve',
    'Finds what else must be set so that requested values come true.',
    'the configuration to start from',
  )
    .argument('<SYM=V...>', 'requested values')
    .option('--json', 'as JSON')
    .option('--fragment', 'as lines to paste into a configuration')
    .option('--alternatives <N>', 'lists up to so many other answers', alternativeCount)
    .addHelpText('after', example('resolve --srctree linux --arch arm64 --config .config NFT_MASQ=m'))
    .action(async (requests: string[], options: ResolveOptions) => {
      const { resolveCommand } = await import('../kconfig/index.ts')
      const format = options.json ? 'json' : options.fragment ? 'fragment' : 'text'
      const { config, alternatives = 0 } = options
      finish(await resolveCommand({ ...tree(options), config, requests, format, alternatives }, host))
    })
  add(
    'explain',
    'Says what value a symbol has, why, and what stands in its way.',
    'the configuration to look at',
  )
    .argument('<SYM>', 'the symbol')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      example('explain --srctree linux --arch arm64 --config .config NETFILTER_XT_MATCH_OWNER'),
    )
    .action(async (symbol: string, options: TreeOptions & { json?: boolean }) => {
      const { explainCommand } = await import('../kconfig/index.ts')
      const json = options.json === true
      finish(await explainCommand({ ...tree(options), config: options.config, symbol, json }, host))
    })
  command
    .command('diff')
    .description('Says what differs between two configurations.')
    .argument('<OLD>', 'one .config')
    .argument('<NEW>', 'the other')
    .addHelpText('after', example('diff .config.old .config'))
    .action(async (before: string, after: string) => {
      const { diffCommand } = await import('../kconfig/index.ts')
      finish(diffCommand({ before, after }, host))
    })
  return command
}

const freshModes: readonly (readonly [FreshMode, string])[] = [
  ['alldefconfig', 'Every symbol at its default.'],
  ['allnoconfig', 'Every question answered with no.'],
  ['allyesconfig', 'Every question answered with yes.'],
  ['allmodconfig', 'Every question answered with m where possible.'],
  ['tinyconfig', 'The smallest kernel that the tree describes.'],
  ['defconfig', 'A defconfig file, completed.'],
  ['savedefconfig', 'The smallest file that gives the same configuration.'],
  ['randconfig', 'Random answers; the same seed gives what conf gives.'],
]

function example(text: string): string {
  return `\nExample:\n  firmwright kconfig ${text}`
}

function tree(options: TreeOptions): { srctree: string; arch: string | undefined; probeCacheFile: string } {
  const probeCacheFile = join(cacheFolder(), 'kconfig-probes.json')
  return { srctree: options.srctree, arch: options.arch, probeCacheFile }
}

/**
 * Says to V8 that this process will not live long. In the third of a second that a configuration takes, inlining never
 * pays for the time that it costs the compiler's threads: without it the whole takes a quarter less processor time.
 */
function runBriefly(): void {
  setFlagsFromString('--no-turbo-inlining')
}

const host: CommandHost = {
  environment: (name) => process.env[name],
  readFile(path) {
    try {
      return readFileSync(path, 'latin1')
    } catch {
      return undefined
    }
  },
}

function finish(result: CommandResult): void {
  for (const [path, text] of result.files) {
    try {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(`${path}.${process.pid}.tmp`, text, 'latin1')
      renameSync(`${path}.${process.pid}.tmp`, path)
    } catch (error) {
      throw new UserError({
        what: `${path} cannot be written: ${error instanceof Error ? error.message : error}`,
      })
    }
  }
  process.stdout.write(result.stdout)
  process.stderr.write(result.stderr)
  process.exitCode = result.exitCode
}
