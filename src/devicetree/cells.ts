/**
 * Addresses and sizes in `reg` and `ranges`: Devicetree Specification 0.4, sections 2.3.5, 2.3.6 and 2.3.8.
 *
 * How many cells a number takes is said by the *parent* (`reg`), or by the node and its parent (`ranges`). Numbers
 * are `bigint` here: an address has up to four cells (PCI has three, the first being flags).
 */
import { type NodeRef, propertyValue } from './model.ts'
import { type EditError, failure, type QueryError, type Result, success } from './result.ts'
import { cellsValue, decodeCells, decodeU32, joinCells, splitCells } from './value.ts'

export interface RegEntry {
  readonly address: bigint
  /** 0 where the parent has `#size-cells = <0>`. */
  readonly sizeBytes: bigint
}

export interface RangesEntry {
  readonly childAddress: bigint
  readonly parentAddress: bigint
  readonly sizeBytes: bigint
}

export interface CellCounts {
  readonly addressCells: number
  readonly sizeCells: number
}

/** More cells than any bus has (FDT_MAX_NCELLS of libfdt). */
const MAX_CELLS = 4

/**
 * `#address-cells` and `#size-cells` of a node, which count for its children. Absent, they are 2 and 1 (2.3.5);
 * they are never taken from further up. Error: `bad-value`.
 */
export function cellCounts(ref: NodeRef): Result<CellCounts, QueryError> {
  const addressCells = cellCount(ref, '#address-cells', 2)
  if (!addressCells.ok) return addressCells
  const sizeCells = cellCount(ref, '#size-cells', 1)
  if (!sizeCells.ok) return sizeCells
  return success({ addressCells: addressCells.value, sizeCells: sizeCells.value })
}

function cellCount(ref: NodeRef, property: string, fallback: number): Result<number, QueryError> {
  const value = propertyValue(ref.node, property)
  if (value === undefined) return success(fallback)
  const count = decodeU32(value)
  if (count !== undefined && count <= MAX_CELLS) return success(count)
  return badValue(ref, property, `is not a number from 0 to ${MAX_CELLS}`)
}

function badValue(ref: NodeRef, property: string, why: string) {
  const message = `"${property}" of "${ref.path}" ${why}`
  return failure<QueryError>({ type: 'bad-value', path: ref.path, property, message })
}

function missing(ref: NodeRef, property: string) {
  const message = `"${ref.path}" has no property "${property}"`
  return failure<QueryError>({ type: 'property-not-found', path: ref.path, property, message })
}

/** Cuts a value into rows of numbers of the given widths; undefined where it is no whole number of rows. */
function rows(value: Uint8Array, widths: readonly number[]): readonly (readonly bigint[])[] | undefined {
  const cells = decodeCells(value)
  const width = widths.reduce((sum, cellsOfNumber) => sum + cellsOfNumber, 0)
  if (cells === undefined || width === 0 || cells.length % width !== 0) return undefined
  return Array.from({ length: cells.length / width }, (_, row) => {
    let at = row * width
    return widths.map((count) => {
      at += count
      return joinCells(cells.slice(at - count, at))
    })
  })
}

/** What `reg` says, counted by the parent's cells. Errors: `property-not-found`, `bad-value`. */
export function getReg(ref: NodeRef): Result<readonly RegEntry[], QueryError> {
  const value = propertyValue(ref.node, 'reg')
  if (value === undefined) return missing(ref, 'reg')
  if (ref.parent === undefined) return badValue(ref, 'reg', 'has no meaning: the root has no parent')
  const counts = cellCounts(ref.parent)
  if (!counts.ok) return counts
  const { addressCells, sizeCells } = counts.value
  const found = rows(value, [addressCells, sizeCells])
  if (found === undefined) {
    const why = `has ${value.length} bytes: no whole number of entries of ${addressCells}+${sizeCells} cells`
    return badValue(ref, 'reg', why)
  }
  return success(found.map(([address = 0n, sizeBytes = 0n]) => ({ address, sizeBytes })))
}

/**
 * What `ranges` says. An empty list means that the addresses of the children are those of the parent; without the
 * property (`property-not-found`) they cannot be translated at all. Other error: `bad-value`.
 */
export function getRanges(ref: NodeRef): Result<readonly RangesEntry[], QueryError> {
  const value = propertyValue(ref.node, 'ranges')
  if (value === undefined) return missing(ref, 'ranges')
  if (value.length === 0) return success([])
  if (ref.parent === undefined) return badValue(ref, 'ranges', 'has no meaning: the root has no parent')
  const own = cellCounts(ref)
  if (!own.ok) return own
  const outer = cellCounts(ref.parent)
  if (!outer.ok) return outer
  const widths = [own.value.addressCells, outer.value.addressCells, own.value.sizeCells]
  const found = rows(value, widths)
  if (found === undefined) {
    return badValue(ref, 'ranges', `is no whole number of entries of ${widths.join('+')} cells`)
  }
  return success(
    found.map(([childAddress = 0n, parentAddress = 0n, sizeBytes = 0n]) => {
      return { childAddress, parentAddress, sizeBytes }
    }),
  )
}

/**
 * The address that the CPU uses for an address of the bus on which `ref` sits (an entry of its `reg`): through the
 * `ranges` of every parent up to the root. Errors: `not-translatable` where a bus has no `ranges` or none of its
 * windows holds all of `sizeBytes` (default 1) from `address` on; `bad-value`.
 */
export function translateAddress(ref: NodeRef, address: bigint, sizeBytes = 1n): Result<bigint, QueryError> {
  let translated = address
  for (let bus = ref.parent; bus?.parent !== undefined; bus = bus.parent) {
    const ranges = getRanges(bus)
    if (!ranges.ok) {
      if (ranges.error.type !== 'property-not-found') return ranges
      return notTranslatable(ref, `"${bus.path}" has no "ranges": its addresses are its own`)
    }
    if (ranges.value.length === 0) continue
    const at = translated
    const window = ranges.value.find((range) => {
      return at >= range.childAddress && at + sizeBytes <= range.childAddress + range.sizeBytes
    })
    if (window === undefined) {
      return notTranslatable(ref, `no window of "${bus.path}" holds 0x${translated.toString(16)}`)
    }
    translated = translated - window.childAddress + window.parentAddress
  }
  return success(translated)
}

function notTranslatable(ref: NodeRef, message: string) {
  return failure<QueryError>({ type: 'not-translatable', path: ref.path, message })
}

/**
 * The bytes of a `reg` for a child of `parent`. Errors: `does-not-fit` where a number needs more cells than the
 * parent gives; `bad-value`.
 */
export function encodeReg(parent: NodeRef, entries: readonly RegEntry[]): Result<Buffer, EditError> {
  const counts = cellCounts(parent)
  if (!counts.ok) return counts
  const { addressCells, sizeCells } = counts.value
  const cells: number[] = []
  for (const { address, sizeBytes } of entries) {
    const addressPart = splitCells(address, addressCells)
    const sizePart = splitCells(sizeBytes, sizeCells)
    if (addressPart === undefined || sizePart === undefined) {
      const what =
        addressPart === undefined ? `address 0x${address.toString(16)}` : `size 0x${sizeBytes.toString(16)}`
      const given = addressPart === undefined ? addressCells : sizeCells
      const message = `the ${what} does not fit into the ${given} cells that "${parent.path}" gives it`
      return failure({ type: 'does-not-fit', path: parent.path, message })
    }
    cells.push(...addressPart, ...sizePart)
  }
  return success(cellsValue(...cells))
}
