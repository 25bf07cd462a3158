import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/**
 * What was read from a folder of modules the last time, for as long as none of its modules has changed.
 *
 * It trusts the file system: a module counts as the same while its path, device, inode, size, modification and change
 * time are. The change time (ctime, inode(7)) cannot be set by a program, so that this holds as long as the machine's
 * clock is not put back. Times are as coarse as the clock's tick; what changed in the last two seconds is therefore
 * not remembered, since it might change once more under the same time.
 */
export interface KmodMemory {
  /** What was saved under a name, if the modules are still those. */
  load(what: string): Buffer | undefined
  save(what: string, content: Uint8Array): void
}

const youngestMs = 2_000
/** Of what is written here: another version is not read. */
const format = 2
/** Size of the identity and checksum of the content, before both. */
const headBytes = 8

/**
 * @param folder of modules
 * @param paths of all its modules, relative to it
 * @param index folder for what is remembered, of any number of folders of modules
 */
export function rememberKmods(
  folder: string,
  paths: Iterable<string>,
  index: string,
): KmodMemory | undefined {
  const identity = identityOf(folder, paths)
  if (identity === undefined) return undefined
  const place = join(index, placeOf(resolve(folder)))
  return {
    load(what) {
      let file: Buffer
      try {
        file = readFileSync(`${place}.${what}`)
      } catch {
        // Not there, or not to be read: the modules themselves are.
        return undefined
      }
      const start = headBytes + identity.length
      const content = file.subarray(start)
      const isWhole =
        file.length >= start &&
        file.readUInt32LE(0) === identity.length &&
        identity.equals(file.subarray(headBytes, start)) &&
        file.readUInt32LE(4) === checksum(content)
      return isWhole ? content : undefined
    },
    save(what, content) {
      const file = `${place}.${what}`
      const unfinished = `${file}.${process.pid}`
      const head = Buffer.alloc(headBytes)
      head.writeUInt32LE(identity.length, 0)
      head.writeUInt32LE(checksum(content), 4)
      // A full or read-only disk costs time at the next start, and nothing else.
      try {
        mkdirSync(index, { recursive: true })
        writeFileSync(unfinished, Buffer.concat([head, identity, content]))
        renameSync(unfinished, file)
      } catch {
        if (existsSync(unfinished)) rmSync(unfinished)
      }
    },
  }
}

/**
 * FNV-1a, 32 bits, of every word. It is against damage, and to name files; it has to withstand nobody: the identity names
 * the folder, and who can write here can write what he likes.
 */
function checksum(content: Uint8Array): number {
  // What was read from a file begins at a whole word; otherwise a copy does.
  const aligned = content.byteOffset % 4 === 0 ? content : new Uint8Array(content)
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2)
  let hash = 0x811c9dc5 | 0
  for (let at = 0; at < words.length; at++) hash = Math.imul(hash ^ (words[at] ?? 0), 0x01000193)
  for (const byte of aligned.subarray(words.length << 2)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** Two folders with the same name here forget each other, and that is all. */
function placeOf(folder: string): string {
  const bytes = Buffer.from(folder)
  return `${checksum(bytes).toString(16).padStart(8, '0')}-${bytes.length}`
}

const factsOfOne = 5

/** Folder, paths, and of every module what tells it from another; times to a quarter of a microsecond. */
function identityOf(folder: string, paths: Iterable<string>): Buffer | undefined {
  const sorted = [...paths].sort()
  const facts = new Float64Array(sorted.length * factsOfOne)
  const youngest = Date.now() - youngestMs
  let at = 0
  for (const path of sorted) {
    const stat = statSync(`${folder}/${path}`, { throwIfNoEntry: false })
    if (stat === undefined || stat.ctimeMs > youngest) return undefined
    facts[at++] = stat.dev
    facts[at++] = stat.ino
    facts[at++] = stat.size
    facts[at++] = stat.mtimeMs
    facts[at++] = stat.ctimeMs
  }
  const names = Buffer.from([format, resolve(folder), ...sorted].join('\n'))
  const padding = Buffer.alloc(4 - (names.length % 4))
  return Buffer.concat([names, padding, Buffer.from(facts.buffer)])
}
