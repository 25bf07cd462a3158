import {
  closeSync,
  constants,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ElfInput } from '../elf/index.ts'
import { xzContentSize, zstdContentSize } from './content-size.ts'
import { decompressKmod, defaultLimitBytes, messageOf, programs } from './decompress.ts'
import type { KmodError, KmodResult } from './error.ts'
import { type Compression, kmodCompression } from './name.ts'

/** Receives a module's file, unpacked, of which nothing is there any more when it returns. */
export type FileReceiver = (path: string, content: KmodResult<Uint8Array | ElfInput>) => void

/**
 * Hands over many files, unpacked, in no particular order and with as little reading as the receiver does: of a plain
 * module of 100 KB three or four parts. Compressed ones are unpacked many in one process, since starting one for each
 * takes longer than the unpacking, and on all processors; from a file, of which again only parts are read.
 */
export async function visitFiles(
  paths: Iterable<string>,
  receive: FileReceiver,
  { limitBytes = defaultLimitBytes }: { readonly limitBytes?: number } = {},
): Promise<void> {
  const compressed: CompressedFile[] = []
  const scratch = createScratch()
  for (const path of paths) {
    const compression = kmodCompression(path)
    if (compression !== undefined) compressed.push({ path, compression })
    else visitPlain(path, scratch, (content) => receive(path, content))
  }
  if (compressed.length === 0) return
  const batches = batchesOf(compressed, limitBytes)
  const folder = mkdtempSync(join(tmpdir(), 'firmwright-kmod-'))
  try {
    // One more than there are processors: one waits while what it unpacked is read here.
    const workers = Array.from({ length: availableParallelism() + 1 }, async (_, index) => {
      // The iterator is shared: each takes the next batch.
      const own = { file: join(folder, String(index)), scratch: createScratch() }
      for (const batch of batches) await visitBatch(batch, own, limitBytes, receive)
    })
    await Promise.all(workers)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface CompressedFile {
  readonly path: string
  readonly compression: Compression
}

type Batch =
  | {
      readonly compression: 'xz' | 'zst'
      readonly paths: readonly string[]
      readonly sizes: readonly number[]
    }
  | { readonly compression: Compression; readonly paths: readonly string[]; readonly sizes?: undefined }

/** So many bytes of output at once in each process. */
const batchBytes = 16 << 20
/** Far below any limit on the length of a command line. */
const batchFiles = 200

function* batchesOf(files: readonly CompressedFile[], limitBytes: number): Generator<Batch> {
  const open = { xz: newBatch(), zst: newBatch() }
  for (const { path, compression } of files) {
    const size = compression === 'gz' ? undefined : declaredSize(path, compression)
    if (compression === 'gz' || size === undefined || size > limitBytes) {
      yield { compression, paths: [path] }
      continue
    }
    const batch = open[compression]
    batch.paths.push(path)
    batch.sizes.push(size)
    batch.bytes += size
    if (batch.bytes >= batchBytes || batch.paths.length >= batchFiles) {
      yield { compression, paths: batch.paths, sizes: batch.sizes }
      open[compression] = newBatch()
    }
  }
  for (const compression of ['xz', 'zst'] as const) {
    const { paths, sizes } = open[compression]
    if (paths.length > 0) yield { compression, paths, sizes }
  }
}

function newBatch(): { readonly paths: string[]; readonly sizes: number[]; bytes: number } {
  return { paths: [], sizes: [], bytes: 0 }
}

/** What a file says that it unpacks to, from its first and last bytes; `undefined` where it does not say. */
function declaredSize(path: string, compression: 'xz' | 'zst'): number | undefined {
  try {
    const file = openSync(path, 'r')
    try {
      const sizeBytes = fstatSync(file).size
      const read = (at: number, length: number): Buffer => {
        const buffer = Buffer.alloc(Math.min(length, Math.max(0, sizeBytes - at)))
        return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, at))
      }
      return compression === 'zst' ? zstdContentSize(read(0, 18)) : xzContentSize(sizeBytes, read)
    } finally {
      closeSync(file)
    }
  } catch {
    return undefined
  }
}

async function visitBatch(
  batch: Batch,
  output: { readonly file: string; readonly scratch: Scratch },
  limitBytes: number,
  receive: FileReceiver,
): Promise<void> {
  if (batch.sizes !== undefined) {
    const total = batch.sizes.reduce((sum, size) => sum + size, 0)
    // Whatever is wrong with one of them: the slow way finds out which, and what.
    if (await unpackInto(output.file, batch.compression, batch.paths, total)) {
      const file = openSync(output.file, 'r')
      try {
        let at = 0
        for (const [index, path] of batch.paths.entries()) {
          const size = batch.sizes[index] ?? 0
          receive(path, { ok: true, value: partOf(file, at, size, output.scratch) })
          at += size
        }
      } finally {
        closeSync(file)
      }
      return
    }
  }
  for (const path of batch.paths) {
    let bytes: Buffer
    try {
      bytes = readFileSync(path)
    } catch (error) {
      receive(path, unreadable(error))
      continue
    }
    receive(path, await decompressKmod(bytes, batch.compression, { limitBytes }))
  }
}

/** POSIX ulimit: in blocks of 512 bytes. A file that unpacks to more than it says ends the process. */
const bounded = 'ulimit -f "$0" && exec "$@"'

/**
 * Whether all went well and exactly as much came out as was expected. The file is written over, not emptied: giving 16
 * MB of memory back and taking it again each time costs as much as unpacking a tenth of them.
 */
async function unpackInto(
  outputFile: string,
  compression: 'xz' | 'zst',
  paths: readonly string[],
  expectedBytes: number,
): Promise<boolean> {
  const { spawn } = await import('node:child_process')
  const output = openSync(outputFile, constants.O_WRONLY | constants.O_CREAT, 0o600)
  return new Promise((resolve) => {
    const blocks = String(Math.ceil(expectedBytes / 512))
    const child = spawn('sh', ['-c', bounded, blocks, ...programs[compression], ...paths], {
      stdio: ['ignore', output, 'ignore'],
    })
    const finish = (done: boolean): void => {
      // proc(5), fdinfo: the offset that we share with the program is how much it wrote.
      const position = /^pos:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${output}`, 'latin1'))
      closeSync(output)
      resolve(done && Number(position?.[1]) === expectedBytes)
    }
    child.on('error', () => finish(false))
    child.on('exit', (status) => finish(status === 0))
  })
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

/** A part of an open file; a small one is read at once. */
function partOf(file: number, offsetBytes: number, sizeBytes: number, scratch: Scratch): ElfInput {
  scratch.reset()
  const read = (at: number, size: number): Buffer => {
    const buffer = scratch.take(size)
    return buffer.subarray(0, readSync(file, buffer, 0, size, offsetBytes + at))
  }
  if (sizeBytes > smallBytes) return { sizeBytes, read }
  const whole = read(0, sizeBytes)
  return { sizeBytes, read: (at, size) => whole.subarray(at, at + size) }
}

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
    if (length < smallBytes) receive({ ok: true, value: start.subarray(0, length) })
    else receive({ ok: true, value: partOf(file, 0, fstatSync(file).size, scratch) })
  } catch (error) {
    receive(unreadable(error))
  } finally {
    closeSync(file)
  }
}

function unreadable(error: unknown): { ok: false; error: KmodError } {
  return { ok: false, error: { type: 'unreadable', message: messageOf(error) } }
}
