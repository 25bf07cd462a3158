import { setMaxListeners } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, resolve } from 'node:path'
import { type Diagnostic, UserError } from '../diagnostics/index.ts'
import { type EncodedAction, encodeRecipe, functionKey, toolsOf } from './action.ts'
import { type Artifact, artifactsIn, type FileArtifact, type TreeArtifact } from './artifact.ts'
import type { EngineEvent } from './events.ts'
import type { Executor } from './execute.ts'
import { exportArtifact } from './export.ts'
import { diskFailure, errorCode } from './failure.ts'
import { createIntake } from './intake.ts'
import { canonicalJson, frozen } from './json.ts'
import { type Lease, takeSharedLease } from './lease.ts'
import { createPresence } from './presence.ts'
import type { ReapiAction } from './reapi.ts'
import type { CommandRecipe, FunctionContext, FunctionRecipe, Report } from './recipe.ts'
import { outputsIn } from './record.ts'
import { createResults } from './results.ts'
import { writeRoot } from './roots.ts'
import { createSlots } from './slots.ts'
import { createSteps } from './steps.ts'
import {
  blobPath,
  ensureExecutable,
  prepareStore,
  removeAbandoned,
  removeFolder,
  type Store,
} from './store.ts'
import { createToolbox } from './tools.ts'
import { composeTree, createDirectoryReader, stagePath, treeDigests } from './tree.ts'

export interface EngineOptions {
  /** Made when it does not exist. */
  readonly storeFolder: string
  /** How many commands may run at once; default: as many as there are processors. */
  readonly jobs?: number
  /** Called synchronously; must not throw. */
  readonly onEvent?: (event: EngineEvent) => void
  /** Aborting it stops everything: commands are killed, and what was asked for rejects with its reason. */
  readonly signal?: AbortSignal
  /** Machines that compile for commands which allow it (`CommandRecipe.distributed`): `HOST/SLOTS,…` for distcc. */
  readonly distcc?: string
  /** `none`: commands run without a sandbox even where one works. */
  readonly sandbox?: 'auto' | 'none'
}

export interface Engine {
  readonly signal: AbortSignal
  /**
   * The outputs of a command by their paths. Same key, no work; same key twice at once, one run. Throws a
   * `UserError` when the command fails, a tool is missing or the disk is full.
   */
  build(recipe: CommandRecipe): Promise<Readonly<Record<string, Artifact>>>
  /** The result of a function, out of the store where it is known; frozen, since callers share it. */
  compute<T>(recipe: FunctionRecipe<T>): Promise<T>
  put: FunctionContext['put']
  read: FunctionContext['read']
  /** Absolute path of a file artifact in the store, for reading only (mode 0444, or 0555 if executable). */
  path(artifact: FileArtifact): string
  /** Whether it is in the store; of a tree, all of it. */
  has(artifact: Artifact): Promise<boolean>
  /** A file or folder of the host into the store. A symbolic link is followed, but not inside a folder. */
  import(path: string): Promise<Artifact>
  /**
   * Copies out, sharing blocks where the file system can; modes 0644 and 0755. Whatever is at the
   * destination is replaced as a whole; missing parent folders are made.
   */
  export(artifact: Artifact, destination: string): Promise<void>
  /** One tree out of artifacts at paths. A tree artifact may have others placed inside it. */
  tree(entries: Readonly<Record<string, Artifact>>): Promise<TreeArtifact>
  /** The command as an action of the Remote Execution API; see {@link toReapiAction}. */
  action(recipe: CommandRecipe): Promise<ReapiAction>
  /** Wraps impure work so that it shows up in the event stream; nothing is cached. */
  step<T>(name: string, work: (report: Report) => Promise<T>): Promise<T>
  /**
   * Records that `outputFile`, a file on disk, refers to everything that this engine has built or used so
   * far: garbage collection keeps that while the file exists with these bytes.
   */
  keep(outputFile: string): Promise<void>
  /** Stops what is running and gives the store back. May be called more than once. */
  close(): Promise<void>
}

