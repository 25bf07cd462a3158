/** Finding nodes, and asking a node for its properties by type. */
import {
  childRef,
  type DeviceNode,
  type DeviceTree,
  type NodeRef,
  propertyValue,
  rootRef,
  walk,
} from './model.ts'
import { failure, type QueryError, type Result, success } from './result.ts'
import { decodeCells, decodeString, decodeStrings, decodeU32, decodeU64 } from './value.ts'

/**
 * The node that a reference names:
 *
 * - `/soc/serial@1000`: a path. A component without a unit address also finds the first child that has one
 *   (`/memory` finds `/memory@40000000`), as with libfdt. But here an exact match goes first, wherever it is:
 *   libfdt takes the first of both kinds, so that deleting `/sound` may delete `/sound@ff8b0000` beside it.
 * - `serial0` or `serial0/child`: an alias, a property of `/aliases`.
 * - `&uart1` or `&uart1/child`: a label, a property of `/__symbols__` (present in trees made by `dtc -@`).
 */
export function findNode(tree: DeviceTree, reference: string): Result<NodeRef, QueryError> {
  if (reference.startsWith('/')) return follow(rootRef(tree), reference, reference)
  const slash = reference.indexOf('/')
  const first = slash < 0 ? reference : reference.slice(0, slash)
  const rest = slash < 0 ? '' : reference.slice(slash)
  const start = first.startsWith('&') ? findLabel(tree, first.slice(1)) : findAlias(tree, first)
  return start.ok ? follow(start.value, rest, reference) : start
}

function follow(start: NodeRef, path: string, reference: string): Result<NodeRef, QueryError> {
  let current = start
  for (const component of path.split('/')) {
    if (component === '') continue
    const child = findChild(current.node, component)
    if (child === undefined) {
      return failure({
        type: 'node-not-found',
        reference,
        message: `there is no node "${reference}": "${current.path}" has no child "${component}"`,
      })
    }
    current = childRef(current, child)
  }
  return success(current)
}

/** A child by its name; without a unit address also the first whose name begins with it and an `@`. */
export function findChild(node: DeviceNode, name: string): DeviceNode | undefined {
  const exact = node.children.find((child) => child.name === name)
  if (exact !== undefined || name.includes('@')) return exact
  return node.children.find((child) => child.name.startsWith(`${name}@`))
}

/** `findChild` for many names: one pass over the children, then each name at once. */
export function indexChildren(children: readonly DeviceNode[]): (name: string) => DeviceNode | undefined {
  const exact = new Map<string, DeviceNode>()
  const abbreviated = new Map<string, DeviceNode>()
  for (const child of children) {
    exact.set(child.name, child)
    const at = child.name.indexOf('@')
    const short = child.name.slice(0, Math.max(at, 0))
    if (at >= 0 && !abbreviated.has(short)) abbreviated.set(short, child)
  }
  return (name) => exact.get(name) ?? abbreviated.get(name)
}

function findAlias(tree: DeviceTree, alias: string): Result<NodeRef, QueryError> {
  const aliases = findChild(tree.root, 'aliases')
  const value = aliases === undefined ? undefined : propertyValue(aliases, alias)
  if (value !== undefined) return followName(tree, '/aliases', alias, value)
  return failure({ type: 'unknown-alias', alias, message: `"${alias}" is neither a path nor in /aliases` })
}

function findLabel(tree: DeviceTree, label: string): Result<NodeRef, QueryError> {
  const symbols = findChild(tree.root, '__symbols__')
  if (symbols === undefined) {
    return failure({
      type: 'unknown-label',
      label,
      message: `the tree keeps no labels (no /__symbols__: it was not compiled with "dtc -@"), so &${label} is unknown`,
    })
  }
  const value = propertyValue(symbols, label)
  if (value !== undefined) return followName(tree, '/__symbols__', label, value)
  return failure({ type: 'unknown-label', label, message: `no node has the label &${label}` })
}

/** Only absolute paths are followed: aliases of aliases could go round for ever. */
function followName(
  tree: DeviceTree,
  path: string,
  property: string,
  value: Uint8Array,
): Result<NodeRef, QueryError> {
  const target = decodeString(value)
  if (target?.startsWith('/')) return follow(rootRef(tree), target, target)
  return failure({ type: 'bad-value', path, property, message: `"${property}" in ${path} is not a path` })
}

/** The node with this phandle (`phandle`, or the older `linux,phandle`). */
export function findByPhandle(tree: DeviceTree, phandle: number): NodeRef | undefined {
  for (const ref of walk(tree)) if (phandleOf(ref.node) === phandle) return ref
  return undefined
}

/** Every node that lists this string in `compatible`, in the order of the file. */
export function findByCompatible(tree: DeviceTree, compatible: string): readonly NodeRef[] {
  return [...walk(tree)].filter((ref) => compatibleOf(ref.node).includes(compatible))
}

/** The labels that `/__symbols__` gives to the node at this canonical path. */
export function labelsOf(tree: DeviceTree, path: string): readonly string[] {
  const symbols = findChild(tree.root, '__symbols__')
  if (symbols === undefined) return []
  return symbols.properties.filter(({ value }) => decodeString(value) === path).map(({ name }) => name)
}

/** A node's phandle; undefined where it has none, or one that cannot be (0 and 0xffffffff). */
export function phandleOf(node: DeviceNode): number | undefined {
  const value = propertyValue(node, 'phandle') ?? propertyValue(node, 'linux,phandle')
  const phandle = value === undefined ? undefined : decodeU32(value)
  return phandle === 0 || phandle === 0xffffffff ? undefined : phandle
}

/** The strings of `compatible`, most specific first; empty where there is none or it is malformed. */
export function compatibleOf(node: DeviceNode): readonly string[] {
  const value = propertyValue(node, 'compatible')
  return (value === undefined ? undefined : decodeStrings(value)) ?? []
}

/** Whether the node may be used: `status` is absent, `okay` or (as Linux has it) `ok`. Its parents may not be. */
export function isEnabled(node: DeviceNode): boolean {
  const status = propertyValue(node, 'status')
  if (status === undefined) return true
  const text = decodeString(status)
  return text === 'okay' || text === 'ok'
}

function typed<T>(kind: string, decode: (value: Uint8Array) => T | undefined) {
  return (ref: NodeRef, property: string): Result<T, QueryError> => {
    const value = propertyValue(ref.node, property)
    if (value === undefined) {
      const message = `"${ref.path}" has no property "${property}"`
      return failure({ type: 'property-not-found', path: ref.path, property, message })
    }
    const decoded = decode(value)
    if (decoded !== undefined) return success(decoded)
    const message = `"${property}" of "${ref.path}" is not ${kind}: it has ${value.length} bytes, ${preview(value)}`
    return failure({ type: 'bad-value', path: ref.path, property, message })
  }
}

function preview(value: Uint8Array): string {
  const shown = Buffer.from(value.subarray(0, 16)).toString('hex')
  return value.length > 16 ? `${shown}...` : shown || 'none'
}

/**
 * Typed reading. Errors: `property-not-found`; `bad-value` where the bytes cannot be of that type. What has no
 * type of its own is read with {@link propertyValue}.
 */
export const getU32 = typed('one cell', decodeU32)
/** One cell or two. */
export const getU64 = typed('a number of one cell or two', decodeU64)
export const getCells = typed('a row of cells', decodeCells)
export const getString = typed('one string', decodeString)
export const getStrings = typed('a list of strings', (value) =>
  value.length === 0 ? undefined : decodeStrings(value),
)
