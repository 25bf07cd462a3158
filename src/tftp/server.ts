/**
 * The server: takes requests on its port and starts a transfer for each.
 *
 * A flood of requests costs bounded memory: there are at most `maxTransfers` at once, each with a bounded window. When
 * all places are taken, the oldest transfer whose client has never answered makes room (a forged address never
 * does); where all have answered, the request is ignored, and the client asks again by itself.
 */
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { realFolder } from './confine.ts'
import { type Request, readPacket } from './packet.ts'
import { type Client, startTransfer, type Transfer, type TransferEnd } from './transfer.ts'

export interface TftpServerOptions {
  /** Everything below it can be read, by anyone who reaches the address. */
  readonly folder: string
  /** Default `0.0.0.0`: every address of IPv4. */
  readonly address?: string
  /** Default 69; 0 lets the system choose. */
  readonly port?: number
  /** Default 64. */
  readonly maxTransfers?: number
  readonly onEvent?: (event: TftpEvent) => void
}

export type TftpEvent =
  | { readonly type: 'started'; readonly client: Client; readonly file: string; readonly sizeBytes: number }
  /** About once a MiB, and at the end. */
  | {
      readonly type: 'progress'
      readonly client: Client
      readonly file: string
      readonly doneBytes: number
      readonly sizeBytes: number
    }
  | { readonly type: 'ended'; readonly client: Client; readonly file: string; readonly end: TransferEnd }
  /** All places are taken by clients that answer: the request was ignored. */
  | { readonly type: 'busy'; readonly client: Client; readonly file: string }

export interface TftpServer {
  readonly address: string
  readonly port: number
  /** Ends all transfers; done when every socket and file is closed. */
  close(): Promise<void>
}

export interface TftpServerError {
  readonly type: 'port-taken' | 'port-forbidden' | 'bad-address' | 'no-folder'
  readonly message: string
  /** What to do about it. */
  readonly advice: string
}

export type Served =
  | { readonly ok: true; readonly value: TftpServer }
  | { readonly ok: false; readonly error: TftpServerError }

const DEFAULT_PORT = 69
const DEFAULT_MAX_TRANSFERS = 64
const MAX_WINDOW_BYTES = 512 * 1024

interface Active {
  readonly client: Client
  readonly request: Request
  readonly transfer: Transfer
}

/** Starts a read-only TFTP server; done when it answers. */
export async function serveTftp(options: TftpServerOptions): Promise<Served> {
  const address = options.address ?? '0.0.0.0'
  const port = options.port ?? DEFAULT_PORT
  const maxTransfers = options.maxTransfers ?? DEFAULT_MAX_TRANSFERS
  const family = isIPv6(address) ? 'udp6' : 'udp4'
  const emit = options.onEvent ?? (() => {})
  let folder: string
  try {
    folder = realFolder(options.folder)
  } catch {
    const message = `there is no folder "${options.folder}" to serve`
    return { ok: false, error: { type: 'no-folder', message, advice: 'check the path' } }
  }

  const socket = createSocket(family)
  /** In the order in which they began. */
  const active = new Set<Active>()
  /** Also those that were dropped and are still closing their files. */
  const unfinished = new Set<Promise<unknown>>()

  const makeRoom = (): boolean => {
    if (unfinished.size >= 2 * maxTransfers) return false
    if (active.size < maxTransfers) return true
    for (const entry of active) {
      if (entry.transfer.isConfirmed()) continue
      entry.transfer.drop()
      active.delete(entry)
      return true
    }
    return false
  }

  /**
   * A request that is doubled on its way is ignored as long as the client has not answered. Later on it may as well
   * be a client that begins anew from the same port: it gets a second transfer, and to one of the two it will answer
   * that it knows nothing of it, or nothing.
   */
  const isDoubled = (client: Client, request: Request): boolean => {
    for (const other of active) {
      const sameClient = other.client.address === client.address && other.client.port === client.port
      if (sameClient && isSame(other.request, request) && !other.transfer.isConfirmed()) return true
    }
    return false
  }

  const begin = (client: Client, request: Request): void => {
    if (isDoubled(client, request)) return
    const { file } = request
    if (!makeRoom()) {
      emit({ type: 'busy', client, file })
      return
    }
    const transfer = startTransfer({
      folder,
      client,
      request,
      localAddress: address,
      family,
      maxWindowBytes: MAX_WINDOW_BYTES,
      onStart: (sizeBytes) => emit({ type: 'started', client, file, sizeBytes }),
      onProgress: (doneBytes, sizeBytes) => emit({ type: 'progress', client, file, doneBytes, sizeBytes }),
    })
    const entry = { client, request, transfer }
    active.add(entry)
    void transfer.ended.then((end) => {
      active.delete(entry)
      emit({ type: 'ended', client, file, end })
    })
    const finished = transfer.finished.then(() => {
      unfinished.delete(finished)
    })
    unfinished.add(finished)
  }

  socket.on('message', (bytes, from) => {
    // Nobody can be answered at port 0: that is a forgery.
    if (from.port === 0) return
    const packet = readPacket(bytes)
    if (packet?.type === 'read' || packet?.type === 'write') {
      begin({ address: from.address, port: from.port }, packet)
    }
  })

  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    socket.once('error', resolve)
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off('error', resolve)
      resolve(undefined)
    })
  })
  if (error !== undefined) return { ok: false, error: explain(error, address, port) }
  // Errors of single packets (a client's port is closed) must not end the server.
  socket.on('error', () => {})
  const bound = socket.address()
  return {
    ok: true,
    value: {
      address: bound.address,
      port: bound.port,
      close: async () => {
        await new Promise<void>((resolve) => socket.close(() => resolve()))
        for (const { transfer } of active) transfer.drop()
        await Promise.all(unfinished)
      },
    },
  }
}

function isSame(a: Request, b: Request): boolean {
  const options = (request: Request) => [...request.options].flat().join('\0')
  return a.type === b.type && a.file === b.file && a.mode === b.mode && options(a) === options(b)
}

function explain(error: NodeJS.ErrnoException, address: string, port: number): TftpServerError {
  const where = `UDP port ${port} of ${address}`
  switch (error.code) {
    case 'EADDRINUSE':
      return {
        type: 'port-taken',
        message: `${where} is taken by another program`,
        advice: 'stop that TFTP server ("ss -ulnp" shows it), or serve another address',
      }
    case 'EACCES':
    case 'EPERM':
      return {
        type: 'port-forbidden',
        message: `${where} is not open to you`,
        advice: `ports below 1024 need root, the capability CAP_NET_BIND_SERVICE, or "sysctl net.ipv4.ip_unprivileged_port_start=${port}"`,
      }
    default:
      return {
        type: 'bad-address',
        message: `${where} cannot be used: ${error.message}`,
        advice: 'name an address of this machine ("ip address" lists them)',
      }
  }
}
