import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
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
      await runBriefly()
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
  for (const { mode, description, argument, usage } of freshModes) {
    const fresh = add(mode, description)
    if (argument !== undefined) fresh.argument(argument[0], argument[1])
    if (mode === 'randconfig') fresh.option('--seed <N>', 'default: KCONFIG_SEED, or the time')
    fresh
      .option('--fragment <FILE...>', 'assignments that come before all answers, or over a defconfig')
      .option('-o, --output <FILE>', 'where to (default: standard output)')
      .addHelpText('after', example(`${mode} --srctree linux --arch arm64 ${usage}`))
      .action(async (...given: unknown[]) => {
        await runBriefly()
        const { freshCommand } = await import('../kconfig/index.ts')
        const config = argument === undefined ? undefined : String(given[0])
        const options = given[argument === undefined ? 0 : 1] as FreshOptions
        const { output, seed } = options
        const fragments = options.fragment ?? []
        finish(await freshCommand(mode, { ...tree(options), config, fragments, output, seed }, host))
      })
  }
  for (const { mode, description, usage } of askModes)
    add(mode, description, 'the configuration to start from')
      .option('--fragment <FILE...>', 'assignments laid over it')
      .option('-o, --output <FILE>', 'where to (default: the file of --config)')
      .addHelpText('after', example(`${mode} --srctree linux --arch arm64 ${usage}`))
      .action(async (options: FreshOptions & TreeOptions) => {
        const { askCommand, createNodeHost } = await import('../kconfig/index.ts')
        const { config, output, fragment: fragments = [] } = options
        const asked = { ...tree(options), config, output, fragments }
        finish(await askCommand(mode, asked, host, createNodeHost()))
      })
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

interface FreshOptions extends TreeOptions {
  readonly fragment?: string[]
  readonly output?: string
  readonly seed?: string
}

interface Fresh {
  readonly mode: FreshMode
  readonly description: string
  /** name and description of what stands behind the command */
  readonly argument?: readonly [string, string]
  /** the end of the example */
  readonly usage: string
}

const freshModes: readonly Fresh[] = [
  { mode: 'alldefconfig', description: 'Every symbol at its default.', usage: '-o .config' },
  { mode: 'allnoconfig', description: 'Every question answered with no.', usage: '-o .config' },
  { mode: 'allyesconfig', description: 'Every question answered with yes.', usage: '-o .config' },
  {
    mode: 'allmodconfig',
    description: 'Every question answered with m where possible.',
    usage: '--fragment always.config -o .config',
  },
  { mode: 'tinyconfig', description: 'The smallest kernel that the tree describes.', usage: '-o .config' },
  {
    mode: 'defconfig',
    description: 'A defconfig, completed.',
    argument: ['<FILE>', 'a file, a name below arch/ARCH/configs, or one that make puts together'],
    usage: 'defconfig -o .config',
  },
  {
    mode: 'savedefconfig',
    description: 'The smallest file that gives the same configuration.',
    argument: ['<FILE>', 'the configuration to shorten'],
    usage: '.config -o defconfig',
  },
  {
    mode: 'randconfig',
    description: 'Random answers (KCONFIG_PROBABILITY); the same seed gives what conf gives.',
    usage: '--seed 42 -o .config',
  },
]

const askModes = [
  { mode: 'oldconfig', description: 'Asks about everything that is new.', usage: '--config .config' },
  { mode: 'oldaskconfig', description: 'Asks about everything.', usage: '--config .config' },
  { mode: 'listnewconfig', description: 'Lists what is new, with its defaults.', usage: '--config .config' },
  { mode: 'helpnewconfig', description: 'Shows the help of what is new.', usage: '--config .config' },
] as const

function example(text: string): string {
  return `\nExample:\n  firmwright kconfig ${text}`
}

function tree({ srctree, arch }: TreeOptions) {
  const probeCacheFile = join(cacheFolder(), 'kconfig-probes.json')
  return { srctree, arch, probeCacheFile, treeCacheFolder: join(cacheFolder(), 'kconfig-trees') }
}

/**
 * Says to V8 that this process will not live long. In the third of a second that a configuration takes, inlining never
 * pays for the time that it costs the compiler's threads: without it the whole takes a quarter less processor time. And
 * nearly all that is made stays in use to the end: with room for new objects that grows at once instead of by doubling,
 * they are copied less often.
 */
async function runBriefly(): Promise<void> {
  const { setFlagsFromString } = await import('node:v8')
  setFlagsFromString('--no-turbo-inlining')
  setFlagsFromString('--semi-space-growth-factor=16')
}

const host: CommandHost = {
  environment: (name) => process.env[name],
  list(folder) {
    try {
      return readdirSync(folder)
    } catch {
      return []
    }
  },
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
