/**
 * Kconfig: the language in which Linux, U-Boot, busybox and others say what can be configured; the values that follow
 * from what a user asks for; and answers to "why" and "how".
 *
 * The model. A *tree* of Kconfig files is read into a {@link Kconfig}: *symbols* (bool, tristate, int, hex, string) and a
 * menu of *nodes*, each an entry somewhere in the files. A symbol has *properties*: prompts, defaults, selects, implies,
 * ranges, each with a condition. Conditions are *expressions* over symbols worth n, m or y: `&&` is the minimum, `||`
 * the maximum, `!` turns the scale round. A *choice* is a symbol whose members exclude each other.
 *
 * A tree never changes. Values live in a {@link Configuration}: what the user asked for, and what follows from it. The
 * user's value of a symbol counts as far as one of its prompts is visible; else a default does; `select` lifts a symbol
 * whatever its dependencies say, `imply` within them.
 *
 * From outside in: `openTree` reads a tree from disk and runs its compiler probes; `parseKconfig` does the reading proper
 * and touches nothing. `createConfiguration`, `readConfig` and `writeConfig` are `make olddefconfig`; `answerAll` and
 * `answerRandomly` its relatives. `resolve` finds what else has to be set for a wish to come true, `explain` says why a
 * symbol is what it is, `diffConfigs` what changed. `runConf` behaves as a tree's own `scripts/kconfig/conf`.
 */
export { type AskMode, type AskResult, ask, type Console } from './ask.ts'
export { type AskOptions, askCommand } from './ask-command.ts'
export { type AssembleInput, assembledConfig } from './assembled-config.ts'
export { type AutoconfNames, autoconfFiles } from './autoconf.ts'
export type { CommandHost, CommandResult, TreeOptions } from './command-host.ts'
export {
  diffCommand,
  type ExplainCommandOptions,
  explainCommand,
  type OlddefconfigOptions,
  olddefconfigCommand,
  parseRequest,
  type ResolveCommandOptions,
  resolveCommand,
} from './commands.ts'
export {
  type AskedRequest,
  mergeRequests,
  type RequirementError,
  type RequirementResult,
  resolveRequirements,
  type WhenClause,
} from './conditional-requests.ts'
export { type ConfHost, parseSeed, runConf } from './conf.ts'
export {
  type Assignment,
  assignAll,
  mergeConfig,
  readConfig,
  readLines,
  writeConfig,
  writeMinimalConfig,
} from './config-file.ts'
export { type Configuration, createConfiguration, type UserValue } from './configuration.ts'
export type { Step } from './contradiction.ts'
export { type Dialect, detectDialect, linux61, linux612 } from './dialect.ts'
export { type ConfigDifference, configValues, diffConfigs } from './diff.ts'
export { archOfMachine, sourceArchitecture } from './environment.ts'
export { type ExplainResult, type Explanation, explain, explanationText } from './explain.ts'
export { printExpr } from './expression-text.ts'
export { type FreshMode, type FreshOptions, freshCommand } from './fresh-command.ts'
export { createRandom } from './glibc-random.ts'
export { type HelpBlock, helpBlockText } from './help-block.ts'
export { helpText } from './help-text.ts'
export { type MigrationReport, migrationReport } from './migration.ts'
export * from './model.ts'
export {
  type AllMode,
  answerAll,
  answerRandomly,
  type Probability,
  parseProbability,
  type Random,
} from './modes.ts'
export { createNodeHost, type NodeHostOptions } from './node-host.ts'
export { fileReader, type OpenOptions, type OpenResult, openTree } from './open-tree.ts'
export {
  createResolver,
  type Request,
  type Resolution,
  type Resolved,
  type ResolvedAssignment,
  type ResolvedSet,
  type ResolveError,
  type ResolveOptions,
  type Resolver,
  resolve,
  stepText,
} from './resolve.ts'
export { type KconfigError, type KconfigInput, type KconfigResult, parseKconfig } from './tree.ts'
