import { createHash } from 'node:crypto'

/** Names content: its SHA-256 in lower-case hexadecimal, and its size. The REAPI v2 `Digest` message. */
export interface Digest {
  readonly sha256: string
  readonly sizeBytes: number
}

export interface FileArtifact {
  readonly kind: 'file'
  readonly digest: Digest
  /** A property of this reference, not of the content: the same bytes may be referred to either way. */
  readonly executable: boolean
}

/**
 * A folder. `digest` is that of the canonical REAPI v2 `Directory` message; sub-directories are `Directory`
 * blobs of the store as well.
 */
export interface TreeArtifact {
  readonly kind: 'tree'
  readonly digest: Digest
}

export type Artifact = FileArtifact | TreeArtifact

export function digestOf(bytes: Uint8Array): Digest {
  return { sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length }
}

const sha256Pattern = /^[0-9a-f]{64}$/

export function isSha256(text: string): boolean {
  return sha256Pattern.test(text)
}

/** Whether a value out of JSON is an artifact; anything else that merely looks like one is not. */
export function isArtifact(value: unknown): value is Artifact {
  if (typeof value !== 'object' || value === null) return false
  const { kind, digest, executable } = value as Record<string, unknown>
  if (kind !== 'tree' && !(kind === 'file' && typeof executable === 'boolean')) return false
  if (typeof digest !== 'object' || digest === null) return false
  const { sha256, sizeBytes } = digest as Record<string, unknown>
  return (
    typeof sha256 === 'string' &&
    isSha256(sha256) &&
    Number.isSafeInteger(sizeBytes) &&
    Number(sizeBytes) >= 0
  )
}

/** Every artifact anywhere inside a JSON value, in order of appearance. */
export function artifactsIn(value: unknown, found: Artifact[] = []): Artifact[] {
  if (isArtifact(value)) found.push(value)
  else if (Array.isArray(value)) for (const item of value) artifactsIn(item, found)
  else if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) artifactsIn(member, found)
  }
  return found
}
