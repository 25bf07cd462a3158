/** The types of property values: Devicetree Specification 0.4, section 2.2.4. All numbers are big-endian. */

/** A row of 32-bit cells. Every number must be an integer from 0 to 0xffffffff, or it throws. */
export function cellsValue(...cells: readonly number[]): Buffer {
  const bytes = Buffer.alloc(cells.length * 4)
  for (const [index, cell] of cells.entries()) bytes.writeUInt32BE(cell, index * 4)
  return bytes
}

/** A row of 64-bit numbers, two cells each. */
export function u64Value(...numbers: readonly bigint[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 8)
  for (const [index, number] of numbers.entries()) bytes.writeBigUInt64BE(number, index * 8)
  return bytes
}

/** One string, or several in a row; each ends with a zero byte. A zero byte inside one throws. */
export function stringValue(...strings: readonly string[]): Buffer {
  if (strings.some((string) => string.includes('\0'))) throw new TypeError('a string holds a zero byte')
  return Buffer.from(strings.map((string) => `${string}\0`).join(''), 'utf8')
}

/** The value of a property that is just there, such as `no-map` or `ranges` for "the same addresses". */
export const EMPTY_VALUE: Uint8Array = new Uint8Array(0)

/** The 32-bit cells of a value; undefined where its length is no multiple of four. */
export function decodeCells(value: Uint8Array): readonly number[] | undefined {
  if (value.length % 4 !== 0) return undefined
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  return Array.from({ length: value.length / 4 }, (_, index) => view.getUint32(index * 4))
}

/** A single cell; undefined where the value is not exactly four bytes. */
export function decodeU32(value: Uint8Array): number | undefined {
  return value.length === 4 ? decodeCells(value)?.[0] : undefined
}

/** A number of one cell or two; undefined where the value has another length. */
export function decodeU64(value: Uint8Array): bigint | undefined {
  return value.length === 4 || value.length === 8 ? joinCells(decodeCells(value) ?? []) : undefined
}

/** One string: ends with its only zero byte; otherwise undefined. */
export function decodeString(value: Uint8Array): string | undefined {
  const strings = decodeStrings(value)
  return strings?.length === 1 ? strings[0] : undefined
}

/** A list of strings; undefined where the last byte is not zero, or the bytes are not UTF-8. Empty for no bytes. */
export function decodeStrings(value: Uint8Array): readonly string[] | undefined {
  if (value.length === 0) return []
  if (value.at(-1) !== 0) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      .decode(value.subarray(0, -1))
      .split('\0')
  } catch {
    return undefined
  }
}

/** Several cells as one number, the first being the most significant; no cells are 0. */
export function joinCells(cells: readonly number[]): bigint {
  return cells.reduce((number, cell) => (number << 32n) | BigInt(cell), 0n)
}

/** A number as `count` cells; undefined where it is negative or needs more. */
export function splitCells(number: bigint, count: number): readonly number[] | undefined {
  if (number < 0n || number >> BigInt(32 * count) !== 0n) return undefined
  return Array.from({ length: count }, (_, index) => {
    return Number((number >> BigInt(32 * (count - 1 - index))) & 0xffffffffn)
  })
}

/** A number for a planner that counts in `number`; undefined beyond 2^53, where no memory lies. */
export function safeNumber(number: bigint): number | undefined {
  return number >= 0n && number <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(number) : undefined
}
