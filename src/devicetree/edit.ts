/**
 * Small edits. Each takes a tree and gives a new one, or says why not; the old tree stays as it was. Where a
 * reference to a node is asked for, all forms of `findNode` are right.
 *
 * New properties and nodes go last (libfdt puts them first; the order has no meaning, but a reader of a diff is
 * spared noise). References to a node (phandles, aliases, labels) are not followed: what is deleted or renamed
 * leaves them as they are, as with libfdt.
 */
import { encodeReg, type RegEntry } from './cells.ts'
import { addChild, replaceNode, splitPath } from './graft.ts'
import {
  childPath,
  type DeviceNode,
  type DeviceTree,
  hasProperty,
  isValidName,
  type MemoryReservation,
  type Property,
  propertyValue,
  walk,
} from './model.ts'
import { findNode, phandleOf } from './query.ts'
import { type EditError, failure, type Result, success } from './result.ts'
import { cellsValue } from './value.ts'

type Edited = Result<DeviceTree, EditError>

/**
 * Gives a property a value; it need not exist. An existing one keeps its place. `value` must not be written to
 * afterwards. Errors: `node-not-found`, `unknown-alias`, `unknown-label`, `bad-name`.
 */
export function setProperty(tree: DeviceTree, reference: string, name: string, value: Uint8Array): Edited {
  const ref = findNode(tree, reference)
  if (!ref.ok) return ref
  if (!isValidName(name)) return badName(name, 'property')
  return success(replaceNode(tree, ref.value, withProperty(ref.value.node, name, value)))
}

/** The node with a property set; in the place of the old one, or last. The name is not checked. */
export function withProperty(node: DeviceNode, name: string, value: Uint8Array): DeviceNode {
  const property = { name, value }
  const properties = hasProperty(node, name)
    ? node.properties.map((old) => (old.name === name ? property : old))
    : [...node.properties, property]
  return { ...node, properties }
}

/** The node with many properties set at once, as `withProperty` does each. */
export function withProperties(node: DeviceNode, properties: readonly Property[]): DeviceNode {
  const values = new Map(node.properties.map(({ name, value }) => [name, value]))
  for (const { name, value } of properties) values.set(name, value)
  return { ...node, properties: [...values].map(([name, value]) => ({ name, value })) }
}

/** Adds bytes after those that a property has; one that does not exist is made. Errors as `setProperty`. */
export function appendToProperty(
  tree: DeviceTree,
  reference: string,
  name: string,
  value: Uint8Array,
): Edited {
  const ref = findNode(tree, reference)
  if (!ref.ok) return ref
  const old = propertyValue(ref.value.node, name)
  return setProperty(tree, reference, name, old === undefined ? value : Buffer.concat([old, value]))
}

/**
 * Writes `reg`, in the cells that the parent gives. Errors: those of `setProperty`; `root-node`; `does-not-fit`;
 * `bad-value` where the parent's cell counts are unusable.
 */
export function setReg(tree: DeviceTree, reference: string, entries: readonly RegEntry[]): Edited {
  const ref = findNode(tree, reference)
  if (!ref.ok) return ref
  if (ref.value.parent === undefined) return rootNode('has no place for "reg"')
  const value = encodeReg(ref.value.parent, entries)
  return value.ok ? setProperty(tree, ref.value.path, 'reg', value.value) : value
}

/** Errors: those of `findNode`; `property-not-found`. */
export function deleteProperty(tree: DeviceTree, reference: string, name: string): Edited {
  const ref = findNode(tree, reference)
  if (!ref.ok) return ref
  const { node, path } = ref.value
  if (!hasProperty(node, name)) return propertyNotFound(path, name)
  const properties = node.properties.filter((property) => property.name !== name)
  return success(replaceNode(tree, ref.value, { ...node, properties }))
}

/**
 * The value keeps its place under another name. Errors: those of `findNode`; `property-not-found`;
 * `property-exists`; `bad-name`.
 */
export function renameProperty(tree: DeviceTree, reference: string, name: string, newName: string): Edited {
  const ref = findNode(tree, reference)
  if (!ref.ok) return ref
  const { node, path } = ref.value
  if (!hasProperty(node, name)) return propertyNotFound(path, name)
  if (name === newName) return success(tree)
  if (!isValidName(newName)) return badName(newName, 'property')
  if (hasProperty(node, newName)) {
    const message = `"${path}" already has a property "${newName}"`
    return failure({ type: 'property-exists', path, property: newName, message })
  }
  const properties = node.properties.map((old) => (old.name === name ? { ...old, name: newName } : old))
  return success(replaceNode(tree, ref.value, { ...node, properties }))
}

/**
 * Adds an empty node; its parent must exist. `path` is the parent's reference, a slash and the name. Errors: those
 * of `findNode` for the parent; `node-exists`; `bad-name`; `too-deep`; `root-node`.
 */
export function addNode(tree: DeviceTree, path: string): Edited {
  const split = splitPath(path)
  if (split === undefined) {
    if (path === '/') return rootNode('is always there')
    return badName(path, 'node')
  }
  const parent = findNode(tree, split.parent)
  if (!parent.ok) return parent
  if (!isValidName(split.name)) return badName(split.name, 'node')
  if (parent.value.node.children.some((child) => child.name === split.name)) {
    const existing = childPath(parent.value.path, split.name)
    return failure({ type: 'node-exists', path: existing, message: `there already is a node "${existing}"` })
  }
  return addChild(tree, parent.value, { name: split.name, properties: [], children: [] })
}