/** Throws a `UserError` when the store cannot be used. Waits while garbage is being collected. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { store, lease } = await enterStore(resolve(options.storeFolder), options.signal)

  const stop = new AbortController()
  const { signal } = stop
  const forward = () => stop.abort(options.signal?.reason)
  options.signal?.addEventListener('abort', forward, { once: true })
  if (options.signal?.aborted) forward()

  // Every waiting command listens; that is no leak.
  setMaxListeners(0, signal)
  const steps = createSteps(options.onEvent, signal)
  const readDirectory = createDirectoryReader(store)
  const presence = createPresence(store, readDirectory)
  const intake = createIntake(store, presence)
  const toolbox = createToolbox(store)
  const slots = createSlots(Math.max(1, Math.floor(options.jobs ?? availableParallelism()) || 1))
  const results = createResults(store, presence, steps)
  const { use } = results

  let executor: Promise<Executor> | undefined

  /** What runs commands is loaded, and the sandbox tried, for the first one: not where all is cached. */
  async function run(
    recipe: CommandRecipe,
    key: string,
    report: Report,
  ): Promise<Readonly<Record<string, Artifact>>> {
    const { createExecutor, execute } = await import('./execute.ts')
    executor ??= createExecutor({
      store,
      intake,
      read: readDirectory,
      signal,
      sandbox: options.sandbox ?? 'auto',
      distcc: options.distcc,
      warn: steps.warn,
    })
    return execute(await executor, recipe, key, report)
  }

  /** Runs a public operation: refuses after the end, and explains what the disk refuses. */
  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      // Whatever goes wrong while everything is being stopped goes wrong because of that.
      throw signal.aborted ? signal.reason : explain(error, store)
    }
  }

  async function encode(recipe: CommandRecipe): Promise<EncodedAction> {
    const byTool = new Map<string, string>()
    const missing: Diagnostic[] = []
    const tools = toolsOf(recipe)
    const found = await Promise.allSettled(tools.map(toolbox.fingerprint))
    for (const [index, outcome] of found.entries()) {
      if (outcome.status === 'fulfilled') byTool.set(tools[index] ?? '', outcome.value)
      else if (outcome.reason instanceof UserError) missing.push(...outcome.reason.diagnostics)
      else throw outcome.reason
    }
    if (missing.length > 0) throw new UserError(...missing)
    return encodeRecipe(recipe, byTool, readDirectory)
  }

  async function put(
    content: Uint8Array | string | AsyncIterable<Uint8Array>,
    { executable = false }: { executable?: boolean } = {},
  ): Promise<FileArtifact> {
    return guarded(async () => {
      const staged =
        typeof content === 'string'
          ? intake.stageBytes(Buffer.from(content, 'utf8'))
          : content instanceof Uint8Array
            ? intake.stageBytes(content)
            : await intake.stageStream(content)
      await intake.commit([staged])
      return use({ kind: 'file', digest: staged.digest, executable })
    })
  }

  async function read(
    artifact: FileArtifact,
    range?: { offsetBytes: number; sizeBytes: number },
  ): Promise<Buffer> {
    return guarded(async () => {
      use(artifact)
      const path = blobPath(store, artifact.digest.sha256)
      if (range === undefined) return readFile(path)
      const { offsetBytes, sizeBytes } = range
      if (offsetBytes < 0 || sizeBytes < 0 || offsetBytes + sizeBytes > artifact.digest.sizeBytes) {
        throw new RangeError(
          `bytes ${offsetBytes}+${sizeBytes} are not within ${artifact.digest.sizeBytes} bytes`,
        )
      }
      const file = await open(path)
      try {
        const buffer = Buffer.alloc(sizeBytes)
        const { bytesRead } = await file.read(buffer, 0, sizeBytes, offsetBytes)
        if (bytesRead !== sizeBytes) throw new Error(`blob ${artifact.digest.sha256} is too short`)
        return buffer
      } finally {
        await file.close()
      }
    })
  }

  let closing: Promise<void> | undefined

  return {
    signal,
    put,
    read,
    async build(recipe) {
      return guarded(async () => {
        const key = (await encode(recipe)).action.sha256
        for (const artifact of Object.values(recipe.inputs)) use(artifact)
        return results.obtain(
          { kind: 'command', name: recipe.name, key },
          (record) => outputsIn(record, recipe.outputs),
          async (report) => {
            const outputs = await slots.run(signal, async () => {
              report.running()
              return run(recipe, key, report)
            })
            return { result: outputs, value: outputs }
          },
        )
      })
    },
    async compute(recipe) {
      type Value = Awaited<ReturnType<typeof recipe.run>>
      return guarded(async () => {
        const key = functionKey(recipe)
        artifactsIn(recipe.input).forEach(use)
        const { value } = await results.obtain(
          { kind: 'function', name: recipe.name, key },
          (record) => ({ value: frozen(record.value) }),
          async ({ progress, note, warn }) => {
            const made = await recipe.run({ signal, put, read, progress, note, warn })
            signal.throwIfAborted()
            // What callers get is the same whether it was cached or not: what JSON can hold.
            const value: unknown = made === undefined ? undefined : JSON.parse(canonicalJson(made))
            return { result: { value: frozen(value) }, value }
          },
        )
        return value as Value
      })
    },
    path(artifact) {
      use(artifact)
      if (!artifact.executable) return blobPath(store, artifact.digest.sha256)
      try {
        return ensureExecutable(store, artifact.digest.sha256)
      } catch (error) {
        throw explain(error, store)
      }
    },
    async has(artifact) {
      return guarded(async () => presence.isWhole(artifact))
    },
    async import(path) {
      return guarded(async () => {
        const { artifact, staged } = await takePath(path)
        await intake.commit(staged)
        return use(artifact)
      })
    },
    async export(artifact, destination) {
      return guarded(async () => exportArtifact(store, readDirectory, use(artifact), destination))
    },
    async tree(entries) {
      return guarded(async () => {
        const { root, messages } = composeTree(entries, readDirectory)
        await intake.commit([...messages.values()].map((bytes) => intake.stageBytes(bytes)))
        return use({ kind: 'tree', digest: root })
      })
    },
    async action(recipe) {
      return guarded(async () => {
        const { action, command, inputRoot, messages } = await encode(recipe)
        await intake.commit([...messages.values()].map((bytes) => intake.stageBytes(bytes)))
        const needed = treeDigests(readDirectory, inputRoot)
        for (const digest of [command, action]) needed.set(digest.sha256, digest)
        return { action, command, inputRoot, needed: [...needed.values()] }
      })
    },
    async step(name, work) {
      return guarded(() => steps.run({ kind: 'work', name }, (_scope, report) => work(report)))
    },
    async keep(outputFile) {
      return guarded(() =>
        writeRoot(store, resolve(outputFile), results.usedArtifacts(), results.usedResults()),
      )
    },
    close() {
      closing ??= close()
      return closing
    },
  }

  async function takePath(path: string) {
    try {
      return await stagePath(intake, resolve(path), { signal })
    } catch (error) {
      switch (errorCode(error)) {
        case 'ENOENT':
        case 'ENOTDIR':
          throw new UserError({ what: `${path} does not exist`, fix: 'check the path' })
        case 'EACCES': {
          const place = (error as NodeJS.ErrnoException).path ?? path
          throw new UserError({ what: `${place} cannot be read`, why: 'permission denied' })
        }
        default:
          throw error
      }
    }
  }

  async function close(): Promise<void> {
    options.signal?.removeEventListener('abort', forward)
    stop.abort(new Error('the engine was closed'))
    await results.settled()
    try {
      // Without these the next process is slower, and nothing else.
      for (const save of [toolbox.save, presence.save]) {
        try {
          save()
        } catch {}
      }
      removeFolder(store.temporaryFolder)
    } finally {
      lease.release()
    }
  }
}

async function enterStore(
  folder: string,
  signal: AbortSignal | undefined,
): Promise<{ store: Store; lease: Lease }> {
  const store = prepareStore(folder)
  try {
    const lease = await takeSharedLease(folder, signal)
    removeAbandoned(folder)
    return { store, lease }
  } catch (error) {
    removeFolder(store.temporaryFolder)
    throw signal?.aborted ? signal.reason : diskFailure(error, 'The store', folder)
  }
}

/** A failure of the disk under the store, as the user is to be told; anything else as it is. */
function explain(error: unknown, store: Store): unknown {
  const { path } = error instanceof Error ? (error as NodeJS.ErrnoException) : {}
  const code = errorCode(error)
  if (code === 'ENOENT' && path?.startsWith(`${store.folder}/blobs/`)) {
    return new UserError({
      what: `The store has lost content (${basename(path)})`,
      why: 'somebody else has removed it',
      fix: 'run `firmwright store verify --repair`, then build again',
    })
  }
  if (code === 'ENOSPC' || code === 'EDQUOT' || path?.startsWith(`${store.folder}/`)) {
    return diskFailure(error, 'The store', store.folder)
  }
  return error
}
