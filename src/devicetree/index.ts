/**
 * Flattened device trees: Devicetree Specification 0.4.
 *
 * A device tree is a tree of nodes; a node has properties, which are names with bytes, and children. What the bytes
 * mean is known by whoever asks: cells (32-bit, big-endian), strings, or nothing at all. So the model here
 * ({@link DeviceTree}) is only that: immutable data, which {@link readDevicetree} makes from the flattened format
 * (.dtb) and {@link writeDevicetree} turns back into it.
 *
 * - **Asking**: {@link findNode} takes a path, an alias or a label and gives a {@link NodeRef}: the node *and the way
 *   to it*, since what `reg` means is said by the parents ({@link getReg}, {@link translateAddress}).
 * - **Editing**: a verb takes a tree and gives a new one ({@link setProperty}, {@link addNode}, ...).
 *   {@link mergeOverlay} lays an overlay (.dtbo) over a tree.
 * - **Failures** are values with a `type` and a ready `message`; nothing throws on account of its input.
 *
 * Addresses are `bigint`: they have 64 bits, and up to four cells. {@link safeNumber} hands them to what counts in
 * numbers.
 */

export {
  type CellCounts,
  cellCounts,
  encodeReg,
  getRanges,
  getReg,
  type RangesEntry,
  type RegEntry,
  translateAddress,
} from './cells.ts'
export {
  addNode,
  addReservation,
  appendToProperty,
  deleteNode,
  deleteProperty,
  deleteReservation,
  ensureNode,
  ensurePhandle,
  renameNode,
  renameProperty,
  setProperty,
  setReg,
} from './edit.ts'
export {
  type MemoryRange,
  memoryBanks,
  type ReservedMemory,
  type ReserveMemoryOptions,
  reservedMemory,
  reserveMemory,
} from './memory.ts'
export {
  type DeviceNode,
  type DeviceTree,
  EMPTY_TREE,
  hasProperty,
  isValidName,
  type MemoryReservation,
  type NodeRef,
  type Property,
  propertyValue,
  rootRef,
  walk,
  walkFrom,
} from './model.ts'
export { mergeOverlay } from './overlay.ts'
export { printDevicetree, printNode, printValue } from './print.ts'
export {
  compatibleOf,
  findByCompatible,
  findByPhandle,
  findChild,
  findNode,
  getCells,
  getString,
  getStrings,
  getU32,
  getU64,
  isEnabled,
  labelsOf,
  phandleOf,
} from './query.ts'
export { isDevicetree, readDevicetree } from './read.ts'
export type { DevicetreeError, EditError, OverlayError, QueryError, ReadError, Result } from './result.ts'
export { parseSourceValue, type SourceValueError } from './source-value.ts'
export {
  cellsValue,
  decodeCells,
  decodeString,
  decodeStrings,
  decodeU32,
  decodeU64,
  EMPTY_VALUE,
  joinCells,
  safeNumber,
  splitCells,
  stringValue,
  u64Value,
} from './value.ts'
export { type WriteOptions, writeDevicetree } from './write.ts'
