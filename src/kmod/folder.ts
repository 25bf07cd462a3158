import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { ElfInput } from '../elf/index.ts'
import { decompressFiles, messageOf } from './decompress.ts'
import type { KmodError, KmodResult } from './error.ts'
import { isKmodPath, kmodCompression } from './name.ts'
import { createKmodSource, type KmodSource } from './source.ts'

/**
 * The modules of a `lib/modules/VERSION` folder on disk. Of a plain module only the parts that are asked for are read;
 * compressed ones are unpacked in memory, many at a time where all are needed. depmod's indices are not used, and need
 * not be there.
 */
export function openKmodFolder(folder: string): KmodResult<KmodSource> {
  try {
    return {
      ok: true,
      value: createKmodSource({
        paths: listKmodPaths(folder),
        builtin: readIfThere(join(folder, 'modules.builtin')).toString('utf8'),
        builtinModinfo: readIfThere(join(folder, 'modules.builtin.modinfo')),
        read: (path) => readFileSync(join(folder, path)),
        readAll: (paths, receive) => visitKmods(folder, paths, receive),
      }),
    }
  } catch (error) {
    return unreadable(error)
  }
}

/** Paths of all modules below a folder, relative to it, in no particular order. Throws what reading a folder throws. */
export function listKmodPaths(folder: string): readonly string[] {
  const paths: string[] = []
  const walk = (relative: string): void => {
    for (const entry of readdirSync(join(folder, relative), { withFileTypes: true })) {
      // `build` and `source` are links to where the kernel was built, and no part of its modules.
      if (entry.isDirectory()) walk(`${relative}${entry.name}/`)
      else if (isKmodPath(entry.name)) paths.push(relative + entry.name)
    }
  }
  walk('')
  return paths
}

/**
 * Hands over modules one after the other, unpacked. What is handed over is gone when `receive` returns: the same
 * memory serves for the next one.
 */
export async function visitKmods(
  folder: string,
  paths: Iterable<string>,
  receive: (path: string, content: KmodResult<Uint8Array | ElfInput>) => void,
): Promise<void> {
  const compressed: { readonly path: string; readonly compression: 'xz' | 'gz' | 'zst' }[] = []
  const scratch = createScratch()
  for (const path of paths) {
    const compression = kmodCompression(path)
    if (compression !== undefined) compressed.push({ path: `${folder}/${path}`, compression })
    else visitPlain(`${folder}/${path}`, scratch, (content) => receive(path, content))
  }
  if (compressed.length === 0) return
  await decompressFiles(compressed, { parallel: availableParallelism() }, (path, content) =>
    receive(path.slice(folder.length + 1), content),
  )
}

/** Memory for what is read of one file, used again for the next. */
interface Scratch {
  reset(): void
  take(sizeBytes: number): Buffer
}

const scratchBytes = 4 << 20

function createScratch(): Scratch {
  const slab = Buffer.allocUnsafeSlow(scratchBytes)
  let used = 0
  return {
    reset() {
      used = 0
    },
    take(sizeBytes) {
      if (used + sizeBytes > slab.length) return Buffer.allocUnsafeSlow(sizeBytes)
      used += sizeBytes
      return slab.subarray(used - sizeBytes, used)
    },
  }
}

/** Up to this size one read of everything is faster than several of parts. */
const smallBytes = 32 << 10

function visitPlain(
  path: string,
  scratch: Scratch,
  receive: (content: KmodResult<Uint8Array | ElfInput>) => void,
): void {
  scratch.reset()
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    receive(unreadable(error))
    return
  }
  try {
    // Most modules are small, and the first read tells their size as well: fstat makes a large object.
    const start = scratch.take(smallBytes)
    const length = readSync(file, start, 0, smallBytes, 0)
    if (length < smallBytes) {
      receive({ ok: true, value: start.subarray(0, length) })
      return
    }
    const sizeBytes = fstatSync(file).size
    const read = (offsetBytes: number, wantedBytes: number): Uint8Array => {
      if (offsetBytes + wantedBytes <= smallBytes)
        return start.subarray(offsetBytes, offsetBytes + wantedBytes)
      const buffer = scratch.take(wantedBytes)
      return buffer.subarray(0, readSync(file, buffer, 0, wantedBytes, offsetBytes))
    }
    receive({ ok: true, value: { sizeBytes, read } })
  } catch (error) {
    receive(unreadable(error))
  } finally {
    closeSync(file)
  }
}

function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}

function unreadable(error: unknown): { ok: false; error: KmodError } {
  return { ok: false, error: { type: 'unreadable', message: messageOf(error) } }
}
