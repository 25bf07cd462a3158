/** What commands that failed have said: the lines that say why, and all of it for later. */
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { Store } from './store.ts'

const mostLogs = 50
const mostLines = 8
const mostCharacters = 300

const complaint =
  /\b(error|fatal|failed|cannot|can't|could not|undefined|unknown|invalid|denied|no such|not found|no space)\b/i

/** The first lines in which a command complains, or else the last ones that it wrote. */
export function tellingLines(text: string): readonly string[] {
  const lines = text
    .split(/[\n\r]+/)
    .filter((line) => line.trim() !== '')
    .map((line) => (line.length > mostCharacters ? `${line.slice(0, mostCharacters)}…` : line))
  const complaints = lines.filter((line) => complaint.test(line))
  return complaints.length > 0 ? complaints.slice(0, mostLines) : lines.slice(-mostLines)
}

export function saysDiskFull(text: string): boolean {
  return /No space left on device|Disk quota exceeded/.test(text)
}

/**
 * Keeps a log in the store, the newest few only; returns where, or undefined when there was no way to. That
 * is no error: what is being reported already is one.
 */
export function keepLog(store: Store, name: string, key: string, text: string): string | undefined {
  try {
    const folder = `${store.folder}/logs`
    const slug = name.replaceAll(/[^A-Za-z0-9._-]+/g, '-').slice(0, 60)
    const kept = `${folder}/${slug}-${key.slice(0, 12)}.log`
    writeFileSync(kept, text)
    const logs = readdirSync(folder).map((log) => `${folder}/${log}`)
    const ages = new Map(logs.map((log) => [log, statSync(log).mtimeMs]))
    logs.sort((a, b) => (ages.get(b) ?? 0) - (ages.get(a) ?? 0))
    for (const log of logs.slice(mostLogs)) rmSync(log, { force: true })
    return kept
  } catch {
    return undefined
  }
}
