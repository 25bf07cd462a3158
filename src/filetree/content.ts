import { createHash } from 'node:crypto'
import type { Digest, FileArtifact } from '../engine/index.ts'
import type { Content } from './tree.ts'

/** The one thing that the writers of this room need of a store. */
export interface ContentReader {
  read(
    artifact: FileArtifact,
    range?: { readonly offsetBytes: number; readonly sizeBytes: number },
  ): Promise<Buffer>
}

/** All bytes of `content`. */
export async function readContent(reader: ContentReader, content: Content): Promise<Buffer> {
  switch (content.type) {
    case 'text':
      return Buffer.from(content.text)
    case 'artifact':
      return reader.read(content.artifact)
    case 'slice':
      return reader.read(content.artifact, { offsetBytes: content.offsetBytes, sizeBytes: content.sizeBytes })
  }
}

/** Size and SHA-256 of `content`; reads it only where its digest is not known already. */
export async function contentDigest(reader: ContentReader, content: Content): Promise<Digest> {
  if (content.type === 'artifact') return content.artifact.digest
  const bytes = await readContent(reader, content)
  return { sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length }
}
