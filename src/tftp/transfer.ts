/**
 * Sending one file to one client, over a socket of its own (its port is the server's transfer identifier, RFC 1350
 * section 4), which takes packets from that client only.
 *
 * - Blocks are numbered from 1 without end here, and modulo 65536 on the wire.
 * - A window of blocks is sent and one acknowledgement waited for; without the option a window is one block.
 * - Only an acknowledgement that brings the transfer forward makes it send: a doubled one is ignored, or two of
 *   everything would be sent from there on (the "sorcerer's apprentice" of RFC 1123, 4.2.3.1). One exception: with
 *   windows, a client that misses the first block of a window repeats its last acknowledgement (RFC 7440, section 4);
 *   that can only arrive a round trip after the window was sent.
 * - What is not acknowledged is sent again: after four round trips as they were measured, doubled each time, up to the
 *   timeout that was agreed. A transfer without any progress ends after {@link GIVE_UP_MS}.
 * - A window goes out at once, or in bursts for a client that has no room for so many packets (pace.ts).
 */
import { createSocket, type Socket } from 'node:dgram'
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { type OpenFile, openConfined } from './confine.ts'
import { nearClient } from './near-client.ts'
import { negotiate, type Terms } from './options.ts'
import { choosePace } from './pace.ts'
import {
  ERROR_CODES,
  type ErrorCode,
  OPCODES,
  type Request,
  readPacket,
  writeError,
  writeOptions,
} from './packet.ts'

export interface Client {
  readonly address: string
  readonly port: number
}

export type TransferEnd =
  | {
      readonly type: 'sent'
      readonly sizeBytes: number
      readonly repeatedBlocks: number
      readonly elapsedMs: number
    }
  /** Refused by us: no such file, or not allowed. */
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly message: string }
  /** Ended by the client, with its words. */
  | { readonly type: 'cancelled'; readonly message: string }
  /** No answer any more. */
  | { readonly type: 'lost'; readonly message: string }
  /** The server was closed, or the client began anew, or the place was needed. */
  | { readonly type: 'dropped' }
  | { readonly type: 'failed'; readonly message: string }

export interface Transfer {
  /** The client has answered: its address is no forgery. */
  isConfirmed(): boolean
  /** Ends it at once, without a word to the client. */
  drop(): void
  readonly ended: Promise<TransferEnd>
  /** Its file is closed as well. */
  readonly finished: Promise<void>
}

export interface TransferOptions {
  readonly folder: string
  readonly client: Client
  readonly request: Request
  /** Local address to send from; the wildcard lets the system choose. */
  readonly localAddress: string
  readonly family: 'udp4' | 'udp6'
  readonly maxWindowBytes: number
  onStart(sizeBytes: number): void
  onProgress(doneBytes: number, sizeBytes: number): void
}

const FIRST_WAIT_MS = 1000
const SHORTEST_WAIT_MS = 25
export const GIVE_UP_MS = 30_000
/** An address that has never answered may be a forgery, and is not worth waiting for. */
const GIVE_UP_UNCONFIRMED_MS = 10_000
/** Read at once from the file, beyond the window. */
const READ_AHEAD_BYTES = 256 * 1024
const PROGRESS_BYTES = 1 << 20
/** Sent without a pause; a client's socket holds about 200 KiB, of which a packet takes up to twice its size. */
const BURST_BYTES = 48 * 1024
const SHORTEST_SETTLE_MS = 2
/** Between two bursts, for a client that loses what comes at once: the shortest that a timer has. */
const PAUSE_MS = 1