/** Adds whatever of an absolute path is missing. Errors: `bad-name`, `too-deep`, `node-not-found` (not absolute). */
export function ensureNode(tree: DeviceTree, path: string): Edited {
  if (!path.startsWith('/')) {
    return failure({ type: 'node-not-found', reference: path, message: `"${path}" is not an absolute path` })
  }
  let current = tree
  let made = '/'
  for (const name of path.split('/')) {
    if (name === '') continue
    made = childPath(made, name)
    if (findNode(current, made).ok) continue
    const added = addNode(current, made)
    if (!added.ok) return added
    current = added.value
  }
  return success(current)
}

/** Deletes a node and everything below it. Errors: those of `findNode`; `root-node`. */
export function deleteNode(tree: DeviceTree, reference: string): Edited {
  const ref = findNode(tree, reference)
  if (!ref.ok) return ref
  const { parent, node } = ref.value
  if (parent === undefined) return rootNode('cannot be deleted')
  const children = parent.node.children.filter((child) => child !== node)
  return success(replaceNode(tree, parent, { ...parent.node, children }))
}

/**
 * Gives a node another name, its place among its siblings being kept. `reg` is not changed with the unit address.
 * Errors: those of `findNode`; `root-node`; `bad-name`; `node-exists`.
 */
export function renameNode(tree: DeviceTree, reference: string, newName: string): Edited {
  const ref = findNode(tree, reference)
  if (!ref.ok) return ref
  const { parent, node } = ref.value
  if (parent === undefined) return rootNode('cannot be renamed')
  if (node.name === newName) return success(tree)
  if (!isValidName(newName)) return badName(newName, 'node')
  if (parent.node.children.some((child) => child.name === newName)) {
    const existing = childPath(parent.path, newName)
    return failure({ type: 'node-exists', path: existing, message: `there already is a node "${existing}"` })
  }
  return success(replaceNode(tree, ref.value, { ...node, name: newName }))
}

/** Adds a memory reservation after the others. Error: `does-not-fit` where it ends beyond 2^64 or is 0 at 0. */
export function addReservation(tree: DeviceTree, reservation: MemoryReservation): Edited {
  const { address, sizeBytes } = reservation
  // An entry of two zeros would end the list.
  const endsList = address === 0n && sizeBytes === 0n
  if (
    address < 0n ||
    sizeBytes < 0n ||
    address + sizeBytes > 1n << 64n ||
    sizeBytes >> 64n !== 0n ||
    endsList
  ) {
    const message = `0x${address.toString(16)}+0x${sizeBytes.toString(16)} cannot be a memory reservation`
    return failure({ type: 'does-not-fit', path: '/', message })
  }
  return success({ ...tree, reservations: [...tree.reservations, reservation] })
}

/** Deletes the first reservation with exactly this address and size. Error: `reservation-not-found`. */
export function deleteReservation(tree: DeviceTree, reservation: MemoryReservation): Edited {
  const { address, sizeBytes } = reservation
  const index = tree.reservations.findIndex((old) => old.address === address && old.sizeBytes === sizeBytes)
  if (index < 0) {
    const message = `no memory reservation 0x${address.toString(16)}+0x${sizeBytes.toString(16)}`
    return failure({ type: 'reservation-not-found', message })
  }
  return success({ ...tree, reservations: tree.reservations.toSpliced(index, 1) })
}

/**
 * The node's phandle; where it has none, it gets the first number above all others. Errors: those of `findNode`;
 * `no-phandle-left`.
 */
export function ensurePhandle(
  tree: DeviceTree,
  reference: string,
): Result<{ readonly tree: DeviceTree; readonly phandle: number }, EditError> {
  const ref = findNode(tree, reference)
  if (!ref.ok) return ref
  const existing = phandleOf(ref.value.node)
  if (existing !== undefined) return success({ tree, phandle: existing })
  const phandle = highestPhandle(tree) + 1
  if (phandle >= 0xffffffff) return failure({ type: 'no-phandle-left', message: 'every phandle is taken' })
  const edited = setProperty(tree, ref.value.path, 'phandle', cellsValue(phandle))
  return edited.ok ? success({ tree: edited.value, phandle }) : edited
}

/** 0 where no node has one. */
export function highestPhandle(tree: DeviceTree): number {
  let highest = 0
  for (const ref of walk(tree)) highest = Math.max(highest, phandleOf(ref.node) ?? 0)
  return highest
}

function propertyNotFound(path: string, property: string) {
  const message = `"${path}" has no property "${property}"`
  return failure<EditError>({ type: 'property-not-found', path, property, message })
}

function badName(name: string, kind: 'node' | 'property') {
  const message = `${JSON.stringify(name)} cannot be the name of a ${kind}: printable ASCII without space and slash`
  return failure<EditError>({ type: 'bad-name', name, message })
}

function rootNode(why: string) {
  return failure<EditError>({ type: 'root-node', message: `the root node ${why}` })
}
