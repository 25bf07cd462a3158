/**
 * Reads the flattened format: Devicetree Specification 0.4, chapter 5.
 *
 * The input is hostile: every offset and length is checked before it is used, names and nesting are bounded, and
 * the time and memory taken are in proportion to the size of the input. The bytes are copied once, so that the
 * tree does not change when the caller reuses the buffer.
 */
import {
  type DeviceNode,
  type DeviceTree,
  isValidName,
  MAX_DEPTH,
  MAX_NAME_LENGTH,
  type MemoryReservation,
  type Property,
} from './model.ts'
import { failure, type ReadError, type Result, success } from './result.ts'

export const FDT_MAGIC = 0xd00dfeed
export const FDT_BEGIN_NODE = 1
export const FDT_END_NODE = 2
export const FDT_PROP = 3
export const FDT_NOP = 4
export const FDT_END = 9
export const HEADER_BYTES = 40
export const VERSION = 17
/** The oldest version that a reader of 17 knows: it has full structure, but no size_dt_struct. */
export const OLDEST_VERSION = 16

interface Block {
  readonly name: string
  readonly start: number
  readonly end: number
}

interface Header {
  readonly totalBytes: number
  readonly structure: Block
  readonly strings: Block
  readonly reservationsOffset: number
  readonly bootCpuId: number
}

/** A node while its children are still being read. */
interface OpenNode {
  readonly name: string
  readonly properties: Property[]
  readonly children: DeviceNode[]
  readonly propertyNames: Set<string>
  readonly childNames: Set<string>
}

/** Whether the bytes begin like a flattened device tree. */
export function isDevicetree(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && viewOf(bytes).getUint32(0) === FDT_MAGIC
}

/**
 * Reads a flattened device tree of version 16 or 17. What follows the tree in `bytes` (the header says how long
 * it is) is ignored.
 */
