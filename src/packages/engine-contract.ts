/** What this room uses of the engine, until it is here. */
export type { FileArtifact } from '../engine/index.ts'

import type { FileArtifact } from '../engine/index.ts'

export interface TreeArtifact {
  readonly kind: 'tree'
  readonly digest: { readonly sha256: string; readonly sizeBytes: number }
}
export type Artifact = FileArtifact | TreeArtifact
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

export interface FunctionContext {
  readonly signal: AbortSignal
  put(
    content: Uint8Array | string | AsyncIterable<Uint8Array>,
    options?: { executable?: boolean },
  ): Promise<FileArtifact>
  read(artifact: FileArtifact, range?: { offsetBytes: number; sizeBytes: number }): Promise<Buffer>
  progress(doneUnits: number, totalUnits: number, unit: 'bytes' | 'files' | 'objects'): void
}
export interface FunctionRecipe<T> {
  readonly kind: 'function'
  readonly name: string
  readonly function: { readonly id: string; readonly version: number }
  readonly input: Json | object
  run(context: FunctionContext): Promise<T>
}
export interface CommandRecipe {
  readonly kind: 'command'
  readonly name: string
  readonly argv: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  readonly inputs: Readonly<Record<string, Artifact>>
  readonly outputs: readonly string[]
  readonly tools?: readonly string[]
  readonly network?: boolean
}
export interface StepReport {
  progress(doneUnits: number, totalUnits: number, unit: 'bytes' | 'files' | 'objects'): void
  note(text: string): void
  warn(text: string): void
}
export interface Engine {
  readonly signal: AbortSignal
  build(recipe: CommandRecipe): Promise<Readonly<Record<string, Artifact>>>
  compute<T>(recipe: FunctionRecipe<T>): Promise<T>
  read(artifact: FileArtifact, range?: { offsetBytes: number; sizeBytes: number }): Promise<Buffer>
  path(artifact: FileArtifact): string
  has(artifact: Artifact): Promise<boolean>
  import(path: string): Promise<Artifact>
  step<T>(name: string, work: (report: StepReport) => Promise<T>): Promise<T>
}
