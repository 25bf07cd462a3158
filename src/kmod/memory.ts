import { createHash } from 'node:crypto'
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

const youngest = 2_000_000_000n
/** Of what is written here: another version is not read. */
const format = 1
const digestBytes = 32

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
  const place = createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 32)
  return {
    load(what) {
      let file: Buffer
      try {
        file = readFileSync(join(index, `${place}.${what}`))
      } catch {
        // Not there, or not to be read: the modules themselves are.
        return undefined
      }
      const content = file.subarray(2 * digestBytes)
      const isWhole =
        file.length >= 2 * digestBytes &&
        identity.equals(file.subarray(0, digestBytes)) &&
        digest(content).equals(file.subarray(digestBytes, 2 * digestBytes))
      return isWhole ? content : undefined
    },
    save(what, content) {
      const file = join(index, `${place}.${what}`)
      const unfinished = `${file}.${process.pid}`
      // A full or read-only disk costs time at the next start, and nothing else.
      try {
        mkdirSync(index, { recursive: true })
        writeFileSync(unfinished, Buffer.concat([identity, digest(content), content]))
        renameSync(unfinished, file)
      } catch {
        if (existsSync(unfinished)) rmSync(unfinished)
      }
    },
  }
}

function digest(content: Uint8Array): Buffer {
  return createHash('sha256').update(content).digest()
}

function identityOf(folder: string, paths: Iterable<string>): Buffer | undefined {
  const hash = createHash('sha256').update(`${format}\n`)
  const now = BigInt(Date.now()) * 1_000_000n
  let lines = ''
  for (const path of [...paths].sort()) {
    const stat = statSync(`${folder}/${path}`, { bigint: true, throwIfNoEntry: false })
    if (stat === undefined || stat.ctimeNs > now - youngest) return undefined
    lines += `${path}\0${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}\n`
  }
  return hash.update(lines).digest()
}
