import type { ProgressReader } from './plain.ts'

/** Every event as one line of JSON. */
export function jsonProgress(write: (line: string) => void): ProgressReader {
  return { event: (event) => write(JSON.stringify(event)), stop: () => {} }
}