export function startTransfer(options: TransferOptions): Transfer {
  const { request } = options
  const socket = createSocket(options.family)
  // Whoever waits for an error listens as well; one that comes in between must not end the program.
  socket.on('error', () => {})
  let finish: (end: TransferEnd) => void = () => {}
  let over = false
  let confirmed = false
  const ended = new Promise<TransferEnd>((resolve) => {
    finish = (end) => {
      if (over) return
      over = true
      closeSocket(socket)
      resolve(end)
    }
  })

  const run = async (): Promise<void> => {
    await Promise.race([bind(socket, options), ended])
    if (over) return
    if (request.type === 'write') {
      return refuse(ERROR_CODES.accessViolation, 'this server is read only')
    }
    if (request.mode !== 'octet') {
      return refuse(ERROR_CODES.illegalOperation, `mode "${request.mode}" is not served: use octet (binary)`)
    }
    const opened = await openConfined(options.folder, request.file)
    if (!opened.ok) return refuse(opened.error.code, opened.error.message)
    try {
      if (!over) {
        options.onStart(opened.value.sizeBytes)
        finish(await send(opened.value))
      }
    } finally {
      await opened.value.handle.close()
    }
  }

  const refuse = async (code: ErrorCode, message: string): Promise<void> => {
    if (over) return
    await new Promise<void>((resolve) => socket.send(writeError(code, message), () => resolve()))
    finish({ type: 'refused', code, message })
  }

  const send = (file: OpenFile): Promise<TransferEnd> => {
    const terms = negotiate(request.options, file.sizeBytes, options.maxWindowBytes)
    return sendFile(socket, file, terms, {
      isOver: () => over,
      whenOver: ended,
      onConfirmed: () => {
        confirmed = true
      },
      onProgress: options.onProgress,
    })
  }

  const finished = run().catch((error: unknown) => {
    finish({ type: 'failed', message: error instanceof Error ? error.message : String(error) })
  })
  return { isConfirmed: () => confirmed, drop: () => finish({ type: 'dropped' }), ended, finished }
}

function closeSocket(socket: Socket): void {
  try {
    socket.close()
  } catch {
    // It was never bound, or is closed already.
  }
}

/** Bound to a port of its own and connected to the client: the kernel drops what others send. */
function bind(socket: Socket, options: TransferOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ address: options.localAddress, port: 0, exclusive: true }, () => {
      socket.connect(options.client.port, options.client.address, (error?: Error) => {
        socket.off('error', reject)
        if (error === undefined) resolve()
        else reject(error)
      })
    })
  })
}

/** A piece of the file. */
interface Chunk {
  readonly offset: number
  readonly bytes: Buffer
}

interface Course {
  isOver(): boolean
  readonly whenOver: Promise<unknown>
  onConfirmed(): void
  onProgress(doneBytes: number, sizeBytes: number): void
}

