/** Runs a command on this machine: working folder, sandbox, outputs. */
import { closeSync, lstatSync, mkdirSync, openSync, realpathSync, statfsSync, utimesSync } from 'node:fs'
import { dirname } from 'node:path'
import { UserError } from '../diagnostics/index.ts'
import { environmentOf } from './action.ts'
import type { Artifact, TreeArtifact } from './artifact.ts'
import { openCapture } from './capture.ts'
import { type ChildOutcome, runChild } from './child.ts'
import { placeDistcc } from './distcc.ts'
import { diskFull, errorCode } from './failure.ts'
import type { Intake, Staged } from './intake.ts'
import { lockArguments, placeKept } from './kept.ts'
import { keepLog, saysDiskFull, tellingLines } from './log.ts'
import { inputCopy, materialize, sharedView } from './materialize.ts'
import { areNested } from './paths.ts'
import type { CommandRecipe, Report } from './recipe.ts'
import { probeSandbox, sandboxArguments } from './sandbox.ts'
import {
  blobPath,
  contentTimeSeconds,
  ensureExecutable,
  removeFolder,
  type Store,
  temporaryPath,
} from './store.ts'
import { type DirectoryReader, stagePath } from './tree.ts'

export interface ExecutorOptions {
  readonly store: Store
  readonly intake: Intake
  readonly read: DirectoryReader
  readonly signal: AbortSignal
  readonly sandbox: 'auto' | 'none'
  readonly distcc: string | undefined
  readonly warn: (text: string) => void
}

export interface Executor extends ExecutorOptions {
  readonly sandboxed: boolean
  /** Folder with the content of a tree, shared by all commands of this process. */
  view(tree: TreeArtifact): Promise<string>
}

/** Finds out whether commands can be sandboxed here. */
export async function createExecutor(options: ExecutorOptions): Promise<Executor> {
  const { store, read, sandbox } = options
  const trouble = sandbox === 'none' ? 'switched off' : await probeSandbox(store.temporaryFolder)
  if (trouble !== undefined && sandbox === 'auto') {
    options.warn(`Commands run without a sandbox: ${trouble}`)
  }
  const views = new Map<string, Promise<string>>()
  return {
    ...options,
    sandboxed: trouble === undefined,
    view(tree) {
      const { sha256 } = tree.digest
      const view = views.get(sha256) ?? makeView(store, read, tree)
      views.set(sha256, view)
      view.catch(() => views.delete(sha256))
      return view
    },
  }
}

async function makeView(store: Store, read: DirectoryReader, tree: TreeArtifact): Promise<string> {
  const path = temporaryPath(store)
  await materialize(store, read, tree, path, sharedView)
  return path
}

/** Each bind is a mount, and a sandbox with hundreds of mounts starts slowly: beyond, files are copied. */
const mostBinds = 64

/** Runs the command and returns its outputs, which are in the store by then. */
export async function execute(
  executor: Executor,
  recipe: CommandRecipe,
  key: string,
  report: Pick<Report, 'progress' | 'warn'>,
): Promise<Readonly<Record<string, Artifact>>> {
  const job = temporaryPath(executor.store)
  const workFolder = `${job}/work`
  const temporaryFolder = `${job}/tmp`
  mkdirSync(job, { mode: 0o700 })
  try {
    mkdirSync(workFolder, { mode: 0o755 })
    mkdirSync(temporaryFolder, { mode: 0o700 })
    const bound = await placeInputs(executor, recipe, workFolder)
    const readOnly = new Map([...bound].map(([path, { source }]) => [path, source]))
    const places = new Map([...bound.values()].map(({ inode, artifact }) => [inode, artifact]))
    for (const output of recipe.outputs) mkdirSync(dirname(`${workFolder}/${output}`), { recursive: true })
    const { signal, sandboxed } = executor
    const kept = placeKept(executor.store, workFolder, recipe.kept ?? {}, sandboxed)
    const writable = new Map(kept.map(({ path, source }) => [path, source]))
    const { distcc } = executor
    const elsewhere =
      distcc === undefined || recipe.distributed === undefined
        ? undefined
        : placeDistcc({ hosts: distcc, compilers: recipe.distributed, job, workFolder, sandboxed })
    if (elsewhere?.bound !== undefined) readOnly.set(elsewhere.bound.path, elsewhere.bound.source)
    const network = recipe.network === true || elsewhere !== undefined
    const room = sandboxed
      ? ['bwrap', ...sandboxArguments({ network, workFolder, temporaryFolder, readOnly, writable }), '--']
      : []
    const argv = [...lockArguments(kept), ...room, ...recipe.argv]
    const { onLine } = recipe
    const capture = await openCapture(`${job}/output`, onLine && ((line) => onLine(line, report)))
    const outcome = await runChild({
      argv,
      env: { ...environmentOf(recipe), ...elsewhere?.env },
      folder: workFolder,
      output: capture.descriptor,
      signal,
      sandboxed,
    })
    const said = await capture.text()
    signal.throwIfAborted()
    if (outcome.type !== 'exited' || outcome.code !== 0) {
      throw commandFailure(executor, recipe, key, outcome, said)
    }
    return await takeOutputs(executor, recipe, key, workFolder, places, said)
  } finally {
    removeFolder(job)
  }
}

/** An input that is bound into the sandbox. */
interface Bound {
  readonly artifact: Artifact
  /** What appears there. */
  readonly source: string
  /**
   * Of the empty file or folder that it covers. The command may move or link the place into its outputs,
   * and outside the sandbox only this is to be seen of it.
   */
  readonly inode: number
}

