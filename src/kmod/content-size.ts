/**
 * How many bytes a compressed file unpacks to, by its own account. The programs that unpack check it; it is used to
 * cut the joined output of several files.
 */

/** RFC 8878, 3.1.1: the first 18 bytes of a Zstandard frame hold its size, if its writer knew it. */
export function zstdContentSize(start: Buffer): number | undefined {
  if (start.length < 5 || start.readUInt32LE(0) !== 0xfd2fb528) return undefined
  const descriptor = start.readUInt8(4)
  const singleSegment = (descriptor & 0x20) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  const at = 5 + (singleSegment ? 0 : 1) + dictionaryBytes
  const flag = descriptor >> 6
  if (flag === 0 && !singleSegment) return undefined
  const width = 1 << flag
  if (start.length < at + width) return undefined
  switch (width) {
    case 1:
      return start.readUInt8(at)
    case 2:
      return start.readUInt16LE(at) + 256
    case 4:
      return start.readUInt32LE(at)
    default:
      return Number(start.readBigUInt64LE(at))
  }
}

const xzEndBytes = 12

/** The .xz File Format 1.1, 2.1.2 (footer) and 4 (index): of a file of a single stream, as xz writes it. */
export function xzContentSize(
  sizeBytes: number,
  read: (offsetBytes: number, lengthBytes: number) => Buffer,
): number | undefined {
  const footer = read(sizeBytes - xzEndBytes, xzEndBytes)
  if (sizeBytes < 2 * xzEndBytes || footer.toString('latin1', 10) !== 'YZ') return undefined
  const indexBytes = (footer.readUInt32LE(4) + 1) * 4
  const indexAt = sizeBytes - xzEndBytes - indexBytes
  // An index of a module has a record or two; a large one is left to xz.
  if (indexAt < xzEndBytes || indexBytes > 4096) return undefined
  const index = read(indexAt, indexBytes)
  if (index[0] !== 0) return undefined
  let at = 1
  const integer = (): number => {
    // 1.2: seven bits a byte, the lowest first, and the top bit where more follow.
    let value = 0
    for (let shift = 0; shift < 49; shift += 7) {
      const byte = index[at++] ?? 0
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    return Number.POSITIVE_INFINITY
  }
  const records = integer()
  let blocksBytes = 0
  let contentBytes = 0
  for (let record = 0; record < records && at < indexBytes; record++) {
    blocksBytes += Math.ceil(integer() / 4) * 4
    contentBytes += integer()
  }
  // Anything else in the file, another stream for one, and this index does not speak for all of it.
  return xzEndBytes + blocksBytes === indexAt ? contentBytes : undefined
}
