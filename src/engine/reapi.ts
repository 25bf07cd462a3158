import type { Digest } from './artifact.ts'
import type { Engine } from './engine.ts'
import type { CommandRecipe } from './recipe.ts'

/** A command as a cluster takes it. All content that is named here is in the store. */
export interface ReapiAction {
  /** Of the `Action` message: the key of the result, here and in a cluster's action cache. */
  readonly action: Digest
  /** Of the `Command` message. */
  readonly command: Digest
  /** Of the `Directory` message at the root of the inputs. */
  readonly inputRoot: Digest
  /**
   * Everything that a worker must find in the content-addressable storage: both messages, the whole input
   * tree, and the content of its files. Each can be had by `Engine.read`.
   */
  readonly needed: readonly Digest[]
}

/**
 * Converts a command to an action of the Remote Execution API v2
 * (https://github.com/bazelbuild/remote-apis): argv, sorted environment, input tree as Merkle directories,
 * sorted output paths. The platform properties say what the worker must be: `network` is `on` or `off`, and
 * `tool:NAME` is the fingerprint of each program of the host that the command uses.
 */
export function toReapiAction(recipe: CommandRecipe, engine: Engine): Promise<ReapiAction> {
  return engine.action(recipe)
}
