/** Writes the flattened format: Devicetree Specification 0.4, chapter 5, version 17. */
import { type DeviceNode, type DeviceTree, isValidName } from './model.ts'
import {
  FDT_BEGIN_NODE,
  FDT_END,
  FDT_END_NODE,
  FDT_MAGIC,
  FDT_PROP,
  HEADER_BYTES,
  OLDEST_VERSION,
  VERSION,
} from './read.ts'

export interface WriteOptions {
  /** Zero bytes after the tree that count as its own (`dtc -p`): room for whoever edits it in place. Default 0. */
  readonly roomBytes?: number
  /** The size of the file is brought up to a multiple of this. Default 1: as short as it can be. */
  readonly alignBytes?: number
}

/**
 * The bytes of a tree: header, reservations, structure, strings, in this order, without gaps. Names of properties
 * share their tails (`reg` lies within `bootreg`), wherever that saves something, so that no file is larger than
 * dtc's. The same tree gives the same bytes.
 *
 * Everything that was read or made by the verbs of this room can be written. A tree put together by hand with a
 * name that {@link isValidName} refuses is a mistake of the program and throws.
 */
export function writeDevicetree(tree: DeviceTree, options: WriteOptions = {}): Buffer {
  const names = new Set<string>()
  const structureBytes = measureNode(tree.root, names) + 4
  const strings = layOutStrings(names)
  const structureStart = HEADER_BYTES + 16 * (tree.reservations.length + 1)
  const stringsStart = structureStart + structureBytes
  const alignBytes = options.alignBytes ?? 1
  const usedBytes = stringsStart + strings.sizeBytes + (options.roomBytes ?? 0)
  const totalBytes = Math.ceil(usedBytes / alignBytes) * alignBytes
  const bytes = Buffer.alloc(totalBytes)

  const header = [
    FDT_MAGIC,
    totalBytes,
    structureStart,
    stringsStart,
    HEADER_BYTES,
    VERSION,
    OLDEST_VERSION,
    tree.bootCpuId,
    strings.sizeBytes,
    structureBytes,
  ]
  for (const [index, word] of header.entries()) bytes.writeUInt32BE(word, index * 4)
  for (const [index, reservation] of tree.reservations.entries()) {
    bytes.writeBigUInt64BE(reservation.address, HEADER_BYTES + index * 16)
    bytes.writeBigUInt64BE(reservation.sizeBytes, HEADER_BYTES + index * 16 + 8)
  }
  const end = writeNode(bytes, structureStart, tree.root, strings.offsets)
  bytes.writeUInt32BE(FDT_END, end)
  for (const [name, offset] of strings.offsets) bytes.write(name, stringsStart + offset, 'latin1')
  return bytes
}

function aligned(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 4) * 4
}

function measureNode(node: DeviceNode, names: Set<string>): number {
  if (node.name !== '' && !isValidName(node.name))
    throw new TypeError(`not a name: ${JSON.stringify(node.name)}`)
  let sizeBytes = 4 + aligned(node.name.length + 1) + 4
  for (const property of node.properties) {
    if (!isValidName(property.name)) throw new TypeError(`not a name: ${JSON.stringify(property.name)}`)
    names.add(property.name)
    sizeBytes += 12 + aligned(property.value.length)
  }
  for (const child of node.children) sizeBytes += measureNode(child, names)
  return sizeBytes
}

/** Writes the tokens of a node and returns the offset after them; the buffer is zero, so padding needs nothing. */
function writeNode(
  bytes: Buffer,
  start: number,
  node: DeviceNode,
  offsets: ReadonlyMap<string, number>,
): number {
  let offset = bytes.writeUInt32BE(FDT_BEGIN_NODE, start)
  bytes.write(node.name, offset, 'latin1')
  offset += aligned(node.name.length + 1)
  for (const { name, value } of node.properties) {
    offset = bytes.writeUInt32BE(FDT_PROP, offset)
    offset = bytes.writeUInt32BE(value.length, offset)
    offset = bytes.writeUInt32BE(offsets.get(name) ?? 0, offset)
    bytes.set(value, offset)
    offset += aligned(value.length)
  }
  for (const child of node.children) offset = writeNode(bytes, offset, child, offsets)
  return bytes.writeUInt32BE(FDT_END_NODE, offset)
}

interface Strings {
  readonly offsets: ReadonlyMap<string, number>
  readonly sizeBytes: number
}

/**
 * Where each name goes so that tails are shared. Sorted by their reversed spelling, a name that is the tail of any
 * other is the tail of the very next one: one pass from the end finds them all.
 */
function layOutStrings(names: ReadonlySet<string>): Strings {
  const sorted = [...names].map((name) => ({ name, reversed: [...name].reverse().join('') }))
  sorted.sort((a, b) => (a.reversed < b.reversed ? 1 : -1))
  const offsets = new Map<string, number>()
  let sizeBytes = 0
  let previous: { name: string; reversed: string } | undefined
  for (const entry of sorted) {
    if (previous?.reversed.startsWith(entry.reversed)) {
      const within = previous.name.length - entry.name.length
      offsets.set(entry.name, (offsets.get(previous.name) ?? 0) + within)
    } else {
      offsets.set(entry.name, sizeBytes)
      sizeBytes += entry.name.length + 1
    }
    previous = entry
  }
  return { offsets, sizeBytes }
}
