import type { Artifact, FileArtifact } from './artifact.ts'
import type { ProgressUnit } from './events.ts'
import type { Json } from './json.ts'

/**
 * A command. What it may see: its inputs, its environment, and the programs and libraries of the host that
 * are fingerprinted into its key. What comes of it: its outputs, and nothing else.
 */
export interface CommandRecipe {
  readonly kind: 'command'
  /** What the user sees while it runs; not part of the key. */
  readonly name: string
  /**
   * `argv[0]` without a slash is a program of the host, found in the executor's PATH and fingerprinted, as
   * is one with an absolute path; with a slash in it and relative, it is a file among the inputs.
   */
  readonly argv: readonly [string, ...string[]]
  /**
   * The complete environment, but for what the executor always sets: PATH (fixed, cannot be set), and
   * unless given TZ=UTC and LC_ALL=C.UTF-8. HOME in particular is unset.
   */
  readonly env: Readonly<Record<string, string>>
  /** Path in the working folder → artifact. The command cannot change the artifact. */
  readonly inputs: Readonly<Record<string, Artifact>>
  /** Paths in the working folder that the command must leave, each a file or a folder. */
  readonly outputs: readonly string[]
  /** Further programs of the host that the command starts; fingerprinted like `argv[0]`. */
  readonly tools?: readonly string[]
  /**
   * Folders that the command finds as it left them the last time, by their paths in the working folder: a cache of work
   * that can be done again. Not part of the key, so what the command leaves as outputs must not depend on what is in
   * them; and never shared by two commands at once: one waits for the other. The name is a word of letters, digits, `-`
   * and `.`; commands that give the same one get the same folder.
   */
  readonly kept?: Readonly<Record<string, string>>
  /**
   * Compilers that the command starts by name, and that may run on other machines where the engine was told of some
   * (`EngineOptions.distcc`): distcc then stands before them in PATH, its hosts are in `DISTCC_HOSTS`, and the command has
   * the network. Not part of the key: what comes of it must be the same.
   */
  readonly distributed?: readonly string[]
  /** Whether the command may use the network; default false. */
  readonly network?: boolean
  /**
   * Called with each line that the command writes, while it runs, to tell how far it is; not part of the key. It must
   * not throw.
   */
  readonly onLine?: (line: string, report: Pick<Report, 'progress' | 'warn'>) => void
}

/** A pure, fast function; it always runs in this process. */
export interface FunctionRecipe<T> {
  readonly kind: 'function'
  /** What the user sees while it runs; not part of the key. */
  readonly name: string
  /** The version is raised whenever the function gives something else for the same input. */
  readonly function: { readonly id: string; readonly version: number }
  /** Everything that the result depends on, as JSON; artifacts inside count as inputs. */
  readonly input: Json | object
  /**
   * The result must be JSON (or undefined); artifacts inside it are kept as long as the result is. It may
   * await `Engine.build` and `Engine.compute` for what it finds out that it needs. Every caller gets its own
   * copy of the result.
   */
  run(context: FunctionContext): Promise<T>
}

export interface Report {
  /** `detail`: what is being worked on, in few words */
  progress(doneUnits: number, totalUnits: number, unit: ProgressUnit, detail?: string): void
  note(text: string): void
  warn(text: string): void
}

/** Everything a function may touch, apart from its input. */
export interface FunctionContext extends Report {
  /** Aborted when the engine is told to stop. */
  readonly signal: AbortSignal
  /** Content into the store. */
  put(
    content: Uint8Array | string | AsyncIterable<Uint8Array>,
    options?: { executable?: boolean },
  ): Promise<FileArtifact>
  /** Content out of the store, all of it or a range, which must lie within it. */
  read(artifact: FileArtifact, range?: { offsetBytes: number; sizeBytes: number }): Promise<Buffer>
}
