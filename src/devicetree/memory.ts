/** What a tree says about memory: banks, reservations; and adding a reservation of our own. */
import { cellCounts, getReg } from './cells.ts'
import { addNode, ensureNode, setProperty, setReg } from './edit.ts'
import { childRef, type DeviceTree, hasProperty, propertyValue, rootRef } from './model.ts'
import { findChild, getU64, isEnabled } from './query.ts'
import { type EditError, failure, type QueryError, type Result, success } from './result.ts'
import { cellsValue, decodeString, EMPTY_VALUE, stringValue } from './value.ts'

export interface MemoryRange {
  /** Path of the node that says so. */
  readonly path: string
  readonly address: bigint
  readonly sizeBytes: bigint
}

/**
 * RAM: every entry of every `memory` node (section 3.4). Boot loaders fill these in: in a tree from a file they may
 * be absent or of size 0, which is left out. Error: `bad-value`.
 */
export function memoryBanks(tree: DeviceTree): Result<readonly MemoryRange[], QueryError> {
  const root = rootRef(tree)
  const banks: MemoryRange[] = []
  for (const child of tree.root.children) {
    const type = propertyValue(child, 'device_type')
    if (type === undefined || decodeString(type) !== 'memory' || !isEnabled(child)) continue
    const ref = childRef(root, child)
    if (!hasProperty(child, 'reg')) continue
    const reg = getReg(ref)
    if (!reg.ok) return reg
    for (const entry of reg.value) if (entry.sizeBytes > 0n) banks.push({ path: ref.path, ...entry })
  }
  return success(banks)
}

export type ReservedMemory =
  /** From the header's list (5.3). */
  | { readonly type: 'reservation'; readonly address: bigint; readonly sizeBytes: bigint }
  /** A child of `/reserved-memory` with `reg`; one object for each entry (3.5). */
  | ({ readonly type: 'static'; readonly noMap: boolean; readonly reusable: boolean } & MemoryRange)
  /** A child of `/reserved-memory` that the kernel finds a place for. */
  | { readonly type: 'dynamic'; readonly path: string; readonly sizeBytes: bigint }

/** Everything that the tree keeps out of general use. Error: `bad-value`. */
export function reservedMemory(tree: DeviceTree): Result<readonly ReservedMemory[], QueryError> {
  const found: ReservedMemory[] = tree.reservations.map((entry) => ({ type: 'reservation', ...entry }))
  const parent = findChild(tree.root, 'reserved-memory')
  if (parent === undefined) return success(found)
  const parentRef = childRef(rootRef(tree), parent)
  for (const child of parent.children) {
    if (!isEnabled(child)) continue
    const ref = childRef(parentRef, child)
    if (hasProperty(child, 'reg')) {
      const reg = getReg(ref)
      if (!reg.ok) return reg
      const noMap = hasProperty(child, 'no-map')
      const reusable = hasProperty(child, 'reusable')
      for (const entry of reg.value) found.push({ type: 'static', path: ref.path, noMap, reusable, ...entry })
    } else if (hasProperty(child, 'size')) {
      const size = getU64(ref, 'size')
      if (!size.ok) return size
      found.push({ type: 'dynamic', path: ref.path, sizeBytes: size.value })
    }
  }
  return success(found)
}

export interface ReserveMemoryOptions {
  /** Name without unit address, for example `phram-rootfs`. */
  readonly name: string
  readonly address: bigint
  readonly sizeBytes: bigint
  readonly compatible?: string
  /** The kernel keeps no mapping of it at all. */
  readonly noMap?: boolean
}

/**
 * Adds `/reserved-memory/NAME@ADDRESS`. `/reserved-memory` is made where there is none, with the root's cell counts
 * and an empty `ranges`, which the kernel insists on (section 3.5.1). Errors: `node-exists`; `does-not-fit` where
 * the root's cells are too few; `bad-value` where an existing parent is not as the kernel wants it; `bad-name`.
 */
export function reserveMemory(
  tree: DeviceTree,
  options: ReserveMemoryOptions,
): Result<DeviceTree, EditError> {
  const root = rootRef(tree)
  const counts = cellCounts(root)
  if (!counts.ok) return counts
  const existing = findChild(tree.root, 'reserved-memory')
  if (existing !== undefined) {
    const parent = childRef(root, existing)
    const own = cellCounts(parent)
    if (!own.ok) return own
    const ranges = propertyValue(existing, 'ranges')
    const same =
      own.value.addressCells === counts.value.addressCells && own.value.sizeCells === counts.value.sizeCells
    if (!same || ranges === undefined || ranges.length > 0) {
      const message = `"${parent.path}" must have an empty "ranges" and the cell counts of the root`
      return failure({ type: 'bad-value', path: parent.path, property: 'ranges', message })
    }
  }
  const parentPath = `/${existing?.name ?? 'reserved-memory'}`
  const path = `${parentPath}/${options.name}@${options.address.toString(16)}`
  const reg = [{ address: options.address, sizeBytes: options.sizeBytes }]
  const { addressCells, sizeCells } = counts.value
  const steps: ((current: DeviceTree) => Result<DeviceTree, EditError>)[] = [
    (current) => addNode(current, path),
    (current) => setReg(current, path, reg),
  ]
  if (existing === undefined) {
    steps.unshift(
      (current) => ensureNode(current, parentPath),
      (current) => setProperty(current, parentPath, '#address-cells', cellsValue(addressCells)),
      (current) => setProperty(current, parentPath, '#size-cells', cellsValue(sizeCells)),
      (current) => setProperty(current, parentPath, 'ranges', EMPTY_VALUE),
    )
  }
  const { compatible } = options
  if (compatible !== undefined) {
    steps.push((current) => setProperty(current, path, 'compatible', stringValue(compatible)))
  }
  if (options.noMap === true) steps.push((current) => setProperty(current, path, 'no-map', EMPTY_VALUE))
  let edited: Result<DeviceTree, EditError> = success(tree)
  for (const step of steps) {
    if (!edited.ok) return edited
    edited = step(edited.value)
  }
  return edited
}
