/** What a recipe gave, as kept in results/. */
import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type Artifact, artifactsIn, isArtifact } from './artifact.ts'
import { errorCode } from './failure.ts'
import { canonicalJson } from './json.ts'
import { moveIntoPlace, resultPath, type Store, temporaryPath } from './store.ts'

export interface ResultRecord {
  readonly key: string
  /** For people who look into the store. */
  readonly name: string
  /** Of a function; absent when it returned undefined. For a command: output path → artifact. */
  readonly value?: unknown
  /** Keys of the results that a function asked for while it ran, sorted. */
  readonly builds: readonly string[]
}

/**
 * The text of a record is JSON with a checksum over its canonical form: a record is small, and a changed byte
 * in it would otherwise pass for the truth.
 */
export function sealedJson(body: object): string {
  const text = canonicalJson(body)
  return `{"body":${text},"sha256":"${createHash('sha256').update(text).digest('hex')}"}\n`
}

/** The body of {@link sealedJson}, or undefined when one byte of the text is not as it was written. */
export function unsealJson(text: string): unknown {
  const match = /^\{"body":(.*),"sha256":"([0-9a-f]{64})"\}\n$/s.exec(text)
  if (match === null) return undefined
  const [, body = '', sha256] = match
  if (createHash('sha256').update(body).digest('hex') !== sha256) return undefined
  return JSON.parse(body)
}

export function parseRecord(text: string, key: string): ResultRecord | undefined {
  const body = unsealJson(text)
  if (typeof body !== 'object' || body === null) return undefined
  const record = body as ResultRecord
  return record.key === key && Array.isArray(record.builds) ? record : undefined
}

/** Undefined when there is none, or none that can be trusted. */
export function readRecord(folder: string, key: string): ResultRecord | undefined {
  try {
    return parseRecord(readFileSync(resultPath({ folder }, key), 'utf8'), key)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Durable once it returns. To be called when everything that the record refers to is in the store. */
export function writeRecord(store: Store, record: ResultRecord): void {
  writeDurably(store, resultPath(store, record.key), sealedJson(record))
}

export function writeDurably(store: Store, path: string, text: string): void {
  const temporary = temporaryPath(store)
  try {
    writeFileSync(temporary, text, { mode: 0o644, flush: true })
    moveIntoPlace(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** The outputs of a command's record, or undefined unless they are exactly those declared. */
export function outputsIn(
  record: ResultRecord,
  declared: readonly string[],
): Readonly<Record<string, Artifact>> | undefined {
  const outputs = record.value as Readonly<Record<string, unknown>> | null | undefined
  if (typeof outputs !== 'object' || outputs === null) return undefined
  if (!declared.every((path) => Object.hasOwn(outputs, path) && isArtifact(outputs[path]))) return undefined
  return outputs as Readonly<Record<string, Artifact>>
}

export function artifactsOf(record: ResultRecord): readonly Artifact[] {
  return artifactsIn(record.value)
}