export function readDevicetree(bytes: Uint8Array): Result<DeviceTree, ReadError> {
  const header = readHeader(bytes)
  if (!header.ok) return header
  const copy = Buffer.from(bytes.subarray(0, header.value.totalBytes))
  const reservations = readReservations(copy, header.value.reservationsOffset)
  if (!reservations.ok) return reservations
  const root = readStructure(copy, header.value.structure, header.value.strings)
  if (!root.ok) return root
  return success({ reservations: reservations.value, bootCpuId: header.value.bootCpuId, root: root.value })
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function fail(type: ReadError['type'], offsetBytes: number, message: string) {
  return failure<ReadError>({
    type,
    offsetBytes,
    message: `at offset 0x${offsetBytes.toString(16)}: ${message}`,
  })
}

function readHeader(bytes: Uint8Array): Result<Header, ReadError> {
  if (!isDevicetree(bytes)) return fail('not-a-devicetree', 0, 'not a flattened device tree (no d00dfeed)')
  if (bytes.length < HEADER_BYTES) {
    return fail('truncated', bytes.length, `the file ends inside the header of ${HEADER_BYTES} bytes`)
  }
  const view = viewOf(bytes)
  const version = view.getUint32(20)
  const compatibleVersion = view.getUint32(24)
  if (version < OLDEST_VERSION || compatibleVersion > VERSION || compatibleVersion > version) {
    return fail(
      'unsupported-version',
      20,
      `version ${version} (compatible to ${compatibleVersion}) is not 16 or 17`,
    )
  }
  const totalBytes = view.getUint32(4)
  if (totalBytes < HEADER_BYTES)
    return fail('bad-block', 4, `totalsize ${totalBytes} is less than the header`)
  if (totalBytes > bytes.length) {
    return fail('truncated', 4, `totalsize is ${totalBytes}, but there are only ${bytes.length} bytes`)
  }
  const structureStart = view.getUint32(8)
  // Version 16 does not say how long the structure block is: then FDT_END alone ends it.
  const structureBytes = version >= 17 ? view.getUint32(36) : Math.max(0, totalBytes - structureStart)
  const structure = readBlock('structure', 8, structureStart, structureBytes, totalBytes, 4)
  if (!structure.ok) return structure
  const strings = readBlock('strings', 12, view.getUint32(12), view.getUint32(32), totalBytes, 1)
  if (!strings.ok) return strings
  const reservationsOffset = view.getUint32(16)
  const reservations = readBlock('memory reservation', 16, reservationsOffset, 16, totalBytes, 8)
  if (!reservations.ok) return reservations
  return success({
    totalBytes,
    structure: structure.value,
    strings: strings.value,
    reservationsOffset,
    bootCpuId: view.getUint32(28),
  })
}

function readBlock(
  name: string,
  fieldOffset: number,
  start: number,
  sizeBytes: number,
  totalBytes: number,
  alignBytes: number,
): Result<Block, ReadError> {
  const end = start + sizeBytes
  if (start < HEADER_BYTES || end > totalBytes) {
    return fail('bad-block', fieldOffset, `the ${name} block (${start} to ${end}) is not inside the file`)
  }
  if (start % alignBytes !== 0) {
    return fail(
      'bad-block',
      fieldOffset,
      `the ${name} block starts at ${start}, not a multiple of ${alignBytes}`,
    )
  }
  return success({ name, start, end })
}

function readReservations(bytes: Buffer, start: number): Result<readonly MemoryReservation[], ReadError> {
  const reservations: MemoryReservation[] = []
  for (let offset = start; ; offset += 16) {
    if (offset + 16 > bytes.length) {
      return fail('truncated', offset, 'the memory reservations go on past the end of the file')
    }
    const address = bytes.readBigUInt64BE(offset)
    const sizeBytes = bytes.readBigUInt64BE(offset + 8)
    if (address === 0n && sizeBytes === 0n) return success(reservations)
    reservations.push({ address, sizeBytes })
  }
}

function readStructure(bytes: Buffer, structure: Block, strings: Block): Result<DeviceNode, ReadError> {
  const open: OpenNode[] = []
  const names = new Map<number, string>()
  let root: DeviceNode | undefined
  let offset = structure.start
  const left = (): number => structure.end - offset
  for (;;) {
    if (left() < 4) return fail('truncated', offset, 'the structure block has no FDT_END')
    const tokenOffset = offset
    const token = bytes.readUInt32BE(offset)
    offset += 4
    const current = open.at(-1)
    switch (token) {
      case FDT_NOP:
        break
      case FDT_BEGIN_NODE: {
        const name = readName(bytes, offset, structure.end)
        if (!name.ok) return name
        if (current === undefined) {
          if (root !== undefined) return fail('bad-token', tokenOffset, 'a second root node')
          if (name.value !== '') return fail('bad-name', offset, 'the root node has a name')
        } else {
          if (!isValidName(name.value)) {
            return fail('bad-name', offset, `${JSON.stringify(name.value)} cannot be the name of a node`)
          }
          if (open.length >= MAX_DEPTH)
            return fail('too-deep', tokenOffset, `more than ${MAX_DEPTH} nodes deep`)
          if (current.childNames.has(name.value)) {
            return fail('duplicate-name', offset, `a second node "${name.value}" in "${current.name || '/'}"`)
          }
          current.childNames.add(name.value)
        }
        open.push({
          name: name.value,
          properties: [],
          children: [],
          propertyNames: new Set(),
          childNames: new Set(),
        })
        offset += aligned(name.value.length + 1)
        break
      }
      case FDT_END_NODE: {
        const node = open.pop()
        if (node === undefined) return fail('bad-token', tokenOffset, 'a node ends that did not begin')
        const done: DeviceNode = { name: node.name, properties: node.properties, children: node.children }
        const parent = open.at(-1)
        if (parent === undefined) root = done
        else parent.children.push(done)
        break
      }
      case FDT_PROP: {
        if (current === undefined) return fail('bad-token', tokenOffset, 'a property outside of any node')
        if (current.children.length > 0) {
          return fail('bad-token', tokenOffset, `a property of "${current.name || '/'}" after its children`)
        }
        if (left() < 8) return fail('truncated', offset, 'a property without length and name')
        const valueBytes = bytes.readUInt32BE(offset)
        const nameOffset = bytes.readUInt32BE(offset + 4)
        const name = readPropertyName(bytes, strings, nameOffset, offset + 4, names)
        if (!name.ok) return name
        if (current.propertyNames.has(name.value)) {
          return fail(
            'duplicate-name',
            tokenOffset,
            `a second property "${name.value}" in "${current.name || '/'}"`,
          )
        }
        current.propertyNames.add(name.value)
        offset += 8
        if (valueBytes > left()) {
          return fail(
            'truncated',
            offset,
            `property "${name.value}" of ${valueBytes} bytes goes on past the end`,
          )
        }
        current.properties.push({ name: name.value, value: bytes.subarray(offset, offset + valueBytes) })
        offset += aligned(valueBytes)
        break
      }
      case FDT_END:
        if (root === undefined || current !== undefined) {
          return fail(
            'bad-token',
            tokenOffset,
            root === undefined ? 'there is no root node' : 'a node has no end',
          )
        }
        return success(root)
      default:
        return fail('bad-token', tokenOffset, `0x${token.toString(16)} is not a token`)
    }
  }
}

function aligned(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 4) * 4
}

/** A zero-terminated name that must end before `end`. */
function readName(bytes: Buffer, offset: number, end: number): Result<string, ReadError> {
  const limit = Math.min(end, offset + MAX_NAME_LENGTH + 1)
  // Latin-1 maps every byte to one character: a bad name is then shown as it is, and refused by isValidName.
  for (let index = offset; index < limit; index++) {
    if (bytes[index] === 0) return success(bytes.toString('latin1', offset, index))
  }
  return limit === end
    ? fail('truncated', offset, 'a name without an end')
    : fail('bad-name', offset, `a name of more than ${MAX_NAME_LENGTH} bytes`)
}

function readPropertyName(
  bytes: Buffer,
  strings: Block,
  nameOffset: number,
  fieldOffset: number,
  known: Map<number, string>,
): Result<string, ReadError> {
  const seen = known.get(nameOffset)
  if (seen !== undefined) return success(seen)
  const offset = strings.start + nameOffset
  if (offset >= strings.end) {
    return fail(
      'truncated',
      fieldOffset,
      `the name of a property at ${nameOffset} is not in the strings block`,
    )
  }
  const name = readName(bytes, offset, strings.end)
  if (!name.ok) return name
  if (!isValidName(name.value)) {
    return fail('bad-name', offset, `${JSON.stringify(name.value)} cannot be the name of a property`)
  }
  known.set(nameOffset, name.value)
  return name
}