/** Returns by path what is to be bound into the sandbox; everything else is a copy by then. */
async function placeInputs(
  executor: Executor,
  recipe: CommandRecipe,
  workFolder: string,
): Promise<ReadonlyMap<string, Bound>> {
  const { store, read } = executor
  const paths = Object.keys(recipe.inputs).sort()
  const bound = new Map<string, Bound>()
  const folders = new Set<string>()
  for (const path of paths) {
    const artifact = recipe.inputs[path] as Artifact
    const destination = `${workFolder}/${path}`
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) folders.add(folder)
    mkdirSync(dirname(destination), { recursive: true })
    const alone = !paths.some((other) => other !== path && areNested(path, other))
    const apart = !recipe.outputs.some((output) => areNested(path, output))
    const fits = artifact.kind === 'tree' || bound.size < mostBinds
    if (executor.sandboxed && alone && apart && fits) {
      bound.set(path, await bind(executor, artifact, destination))
    } else {
      await materialize(store, read, artifact, destination, inputCopy)
    }
  }
  for (const folder of [...folders].sort().reverse()) {
    utimesSync(`${workFolder}/${folder}`, contentTimeSeconds, contentTimeSeconds)
  }
  return bound
}

/** Makes the place where the artifact will appear. */
async function bind(executor: Executor, artifact: Artifact, destination: string): Promise<Bound> {
  if (artifact.kind === 'tree') mkdirSync(destination)
  else closeSync(openSync(destination, 'wx', 0o444))
  const { store } = executor
  const { sha256 } = artifact.digest
  const source =
    artifact.kind === 'tree'
      ? await executor.view(artifact)
      : artifact.executable
        ? ensureExecutable(store, sha256)
        : blobPath(store, sha256)
  return { artifact, source, inode: lstatSync(destination).ino }
}

async function takeOutputs(
  executor: Executor,
  recipe: CommandRecipe,
  key: string,
  workFolder: string,
  places: ReadonlyMap<number, Artifact>,
  said: string,
): Promise<Readonly<Record<string, Artifact>>> {
  const { outputs } = recipe
  let linked = false
  for (const output of outputs) {
    const stat = lstatSync(`${workFolder}/${output}`, { throwIfNoEntry: false })
    if (stat === undefined) {
      const kept = keepLog(executor.store, recipe.name, key, said)
      throw new UserError({
        what: `${recipe.name} did not make ${output}`,
        why: `${recipe.argv[0]} ended without an error, but what it had to leave is not there`,
        ...(kept === undefined ? {} : { fix: `read all that it said: ${kept}` }),
      })
    }
    linked ||= stat.isSymbolicLink()
    if (!isInside(`${workFolder}/${output}`, workFolder)) {
      throw new UserError({
        what: `${recipe.name} made ${output} as a link that leads nowhere in its working folder`,
        fix: 'an output must be a file or a folder',
      })
    }
  }
  const nested = outputs.some((a, index) => outputs.some((b, other) => index !== other && areNested(a, b)))
  // Without a sandbox some process may have escaped us and still have a file open: copy then.
  const adopt = executor.sandboxed && !nested && !linked
  const staged: Staged[] = []
  const artifacts: Record<string, Artifact> = {}
  for (const output of outputs) {
    const { signal } = executor
    const taken = await stagePath(executor.intake, `${workFolder}/${output}`, {
      adopt,
      reclaim: true,
      places,
      signal,
    })
    staged.push(...taken.staged)
    artifacts[output] = taken.artifact
  }
  await executor.intake.commit(staged)
  return artifacts
}

function isInside(path: string, folder: string): boolean {
  try {
    return realpathSync(path).startsWith(`${realpathSync(folder)}/`)
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ELOOP') return false
    throw error
  }
}

/** Less free space than this, right after a command failed, is why it failed. */
const exhaustedBytes = 128 * 1024

function commandFailure(
  executor: Executor,
  recipe: CommandRecipe,
  key: string,
  outcome: ChildOutcome,
  said: string,
): UserError {
  const { folder } = executor.store
  const { bavail, bsize, ffree, files } = statfsSync(folder)
  const lines = tellingLines(said)
  if (bavail * bsize < exhaustedBytes || (files > 0 && ffree === 0) || saysDiskFull(said)) {
    return diskFull(
      folder,
      [`${recipe.name} failed: ${describeOutcome(recipe, outcome)}`, ...lines].join('\n'),
    )
  }
  const kept = keepLog(executor.store, recipe.name, key, said)
  return new UserError({
    what: `${recipe.name} failed`,
    why: [describeOutcome(recipe, outcome), ...lines].join('\n'),
    ...(kept === undefined ? {} : { fix: `all of its output is in ${kept}` }),
  })
}

function describeOutcome(recipe: CommandRecipe, outcome: ChildOutcome): string {
  const [program] = recipe.argv
  switch (outcome.type) {
    case 'exited':
      return `${program} ended with exit code ${outcome.code}${signalNote(outcome.code)}`
    case 'killed':
      return `${program} was killed by ${outcome.signal}`
    case 'not-started':
      return `${program} could not be started: ${outcome.error.message}`
    case 'aborted':
      return `${program} was stopped`
  }
}

/** Shells, and bubblewrap too, say 128 + n for a child that died of signal n. */
function signalNote(code: number): string {
  if (code === 127) return ' (a program was not found)'
  if (code === 137) return ' (killed, perhaps because memory ran out)'
  if (code === 139) return ' (it crashed: segmentation fault)'
  return ''
}
