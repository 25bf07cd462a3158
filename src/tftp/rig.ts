/**
 * For tests: a client that knows windows, and a proxy that loses and doubles packets. Only on loopback. Not part of
 * the room's public face.
 */
import { createSocket, type Socket } from 'node:dgram'
import { readPacket, writeAcknowledgement, writeRequest } from './packet.ts'

export interface FetchOptions {
  readonly port: number
  readonly file: string
  readonly options?: Readonly<Record<string, string>>
  /** Wait before the last packet is sent again. Default 100 ms. */
  readonly waitMs?: number
  /** Packets that it takes at once: of those that come without a pause, the rest is lost. Default no limit. */
  readonly room?: number
  readonly mode?: string
  readonly type?: 'read' | 'write'
}

export interface Fetched {
  readonly data: Buffer
  readonly accepted: ReadonlyMap<string, string>
  /** Data packets that came, doubled ones and those that it had no room for too. */
  readonly packets: number
}

/** Fetches a file; rejects with the server's error. */
export function fetchFile(request: FetchOptions): Promise<Fetched> {
  const socket = createSocket('udp4')
  const options = new Map(Object.entries(request.options ?? {}))
  const waitMs = request.waitMs ?? 100
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = []
    let accepted: ReadonlyMap<string, string> = new Map()
    let transferPort = request.port
    let received = 0
    let packets = 0
    let inWindow = 0
    let blockBytes = 512
    let windowBlocks = 1
    let complained = false
    let taken = 0
    let last: Uint8Array = writeRequest({
      type: request.type ?? 'read',
      file: request.file,
      mode: request.mode ?? 'octet',
      options,
    })
    const send = (bytes: Uint8Array): void => {
      last = bytes
      socket.send(bytes, transferPort, '127.0.0.1')
    }
    // In the middle of a window, say how far it has come (RFC 7440, section 4).
    const timer = setInterval(
      () => send(received === 0 ? last : writeAcknowledgement(received & 0xffff)),
      waitMs,
    )
    const finish = (): void => {
      clearInterval(timer)
      socket.close()
    }
    socket.on('message', (bytes, from) => {
      const packet = readPacket(bytes)
      if (transferPort === request.port && from.port !== request.port) transferPort = from.port
      if (from.port !== transferPort) return
      if (packet?.type === 'error') {
        finish()
        reject(new Error(`${packet.code}: ${packet.message}`))
      } else if (packet?.type === 'option-acknowledgement' && received === 0) {
        accepted = packet.options
        blockBytes = Number(accepted.get('blksize') ?? 512)
        windowBlocks = Number(accepted.get('windowsize') ?? 1)
        send(writeAcknowledgement(0))
      } else if (packet?.type === 'data') {
        packets++
        if (taken === 0) setImmediate(() => (taken = 0))
        if (taken++ >= (request.room ?? Number.POSITIVE_INFINITY)) return
        timer.refresh()
        if (packet.block !== ((received + 1) & 0xffff)) {
          // What came twice is ignored; where something is missing, say once where we are.
          const behind = (received - packet.block) & 0xffff
          if (behind < 0x8000) return
          if (!complained) send(writeAcknowledgement(received & 0xffff))
          complained = true
          inWindow = 0
          return
        }
        complained = false
        received++
        inWindow++
        parts.push(Buffer.from(packet.data))
        const isLast = packet.data.length < blockBytes
        if (isLast || inWindow === windowBlocks) {
          inWindow = 0
          send(writeAcknowledgement(received & 0xffff))
        }
        if (isLast) {
          // Once more, should the other be lost: the server has to wait otherwise.
          send(writeAcknowledgement(received & 0xffff))
          finish()
          resolve({ data: Buffer.concat(parts), accepted, packets })
        }
      }
    })
    send(last)
  })
}

export interface Proxy {
  readonly port: number
  close(): void
}

/**
 * Stands between clients and a server, both of this machine, at a port of an address (by default any port of loopback);
 * of the packets in either direction, one in `lossIn` is lost and one in `doubleIn` is sent twice. Clients see the server's
 * transfer ports as ports of the proxy.
 */
export async function startLossyProxy(
  serverPort: number,
  lossIn: number,
  doubleIn: number,
  random: () => number,
  at: { readonly address: string; readonly port: number } = { address: '127.0.0.1', port: 0 },
): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const open = (port = 0): Promise<Socket> => {
    const socket = createSocket('udp4')
    sockets.add(socket)
    socket.on('error', () => {})
    return new Promise((resolve) => socket.bind(port, at.address, () => resolve(socket)))
  }
  const pass = (socket: Socket, bytes: Uint8Array, port: number): void => {
    if (random() < 1 / lossIn) return
    const copies = random() < 1 / doubleIn ? 2 : 1
    for (let count = 0; count < copies; count++)
      if (sockets.has(socket)) socket.send(bytes, port, '127.0.0.1')
  }
  const entrance = await open(at.port)
  /** By the client's port: the socket that the server sees as this client. */
  const inner = new Map<number, Promise<Socket>>()
  const join = async (clientPort: number): Promise<Socket> => {
    const toServer = await open()
    /** By the server's transfer port: the socket that the client sees as this transfer. */
    const outer = new Map<number, Promise<Socket>>()
    toServer.on('message', (bytes, from) => {
      const existing = outer.get(from.port)
      const toClient =
        existing ??
        open().then((socket) => {
          socket.on('message', (answer) => pass(toServer, answer, from.port))
          return socket
        })
      outer.set(from.port, toClient)
      void toClient.then((socket) => pass(socket, bytes, clientPort))
    })
    return toServer
  }
  entrance.on('message', (bytes, from) => {
    const socket = inner.get(from.port) ?? join(from.port)
    inner.set(from.port, socket)
    void socket.then((toServer) => pass(toServer, bytes, serverPort))
  })
  return {
    port: entrance.address().port,
    close: () => {
      for (const socket of sockets) socket.close()
      sockets.clear()
    },
  }
}
