import { spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { gunzip } from 'node:zlib'
import { xzContentSize, zstdContentSize } from './contentSize.ts'
import type { KmodError, KmodResult } from './error.ts'
import type { Compression } from './name.ts'

/**
 * Compressed modules. gzip is undone by Node, xz and zstd by the host's programs of those names, since Node 20 has
 * neither. Output is bounded: what unpacks to more than the limit is refused, and not unpacked further.
 */
export interface DecompressOptions {
  /** The largest module that is accepted, unpacked. 256 MiB unless given: a module with debug information is below. */
  readonly limitBytes?: number
}

const defaultLimitBytes = 256 << 20

/** Memory that xz may take for its dictionary; the kernel's own modules need 2 MiB. zstd stops at 128 MiB by itself. */
const xzMemory = '--memlimit-decompress=128MiB'

const programs = {
  xz: ['xz', '--decompress', '--stdout', '--quiet', xzMemory, '--'],
  zst: ['zstd', '--decompress', '--stdout', '--quiet', '--'],
} as const

/** Undoes the compression of one module. */
export async function decompressKmod(
  bytes: Uint8Array,
  compression: Compression,
  options: DecompressOptions = {},
): Promise<KmodResult<Uint8Array>> {
  const limitBytes = options.limitBytes ?? defaultLimitBytes
  if (compression === 'gz') return gunzipBounded(bytes, limitBytes)
  const output = await run(programs[compression], [], bytes, limitBytes)
  return output.ok ? output : failed(output.error)
}

function gunzipBounded(bytes: Uint8Array, limitBytes: number): Promise<KmodResult<Uint8Array>> {
  return new Promise((resolve) => {
    gunzip(bytes, { maxOutputLength: limitBytes }, (error, output) => {
      if (error === null) resolve({ ok: true, value: output })
      else if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') resolve(failed(tooLarge(limitBytes)))
      else resolve(failed(`not a sound gzip file: ${error.message}`))
    })
  })
}

/**
 * Unpacks many files in few processes, several at once: starting one for each of a kernel's modules takes longer than
 * the unpacking. Each result is handed over once, in no particular order, and may be dropped by the receiver.
 */
export async function decompressFiles(
  files: readonly { readonly path: string; readonly compression: Compression }[],
  options: DecompressOptions & { readonly parallel: number },
  receive: (path: string, content: KmodResult<Uint8Array>) => void,
): Promise<void> {
  const limitBytes = options.limitBytes ?? defaultLimitBytes
  const jobs = [...batchesOf(files, limitBytes)]
  let next = 0
  const worker = async (): Promise<void> => {
    for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) await unpack(job)
  }
  await Promise.all(Array.from({ length: options.parallel }, worker))

  async function unpack(job: Batch): Promise<void> {
    if (job.sizes !== undefined) {
      const total = job.sizes.reduce((sum, size) => sum + size, 0)
      const output = await run(programs[job.compression], job.paths, undefined, total)
      // Whatever is wrong with one of them: the slow way finds out which, and what.
      if (output.ok && output.value.length === total) {
        let at = 0
        for (const [index, path] of job.paths.entries()) {
          const size = job.sizes[index] ?? 0
          receive(path, { ok: true, value: output.value.subarray(at, at + size) })
          at += size
        }
        return
      }
    }
    for (const path of job.paths) receive(path, await unpackOne(path, job.compression))
  }

  async function unpackOne(path: string, compression: Compression): Promise<KmodResult<Uint8Array>> {
    const content = readWhole(path)
    return content.ok ? decompressKmod(content.value, compression, options) : content
  }
}

type Batch =
  | {
      readonly compression: 'xz' | 'zst'
      readonly paths: readonly string[]
      readonly sizes: readonly number[]
    }
  | { readonly compression: Compression; readonly paths: readonly string[]; readonly sizes?: undefined }

/** So many bytes of output at once in each process. */
const batchBytes = 8 << 20
/** Far below any limit on the length of a command line. */
const batchFiles = 200

function* batchesOf(
  files: readonly { readonly path: string; readonly compression: Compression }[],
  limitBytes: number,
): Generator<Batch> {
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

function readWhole(path: string): KmodResult<Uint8Array> {
  try {
    const file = openSync(path, 'r')
    try {
      const buffer = Buffer.alloc(fstatSync(file).size)
      return { ok: true, value: buffer.subarray(0, readSync(file, buffer)) }
    } finally {
      closeSync(file)
    }
  } catch (error) {
    return { ok: false, error: { type: 'unreadable', message: messageOf(error) } }
  }
}

/** Output of a program, stopped as soon as there is more than `limitBytes` of it. */
function run(
  program: readonly [string, ...string[]],
  paths: readonly string[],
  input: Uint8Array | undefined,
  limitBytes: number,
): Promise<{ readonly ok: true; readonly value: Buffer } | { readonly ok: false; readonly error: string }> {
  return new Promise((resolve) => {
    const [name, ...options] = program
    const child = spawn(name, [...options, ...paths], { stdio: ['pipe', 'pipe', 'pipe'] })
    const chunks: Buffer[] = []
    let sizeBytes = 0
    let complaint = ''
    let stopped = false
    child.stdout.on('data', (chunk: Buffer) => {
      if (stopped) return
      sizeBytes += chunk.length
      chunks.push(chunk)
      if (sizeBytes > limitBytes) {
        stopped = true
        chunks.length = 0
        child.kill('SIGKILL')
      }
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (complaint.length < 1000) complaint += text
    })
    child.on('error', (error) => resolve({ ok: false, error: `cannot run ${name}: ${error.message}` }))
    child.on('close', (status) => {
      if (stopped) resolve({ ok: false, error: tooLarge(limitBytes) })
      else if (status === 0) resolve({ ok: true, value: Buffer.concat(chunks, sizeBytes) })
      else resolve({ ok: false, error: `${name}: ${complaint.trim() || `ended with status ${status}`}` })
    })
    // It may end before it has read everything.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}

function tooLarge(limitBytes: number): string {
  return `unpacks to more than ${limitBytes} bytes`
}

function failed(message: string): { ok: false; error: KmodError } {
  return { ok: false, error: { type: 'compressed', message } }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
