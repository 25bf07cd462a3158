/**
 * Runs what makes firmware, once, and remembers it.
 *
 * A *recipe* is named inputs, a command or a versioned function, and declared outputs. What it makes are
 * *artifacts*: files and trees, addressed by the SHA-256 of their content and held in a *store*. The key of a
 * result is the SHA-256 over everything it depends on: argv, environment, inputs, and the programs of the
 * host. Same key, no work; same key twice at once, one run.
 *
 *     const engine = await openEngine({ storeFolder })
 *     const text = await engine.put('hello\n')
 *     const { out } = await engine.build({
 *       kind: 'command', name: 'compress', argv: ['xz', '-k', 'text'], env: {},
 *       inputs: { text }, outputs: ['text.xz'],
 *     })
 *
 * Commands run in a fresh folder that holds their inputs, in a sandbox where the host allows one, and are
 * Remote Execution API v2 actions to the byte. Functions run in this process; they may ask for further
 * recipes while they run.
 *
 * What happens is told as a stream of {@link EngineEvent}. What the user must change is thrown as a
 * `UserError`; an aborted engine rejects with the reason of its signal.
 */

export { executorPath } from './action.ts'
export type { Artifact, Digest, FileArtifact, TreeArtifact } from './artifact.ts'
export { type Engine, type EngineOptions, openEngine } from './engine.ts'
export type { EngineEvent, ProgressUnit } from './events.ts'
export { collectGarbage, type GarbageReport } from './garbage.ts'
export type { Json } from './json.ts'
export { type ReapiAction, toReapiAction } from './reapi.ts'
export type { CommandRecipe, FunctionContext, FunctionRecipe, Report } from './recipe.ts'
export { type StoreStatistics, storeStatistics } from './statistics.ts'
export { type StoreProblem, type VerifyOptions, type VerifyReport, verifyStore } from './verify.ts'
