/**
 * The key of a command is the digest of the Remote Execution API action that it is, so that the same key
 * serves a cluster's action cache.
 */
import { createHash } from 'node:crypto'
import { type Digest, digestOf } from './artifact.ts'
import { canonicalJson } from './json.ts'
import { encodeAction, encodeCommand, type Property } from './messages.ts'
import { checkRelativePath } from './paths.ts'
import type { CommandRecipe, FunctionRecipe } from './recipe.ts'
import { composeTree, type DirectoryReader } from './tree.ts'

/**
 * Raised when the executor comes to do something else with the same recipe (its fixed environment, times,
 * modes, the folder it runs in), so that no older result is taken for a newer one.
 */
const executorVersion = 1

/** Where a command finds programs; also where the sandbox has them. */
export const executorPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The whole environment of a command. */
export function environmentOf(recipe: CommandRecipe): Readonly<Record<string, string>> {
  return { TZ: 'UTC', LC_ALL: 'C.UTF-8', ...recipe.env, PATH: executorPath }
}

/** The programs of the host that a command uses, each once. */
export function toolsOf(recipe: CommandRecipe): readonly string[] {
  const [program] = recipe.argv
  const named = program.includes('/') && !program.startsWith('/') ? [] : [program]
  return [...new Set([...named, ...(recipe.tools ?? [])])].sort()
}

/** A command as messages; `messages` holds all that are not blobs of the store yet, by SHA-256. */
export interface EncodedAction {
  readonly action: Digest
  readonly command: Digest
  readonly inputRoot: Digest
  readonly messages: ReadonlyMap<string, Buffer>
}

/** `fingerprints`: of each of {@link toolsOf}. */
export function encodeRecipe(
  recipe: CommandRecipe,
  fingerprints: ReadonlyMap<string, string>,
  read: DirectoryReader,
): EncodedAction {
  if (recipe.outputs.length === 0) throw new Error(`recipe ${recipe.name} declares no output`)
  for (const output of recipe.outputs) checkRelativePath(output, 'the output')
  const { root, messages } = composeTree(recipe.inputs, read)
  const platform: Property[] = [{ name: 'network', value: recipe.network === true ? 'on' : 'off' }]
  for (const [tool, fingerprint] of fingerprints) platform.push({ name: `tool:${tool}`, value: fingerprint })
  const command = encodeCommand({
    arguments: recipe.argv,
    environment: Object.entries(environmentOf(recipe)).map(([name, value]) => ({ name, value })),
    outputPaths: recipe.outputs,
    platform,
  })
  const action = encodeAction({
    command: digestOf(command),
    inputRoot: root,
    salt: `firmwright executor ${executorVersion}`,
    platform,
  })
  const all = new Map(messages)
  all.set(digestOf(command).sha256, command)
  all.set(digestOf(action).sha256, action)
  return { action: digestOf(action), command: digestOf(command), inputRoot: root, messages: all }
}

/** Raised when results of functions come to be kept in another way. */
const functionVersion = 1

export function functionKey<T>(recipe: FunctionRecipe<T>): string {
  const { id, version } = recipe.function
  const text = canonicalJson({ firmwright: functionVersion, function: { id, version }, input: recipe.input })
  return createHash('sha256').update(text).digest('hex')
}
