/** Placeholder types until the engine lands. */
export interface Digest {
  readonly sha256: string
  readonly sizeBytes: number
}
export interface FileArtifact {
  readonly kind: 'file'
  readonly digest: Digest
  readonly executable: boolean
}
