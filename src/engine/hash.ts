import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Digest } from './artifact.ts'

/** Below this, handing the work to another thread costs more than the work. */
const atOnceBytes = 64 * 1024

/** Up to this a file is hashed in one piece by another thread; it bounds the memory of one hash. */
const inOnePieceBytes = 8 * 1024 * 1024

/** Streams, whatever the size. */
export async function hashFile(path: string): Promise<Digest> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk as Buffer)
    sizeBytes += (chunk as Buffer).length
  }
  return { sha256: hash.digest('hex'), sizeBytes }
}

/** SHA-256 of a file of about this size. Several at once use several processors, but for the largest files. */
export async function sha256OfFile(path: string, sizeBytes: number): Promise<string> {
  if (sizeBytes <= atOnceBytes) return createHash('sha256').update(readFileSync(path)).digest('hex')
  if (sizeBytes > inOnePieceBytes) return (await hashFile(path)).sha256
  return Buffer.from(await crypto.subtle.digest('SHA-256', await readFile(path))).toString('hex')
}
