/**
 * The part of the Protocol Buffers wire format that REAPI messages need
 * (https://protobuf.dev/programming-guides/encoding/): varints and length-delimited fields.
 *
 * Encoding is canonical in the sense of REAPI: fields in the order of their numbers, default values left
 * out, varints as short as possible.
 */
const varintWire = 0
const fixed64Wire = 1
const lengthWire = 2
const fixed32Wire = 5

/** One field as it stands on the wire. Unknown fields come out as well; the reader skips them. */
export interface Field {
  readonly number: number
  /** Length-delimited content, or undefined for the other wire types. */
  readonly bytes: Uint8Array | undefined
  /** Value of a varint, or undefined for the other wire types. */
  readonly varint: number | undefined
}

function varintBytes(value: number): number[] {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${value} cannot be written as a varint`)
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
  return bytes
}

/** A nested message or a member of a repeated field: written even when it is empty. */
export function messageField(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from([...varintBytes(number * 8 + lengthWire), ...varintBytes(bytes.length)]),
    bytes,
  ])
}

/** A member of a repeated string field: written even when it is empty. */
export function repeatedStringField(number: number, text: string): Buffer {
  return messageField(number, Buffer.from(text, 'utf8'))
}

/** A singular string field: an empty one is the default and is left out. */
export function stringField(number: number, text: string): Buffer {
  return text === '' ? Buffer.alloc(0) : repeatedStringField(number, text)
}

/** A singular bytes field: an empty one is the default and is left out. */
export function bytesField(number: number, bytes: Uint8Array): Buffer {
  return bytes.length === 0 ? Buffer.alloc(0) : messageField(number, bytes)
}

/** A singular int32, int64, enum or bool field (non-negative): zero is the default and is left out. */
export function varintField(number: number, value: number | boolean): Buffer {
  const numeric = Number(value)
  return numeric === 0
    ? Buffer.alloc(0)
    : Buffer.from([...varintBytes(number * 8 + varintWire), ...varintBytes(numeric)])
}

/** All fields of a message in the order of the wire, or undefined when the bytes are not a message. */
export function decodeFields(bytes: Uint8Array): readonly Field[] | undefined {
  const fields: Field[] = []
  let position = 0

  /** Undefined at the end of the bytes, past ten bytes, or above 2^53. */
  function readVarint(): number | undefined {
    let value = 0
    for (let index = 0; index < 10; index++) {
      const byte = bytes[position]
      if (byte === undefined) return undefined
      position++
      value += (byte & 0x7f) * 2 ** (7 * index)
      if (byte < 0x80) return Number.isSafeInteger(value) ? value : undefined
    }
    return undefined
  }

  while (position < bytes.length) {
    const tag = readVarint()
    if (tag === undefined) return undefined
    const number = Math.floor(tag / 8)
    if (number < 1 || number > 0x1fffffff) return undefined
    switch (tag % 8) {
      case varintWire: {
        const varint = readVarint()
        if (varint === undefined) return undefined
        fields.push({ number, bytes: undefined, varint })
        break
      }
      case lengthWire: {
        const length = readVarint()
        if (length === undefined || length > bytes.length - position) return undefined
        fields.push({ number, bytes: bytes.subarray(position, position + length), varint: undefined })
        position += length
        break
      }
      case fixed64Wire:
      case fixed32Wire: {
        position += tag % 8 === fixed64Wire ? 8 : 4
        if (position > bytes.length) return undefined
        fields.push({ number, bytes: undefined, varint: undefined })
        break
      }
      default:
        return undefined
    }
  }
  return fields
}
