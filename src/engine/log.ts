/** Output of commands that failed: the lines that say why, and the whole of it for later. */
import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import type { Store } from './store.ts'

const headBytes = 512 * 1024
const tailBytes = 1536 * 1024
const mostLogs = 50
const mostLines = 8
const lineLength = 300

/** Beginning and end of a log; what lies between is left out when it is long. */
function readLog(path: string): string {
  const descriptor = openSync(path, 'r')
  try {
    const size = fstatSync(descriptor).size
    const part = (offset: number, length: number): string => {
      const buffer = Buffer.alloc(length)
      return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, length, offset))
    }
    if (size <= headBytes + tailBytes) return part(0, size)
    const left = size - headBytes - tailBytes
    return `${part(0, headBytes)}\n[… ${left} bytes left out …]\n${part(size - tailBytes, tailBytes)}`
  } finally {
    closeSync(descriptor)
  }
}

const complaint =
  /\b(error|fatal|failed|cannot|can't|could not|undefined|unknown|invalid|denied|no such|not found|no space)\b/i

/** The first lines in which a command complains, or else the last ones that it wrote. */
export function tellingLines(path: string): readonly string[] {
  const lines = readLog(path)
    .split(/[\n\r]+/)
    .filter((line) => line.trim() !== '')
    .map((line) => (line.length > lineLength ? `${line.slice(0, lineLength)}…` : line))
  const complaints = lines.filter((line) => complaint.test(line))
  return complaints.length > 0 ? complaints.slice(0, mostLines) : lines.slice(-mostLines)
}

export function noSpaceIn(path: string): boolean {
  return /No space left on device|Disk quota exceeded/.test(readLog(path))
}

/**
 * Keeps a log in the store, the newest few only; returns where, or undefined when there was no way to. That
 * is no error: what is being reported already is one.
 */
export function keepLog(store: Store, name: string, key: string, path: string): string | undefined {
  try {
    const folder = `${store.folder}/logs`
    const slug = name.replaceAll(/[^A-Za-z0-9._-]+/g, '-').slice(0, 60)
    const kept = `${folder}/${slug}-${key.slice(0, 12)}.log`
    writeFileSync(kept, readLog(path))
    const logs = readdirSync(folder).map((log) => `${folder}/${log}`)
    const ages = new Map(logs.map((log) => [log, statSync(log).mtimeMs]))
    logs.sort((a, b) => (ages.get(b) ?? 0) - (ages.get(a) ?? 0))
    for (const log of logs.slice(mostLogs)) rmSync(log, { force: true })
    return kept
  } catch {
    return undefined
  }
}
