/** The wire to a board: a serial device, or a socket that stands for one. */
import { connect, type Socket } from 'node:net'

export type LinkAddress =
  | { readonly type: 'device'; readonly path: string; readonly baudRate: number | undefined }
  | { readonly type: 'unix'; readonly path: string }
  | { readonly type: 'tcp'; readonly host: string; readonly port: number }

export interface Link {
  write(text: string): void
  close(): void
}

export interface LinkListener {
  onData(bytes: Uint8Array): void
  /** Called once, when the other side has gone. */
  onEnd(reason: string): void
}

export type OpenedLink =
  | { readonly ok: true; readonly value: Link }
  | { readonly ok: false; readonly error: { readonly message: string } }

/** `/dev/ttyUSB0`, `/dev/ttyUSB0,115200`, `unix:PATH`, `tcp:HOST:PORT`; undefined for anything else. */
export function parseLinkAddress(text: string): LinkAddress | undefined {
  if (text.startsWith('unix:')) {
    const path = text.slice(5)
    return path === '' ? undefined : { type: 'unix', path }
  }
  if (text.startsWith('tcp:')) {
    const match = /^tcp:(.+):(\d{1,5})$/.exec(text)
    const port = Number(match?.[2])
    const host = match?.[1]?.replace(/^\[(.*)\]$/, '$1')
    return host === undefined || port < 1 || port > 65_535 ? undefined : { type: 'tcp', host, port }
  }
  const match = /^(\/[^,]+)(?:,(\d+))?$/.exec(text)
  if (match?.[1] === undefined) return undefined
  return { type: 'device', path: match[1], baudRate: match[2] === undefined ? undefined : Number(match[2]) }
}

/** Opens a link; 8 data bits, no parity, one stop bit, no flow control, as U-Boot has it. */
export function openLink(
  address: LinkAddress,
  defaultBaudRate: number,
  listener: LinkListener,
): Promise<OpenedLink> {
  switch (address.type) {
    case 'device':
      return openDevice(address.path, address.baudRate ?? defaultBaudRate, listener)
    case 'unix':
      return openSocket(connect(address.path), address.path, listener)
    case 'tcp':
      return openSocket(connect(address.port, address.host), `${address.host}:${address.port}`, listener)
  }
}

function openSocket(socket: Socket, name: string, listener: LinkListener): Promise<OpenedLink> {
  return new Promise((resolve) => {
    socket.once('error', (error) => resolve({ ok: false, error: { message: `${name}: ${error.message}` } }))
    socket.once('connect', () => {
      socket.on('data', listener.onData)
      socket.once('close', () => listener.onEnd('the serial line was closed'))
      resolve({ ok: true, value: { write: (text) => socket.write(text), close: () => socket.destroy() } })
    })
  })
}

async function openDevice(path: string, baudRate: number, listener: LinkListener): Promise<OpenedLink> {
  // A native library: loaded for those who have such a device.
  const { SerialPort } = await import('serialport')
  return new Promise((resolve) => {
    const port = new SerialPort({ path, baudRate, autoOpen: false })
    port.on('data', listener.onData)
    port.once('close', () => listener.onEnd('the serial device has gone'))
    port.open((error) => {
      if (error !== null) return resolve({ ok: false, error: { message: error.message } })
      resolve({ ok: true, value: { write: (text) => port.write(text), close: () => port.close() } })
    })
  })
}