function sendFile(socket: Socket, file: OpenFile, terms: Terms, course: Course): Promise<TransferEnd> {
  const { blockBytes, windowBlocks, timeoutMs } = terms
  const { sizeBytes, handle } = file
  // The last block is shorter than the others, if need be empty: that is how the client knows.
  const lastBlock = Math.floor(sizeBytes / blockBytes) + 1
  const startedAt = performance.now()
  const giveUpMs = Math.max(GIVE_UP_MS, 5 * timeoutMs)

  return new Promise<TransferEnd>((resolve) => {
    /** The first block that is not acknowledged; 0 is the answer to the options. */
    let base = terms.accepted.size > 0 ? 0 : 1
    /** The last block sent since. */
    let sentUpTo = base - 1
    let sentAt = startedAt
    /** When the first block of the window was sent; `sentAt` moves on with each burst. */
    let windowAt = startedAt
    let progressAt = startedAt
    let reportedBytes = 0
    let repeatedBlocks = 0
    let isRepeat = false
    let repeatedAt = Number.NEGATIVE_INFINITY
    /** Blocks of the window before this one are on their way. */
    let resumeAt = 0
    let roundTripMs: number | undefined
    let waitMs = Math.min(FIRST_WAIT_MS, timeoutMs)
    let sending = false
    let timer: NodeJS.Timeout | undefined
    const near = nearClient(course.isOver)
    const pace = choosePace(windowBlocks, startedAt)
    let cache: Chunk = { offset: 0, bytes: Buffer.alloc(0) }
    let ahead: Promise<Chunk> | undefined

    const end = (how: TransferEnd): void => {
      clearTimeout(timer)
      socket.removeAllListeners('message')
      resolve(how)
    }

    const read = async (offset: number, wanted: number): Promise<Chunk> => {
      const length = Math.min(sizeBytes - offset, wanted)
      const bytes = Buffer.allocUnsafe(length)
      let filled = 0
      while (filled < length) {
        const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled)
        if (bytesRead === 0) throw new Error('the file became shorter while it was sent')
        filled += bytesRead
      }
      return { offset, bytes }
    }

    const isCached = (offset: number, wanted: number): boolean => {
      return offset >= cache.offset && offset + wanted <= cache.offset + cache.bytes.length
    }

    /** Brings the bytes of the window into the cache. */
    const load = async (offset: number, wanted: number): Promise<void> => {
      if (ahead !== undefined) {
        cache = await ahead
        ahead = undefined
      }
      if (!isCached(offset, wanted)) cache = await read(offset, Math.max(wanted, READ_AHEAD_BYTES))
    }

    /** Has the next piece of the file read while the client is busy with this one. */
    const lookAhead = (sentBytes: number): void => {
      const end = cache.offset + cache.bytes.length
      if (ahead !== undefined || end >= sizeBytes || end - sentBytes > READ_AHEAD_BYTES / 2) return
      // A window that is not wholly in the cache begins less than a window before its end.
      const windowBytes = windowBlocks * blockBytes
      ahead = read(Math.max(0, end - windowBytes), windowBytes + READ_AHEAD_BYTES)
      // Whoever needs it hears of the failure; it may be that nobody does any more.
      ahead.catch(() => {})
    }

    const sendBlock = (block: number): void => {
      const start = (block - 1) * blockBytes - cache.offset
      const stop = Math.min(block * blockBytes, sizeBytes) - cache.offset
      const header = Buffer.allocUnsafe(4)
      header.writeUInt32BE((OPCODES.data << 16) | (block & 0xffff), 0)
      socket.send([header, cache.bytes.subarray(start, stop)])
      sentUpTo = Math.max(sentUpTo, block)
    }

    /** The short way of `sendWindow`, for one block that is at hand; false where it has to go the long way. */
    const sendAtOnce = (): boolean => {
      if (sending || windowBlocks > 1 || base === 0) return false
      const offset = (base - 1) * blockBytes
      if (!isCached(offset, Math.min(blockBytes, sizeBytes - offset))) return false
      sentAt = performance.now()
      sendBlock(base)
      near.sent()
      lookAhead(Math.min(base * blockBytes, sizeBytes))
      return true
    }

    const sendWindow = async (): Promise<void> => {
      if (sending) return
      sending = true
      try {
        // Acknowledgements may come in while the file is read: then the window has moved on, and is sent from there.
        for (let from = -1; from !== base && !course.isOver(); ) {
          from = base
          sentAt = performance.now()
          if (from === 0) {
            socket.send(writeOptions(terms.accepted))
            sentUpTo = 0
            continue
          }
          const last = Math.min(from + windowBlocks - 1, lastBlock)
          const offset = (from - 1) * blockBytes
          const length = Math.min(last * blockBytes, sizeBytes) - offset
          if (!isCached(offset, length)) {
            await load(offset, length)
            if (base !== from) continue
            sentAt = performance.now()
          }
          windowAt = sentAt
          let burstBlocks = 0
          for (let block = Math.max(from, resumeAt); block <= last; block++) {
            sendBlock(block)
            burstBlocks++
            const isPaced = burstBlocks >= pace.burst()
            if (block === last || (!isPaced && burstBlocks * blockBytes < BURST_BYTES)) continue
            burstBlocks = 0
            if (isPaced) await pause(PAUSE_MS)
            else await nextTurn()
            if (base !== from || course.isOver()) break
            if (isPaced) sentAt = performance.now()
          }
          lookAhead(Math.min(last * blockBytes, sizeBytes))
        }
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        if (!course.isOver()) socket.send(writeError(ERROR_CODES.undefined, message))
        end({ type: 'failed', message })
      } finally {
        sending = false
      }
    }

    const repeat = (): void => {
      pace.lost()
      repeatedBlocks += Math.max(1, sentUpTo - base + 1)
      isRepeat = true
      resumeAt = 0
      repeatedAt = performance.now()
      void sendWindow()
    }

    const advance = (acknowledged: number): void => {
      const now = performance.now()
      // A measurement of something sent twice measures nothing (Karn).
      const isFirst = roundTripMs === undefined
      if (!isRepeat) {
        const sample = now - sentAt
        if (windowBlocks === 1) near.answered(sample)
        roundTripMs = roundTripMs === undefined ? sample : roundTripMs * 0.875 + sample * 0.125
      }
      isRepeat = false
      waitMs = Math.min(timeoutMs, Math.max(SHORTEST_WAIT_MS, (roundTripMs ?? FIRST_WAIT_MS) * 4))
      if (isFirst) rewind()
      progressAt = now
      const arrivedBlocks = acknowledged - base + 1
      base = acknowledged + 1
      // Less than a window: something was lost, and all behind it is sent again. Unless that was done a moment ago:
      // then what is on its way may be what is missing, and only what was never sent is sent.
      resumeAt = 0
      if (acknowledged < sentUpTo) {
        pace.lost()
        const settleMs = Math.max(SHORTEST_SETTLE_MS, (roundTripMs ?? FIRST_WAIT_MS) * 2)
        if (now - repeatedAt < settleMs) resumeAt = sentUpTo + 1
        else {
          repeatedBlocks += sentUpTo - acknowledged
          isRepeat = true
          repeatedAt = now
        }
      }
      pace.arrived(arrivedBlocks, now)
      course.onConfirmed()
      const doneBytes = Math.min(acknowledged * blockBytes, sizeBytes)
      if (doneBytes - reportedBytes >= PROGRESS_BYTES || acknowledged === lastBlock) {
        reportedBytes = doneBytes
        course.onProgress(doneBytes, sizeBytes)
      }
      if (acknowledged === lastBlock)
        end({ type: 'sent', sizeBytes, repeatedBlocks, elapsedMs: now - startedAt })
      else if (!sendAtOnce()) void sendWindow()
    }

    const acknowledge = (wireBlock: number): void => {
      // How far it is ahead of the last block acknowledged before, as far as 16 bits can tell.
      const ahead = (wireBlock - (base - 1)) & 0xffff
      const acknowledged = base - 1 + ahead
      if (ahead > 0 && acknowledged <= sentUpTo) {
        advance(acknowledged)
        return
      }
      const roundTrip = Math.max(1, (roundTripMs ?? FIRST_WAIT_MS) * 0.75)
      const isComplaint =
        ahead === 0 && windowBlocks > 1 && base > 1 && performance.now() - windowAt >= roundTrip
      if (isComplaint) repeat()
    }

    /** The wait has become shorter: the timer that runs is too late. */
    const rewind = (): void => {
      clearTimeout(timer)
      timer = setTimeout(watch, waitMs)
    }

    const watch = (): void => {
      const now = performance.now()
      const limitMs = roundTripMs === undefined ? Math.min(giveUpMs, GIVE_UP_UNCONFIRMED_MS) : giveUpMs
      if (now - progressAt >= limitMs) {
        end({ type: 'lost', message: `no answer for ${Math.round((now - progressAt) / 1000)} s` })
        return
      }
      if (now - sentAt >= waitMs && !sending) {
        waitMs = Math.min(timeoutMs, waitMs * 2)
        repeat()
      }
      timer = setTimeout(watch, Math.max(1, Math.min(waitMs, sentAt + waitMs - performance.now())))
    }

    socket.on('message', (bytes) => {
      const packet = readPacket(bytes)
      if (packet?.type === 'acknowledgement') acknowledge(packet.block)
      else if (packet?.type === 'error') end({ type: 'cancelled', message: packet.message })
    })
    // The client's port is closed: it has gone. After the last block, it had all it wanted.
    socket.on('error', (error) => {
      if (sentUpTo === lastBlock) {
        end({ type: 'sent', sizeBytes, repeatedBlocks, elapsedMs: performance.now() - startedAt })
      } else end({ type: 'lost', message: error.message })
    })
    void course.whenOver.then(() => end({ type: 'dropped' }))
    void sendWindow()
    timer = setTimeout(watch, waitMs)
  })
}
