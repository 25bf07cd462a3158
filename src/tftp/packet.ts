/**
 * The packets of TFTP: RFC 1350, with options (RFC 2347). What comes from the network is hostile: a packet that is not
 * whole is no packet.
 */

export const OPCODES = {
  read: 1,
  write: 2,
  data: 3,
  acknowledgement: 4,
  error: 5,
  optionAcknowledgement: 6,
} as const

/** Error codes of RFC 1350 (section 5) and RFC 2347. */
export const ERROR_CODES = {
  undefined: 0,
  notFound: 1,
  accessViolation: 2,
  illegalOperation: 4,
  unknownTransfer: 5,
  badOptions: 8,
} as const
export type ErrorCode = (typeof ERROR_CODES)[keyof typeof ERROR_CODES]

export interface Request {
  readonly type: 'read' | 'write'
  readonly file: string
  /** In lower case: `octet`, `netascii`. */
  readonly mode: string
  /** Names in lower case, the first of each name. */
  readonly options: ReadonlyMap<string, string>
}

export type Packet =
  | Request
  | { readonly type: 'data'; readonly block: number; readonly data: Uint8Array }
  | { readonly type: 'acknowledgement'; readonly block: number }
  | { readonly type: 'error'; readonly code: number; readonly message: string }
  | { readonly type: 'option-acknowledgement'; readonly options: ReadonlyMap<string, string> }

/** RFC 2347 limits a request to 512 bytes; some clients do not. This bounds what is looked at. */
const MAX_REQUEST_BYTES = 2048

/** A packet, or undefined where the bytes are none. */
export function readPacket(bytes: Uint8Array): Packet | undefined {
  if (bytes.length < 4) return undefined
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const opcode = buffer.readUInt16BE(0)
  switch (opcode) {
    case OPCODES.read:
    case OPCODES.write: {
      const texts = readTexts(buffer)
      const [file, mode, ...rest] = texts ?? []
      if (file === undefined || mode === undefined) return undefined
      const type = opcode === OPCODES.read ? 'read' : 'write'
      return { type, file, mode: mode.toLowerCase(), options: pair(rest) }
    }
    case OPCODES.data:
      return { type: 'data', block: buffer.readUInt16BE(2), data: buffer.subarray(4) }
    case OPCODES.acknowledgement:
      return { type: 'acknowledgement', block: buffer.readUInt16BE(2) }
    case OPCODES.error: {
      const end = buffer.indexOf(0, 4)
      const message = buffer.toString('latin1', 4, end < 0 ? buffer.length : end)
      return { type: 'error', code: buffer.readUInt16BE(2), message }
    }
    case OPCODES.optionAcknowledgement: {
      const texts = readTexts(buffer)
      return texts === undefined ? undefined : { type: 'option-acknowledgement', options: pair(texts) }
    }
    default:
      return undefined
  }
}

/** The zero-terminated texts after the opcode; undefined where the last has no end. */
function readTexts(buffer: Buffer): readonly string[] | undefined {
  if (buffer.length > MAX_REQUEST_BYTES || buffer.at(-1) !== 0) return undefined
  return buffer.toString('utf8', 2, buffer.length - 1).split('\0')
}

function pair(texts: readonly string[]): ReadonlyMap<string, string> {
  const options = new Map<string, string>()
  for (let index = 0; index + 1 < texts.length; index += 2) {
    const name = texts[index]?.toLowerCase() ?? ''
    if (!options.has(name)) options.set(name, texts[index + 1] ?? '')
  }
  return options
}

export function writeRequest(request: Request): Buffer {
  const options = [...request.options].flat()
  const opcode = request.type === 'read' ? OPCODES.read : OPCODES.write
  return texts(opcode, [request.file, request.mode, ...options])
}

export function writeOptions(options: ReadonlyMap<string, string>): Buffer {
  return texts(OPCODES.optionAcknowledgement, [...options].flat())
}

function texts(opcode: number, parts: readonly string[]): Buffer {
  return Buffer.concat([Buffer.from([0, opcode]), Buffer.from(parts.map((part) => `${part}\0`).join(''))])
}

/** The four bytes in front of a block's data; block numbers wrap around after 65535. */
export function writeDataHeader(block: number): Buffer {
  return Buffer.from([0, OPCODES.data, (block >> 8) & 0xff, block & 0xff])
}

export function writeAcknowledgement(block: number): Buffer {
  return Buffer.from([0, OPCODES.acknowledgement, (block >> 8) & 0xff, block & 0xff])
}

export function writeError(code: ErrorCode, message: string): Buffer {
  return Buffer.concat([Buffer.from([0, OPCODES.error, 0, code]), Buffer.from(`${message}\0`)])
}
