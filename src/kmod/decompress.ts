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

export const defaultLimitBytes = 256 << 20

/** Memory that xz may take for its dictionary; the kernel's own modules need 2 MiB. zstd stops at 128 MiB by itself. */
const xzMemory = '--memlimit-decompress=128MiB'

export const programs = {
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
  const output = await run(programs[compression], bytes, limitBytes)
  return output.ok ? output : failed(output.error)
}

async function gunzipBounded(bytes: Uint8Array, limitBytes: number): Promise<KmodResult<Uint8Array>> {
  const { gunzip } = await import('node:zlib')
  return new Promise((resolve) => {
    gunzip(bytes, { maxOutputLength: limitBytes }, (error, output) => {
      if (error === null) resolve({ ok: true, value: output })
      else if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') resolve(failed(tooLarge(limitBytes)))
      else resolve(failed(`not a sound gzip file: ${error.message}`))
    })
  })
}

/** Output of a program, stopped as soon as there is more than `limitBytes` of it. */
async function run(
  program: readonly [string, ...string[]],
  input: Uint8Array,
  limitBytes: number,
): Promise<{ readonly ok: true; readonly value: Buffer } | { readonly ok: false; readonly error: string }> {
  // Node takes milliseconds to make this one ready, and plain modules need no program.
  const { spawn } = await import('node:child_process')
  return new Promise((resolve) => {
    const [name, ...options] = program
    const child = spawn(name, options, { stdio: ['pipe', 'pipe', 'pipe'] })
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
