/**
 * Merging an overlay, as `fdtoverlay` does: what dtc leaves in an overlay is described in dtc's
 * Documentation/dt-object-internal.txt. Four steps:
 *
 * 1. the overlay's own phandles are moved above those of the base;
 * 2. references inside the overlay, listed in `/__local_fixups__`, are moved along;
 * 3. references to labels of the base, listed in `/__fixups__`, are filled in;
 * 4. each fragment's `__overlay__` is laid over the node that its `target` or `target-path` names, and the
 *    overlay's labels join the base's `/__symbols__`.
 *
 * Nothing is merged unless all of it can be. Two quirks of libfdt that trees rely on are kept: a node `serial`
 * without a unit address is laid over an existing `serial@1000`, and the label of an `__overlay__` node itself
 * becomes a path with a slash at its end. One is not: a node of the base that has a phandle keeps it (libfdt 1.6
 * replaces it, so that everything in the base that points there points nowhere; 1.7 keeps it as well).
 */
import { highestPhandle, withProperties } from './edit.ts'
import { replaceNode } from './graft.ts'
import {
  childPath,
  type DeviceNode,
  type DeviceTree,
  MAX_DEPTH,
  type NodeRef,
  type Property,
  propertyValue,
  walk,
} from './model.ts'
import { findByPhandle, findChild, findNode, indexChildren, phandleOf } from './query.ts'
import { failure, type OverlayError, type Result, success } from './result.ts'
import { cellsValue, decodeCells, decodeString, decodeStrings, decodeU32, stringValue } from './value.ts'

type Step<T> = Result<T, OverlayError>

/**
 * The base with the overlay merged in; both are left as they are. Errors: `unknown-label` for a label that the base
 * does not have; `bad-overlay` where the overlay contradicts itself; `node-not-found` and `unknown-alias` for a
 * target that is not there; `no-phandle-left`; `too-deep`.
 */
export function mergeOverlay(base: DeviceTree, overlay: DeviceTree): Step<DeviceTree> {
  const shift = highestPhandle(base)
  const patches: Patches = new Map()
  const shifted = shiftPhandles(overlay, shift, patches)
  if (!shifted.ok) return shifted
  const moved = patchLocalReferences(overlay, patches, (phandle) => phandle + shift)
  if (!moved.ok) return moved
  const filled = fillInLabels(base, overlay, patches)
  if (!filled.ok) return filled
  const resolved = applyPatches(overlay, patches)
  const kept = keepBasePhandles(base, resolved)
  if (!kept.ok) return kept
  let merged = base
  for (const fragment of kept.value.root.children) {
    const content = findChild(fragment, '__overlay__')
    if (content === undefined) continue
    const target = findTarget(merged, fragment)
    if (!target.ok) return target
    const node = layOver(target.value.node, content, target.value.path)
    if (!node.ok) return node
    merged = replaceNode(merged, target.value, node.value)
  }
  return mergeSymbols(merged, kept.value)
}

function badOverlay(path: string, message: string) {
  return failure<OverlayError>({ type: 'bad-overlay', path, message: `bad overlay: ${message}` })
}

/** New values for properties, by node and name, gathered before the tree is rebuilt once. */
type Patches = Map<DeviceNode, Map<string, Buffer>>

function patch(
  patches: Patches,
  node: DeviceNode,
  property: string,
  offset: number,
  change: (old: number) => number,
) {
  const ofNode = patches.get(node) ?? new Map<string, Buffer>()
  patches.set(node, ofNode)
  const current = ofNode.get(property) ?? propertyValue(node, property)
  if (current === undefined || offset < 0 || offset + 4 > current.length) return false
  const value = Buffer.from(current)
  value.writeUInt32BE(change(value.readUInt32BE(offset)) >>> 0, offset)
  ofNode.set(property, value)
  return true
}

function applyPatches(tree: DeviceTree, patches: Patches): DeviceTree {
  const rebuild = (node: DeviceNode): DeviceNode => {
    const ofNode = patches.get(node)
    const properties = node.properties.map(({ name, value }) => ({ name, value: ofNode?.get(name) ?? value }))
    return { ...node, properties, children: node.children.map(rebuild) }
  }
  return { ...tree, root: rebuild(tree.root) }
}

function shiftPhandles(overlay: DeviceTree, shift: number, patches: Patches): Step<undefined> {
  for (const { node, path } of walk(overlay)) {
    for (const name of ['phandle', 'linux,phandle']) {
      const value = propertyValue(node, name)
      if (value === undefined) continue
      const phandle = decodeU32(value)
      if (phandle === undefined) return badOverlay(path, `"${name}" of "${path}" is not one cell`)
      if (phandle + shift >= 0xffffffff) {
        return failure({
          type: 'no-phandle-left',
          message: `no phandle is left for "${path}" of the overlay`,
        })
      }
      patch(patches, node, name, 0, (old) => old + shift)
    }
  }
  return success(undefined)
}

/** `/__local_fixups__` has the shape of the overlay; each property lists the offsets of phandles in its namesake. */
function patchLocalReferences(
  overlay: DeviceTree,
  patches: Patches,
  change: (phandle: number) => number,
): Step<undefined> {
  const fixups = findChild(overlay.root, '__local_fixups__')
  if (fixups === undefined) return success(undefined)
  const descend = (listed: DeviceNode, node: DeviceNode, path: string): Step<undefined> => {
    for (const { name, value } of listed.properties) {
      const offsets = decodeCells(value)
      if (offsets === undefined)
        return badOverlay(path, `the local fixups of "${name}" in "${path}" are not cells`)
      for (const offset of offsets) {
        if (!patch(patches, node, name, offset, change)) {
          return badOverlay(
            path,
            `a local fixup points to byte ${offset} of "${name}" in "${path}", which is not there`,
          )
        }
      }
    }
    for (const child of listed.children) {
      const match = findChild(node, child.name)
      const below = childPath(path, child.name)
      if (match === undefined) return badOverlay(below, `local fixups for "${below}", which is not there`)
      const done = descend(child, match, below)
      if (!done.ok) return done
    }
    return success(undefined)
  }
  return descend(fixups, overlay.root, '/')
}

/** Each property of `/__fixups__` is a label of the base, and lists `path:property:offset` of where it is meant. */
function fillInLabels(base: DeviceTree, overlay: DeviceTree, patches: Patches): Step<undefined> {
  const fixups = findChild(overlay.root, '__fixups__')
  for (const { name: label, value } of fixups?.properties ?? []) {
    const target = findNode(base, `&${label}`)
    if (!target.ok) return target
    const phandle = phandleOf(target.value.node)
    if (phandle === undefined) {
      const message = `the overlay refers to &${label} ("${target.value.path}"), which has no phandle`
      return failure({ type: 'unknown-label', label, message })
    }
    const places = decodeStrings(value)
    if (places === undefined)
      return badOverlay('/__fixups__', `"${label}" in /__fixups__ is not a list of strings`)
    for (const place of places) {
      const match = /^(\/[^:]*):([^:]+):(\d{1,10})$/.exec(place)
      const [, path = '', property = '', offset = ''] = match ?? []
      const node = match === null ? undefined : findNode(overlay, path)
      if (!node?.ok || !patch(patches, node.value.node, property, Number(offset), () => phandle)) {
        return badOverlay('/__fixups__', `&${label} is wanted at "${place}", which is not there`)
      }
    }
  }
  return success(undefined)
}

/** A node of the base that has a phandle keeps it; what the overlay says to the overlay's number is redirected. */
function keepBasePhandles(base: DeviceTree, overlay: DeviceTree): Step<DeviceTree> {
  const redirected = new Map<number, number>()
  const compare = (below: DeviceNode, above: DeviceNode): void => {
    const [kept, dropped] = [phandleOf(below), phandleOf(above)]
    if (kept !== undefined && dropped !== undefined) redirected.set(dropped, kept)
    const find = indexChildren(below.children)
    for (const child of above.children) {
      const match = find(child.name)
      if (match !== undefined) compare(match, child)
    }
  }
  for (const fragment of overlay.root.children) {
    const content = findChild(fragment, '__overlay__')
    // A target that only an earlier fragment makes has no phandle of the base to keep.
    const target = content === undefined ? undefined : findTarget(base, fragment)
    if (content !== undefined && target?.ok) compare(target.value.node, content)
  }
  if (redirected.size === 0) return success(overlay)
  const patches: Patches = new Map()
  const redirect = (phandle: number): number => redirected.get(phandle) ?? phandle
  for (const { node } of walk(overlay)) {
    patch(patches, node, 'phandle', 0, redirect)
    patch(patches, node, 'linux,phandle', 0, redirect)
  }
  const patched = patchLocalReferences(overlay, patches, redirect)
  return patched.ok ? success(applyPatches(overlay, patches)) : patched
}

/** The node of the base that a fragment is for: `target`, a phandle, or else `target-path`. */
function findTarget(base: DeviceTree, fragment: DeviceNode): Step<NodeRef> {
  const path = `/${fragment.name}`
  const target = propertyValue(fragment, 'target')
  const phandle = target === undefined ? undefined : decodeU32(target)
  if (target !== undefined && (phandle === undefined || phandle === 0xffffffff)) {
    return badOverlay(path, `"target" of "${path}" is not a phandle`)
  }
  if (phandle !== undefined && phandle !== 0) {
    const ref = findByPhandle(base, phandle)
    if (ref !== undefined) return success(ref)
    const message = `the target of "${path}" in the overlay is phandle ${phandle}, which no node has`
    return failure({ type: 'node-not-found', reference: `phandle ${phandle}`, message })
  }
  const targetPath = targetPathOf(fragment)
  return targetPath === undefined ? badOverlay(path, `"${path}" has no target`) : findNode(base, targetPath)
}

function targetPathOf(fragment: DeviceNode): string | undefined {
  const value = propertyValue(fragment, 'target-path')
  return value === undefined ? undefined : decodeString(value)
}

function layOver(below: DeviceNode, above: DeviceNode, path: string): Step<DeviceNode> {
  if (path.split('/').length > MAX_DEPTH) {
    return failure({
      type: 'too-deep',
      path,
      message: `"${path}" would be more than ${MAX_DEPTH} nodes deep`,
    })
  }
  const find = indexChildren(below.children)
  const merged = new Map(below.children.map((child) => [child.name, child]))
  for (const child of above.children) {
    const old = find(child.name) ?? { name: child.name, properties: [], children: [] }
    // Two children of the overlay may meet in one of the base: the second is laid over the first one's result.
    const current = merged.get(old.name) ?? old
    const next = layOver(current, child, childPath(path, current.name))
    if (!next.ok) return next
    merged.set(current.name, next.value)
  }
  return success({ ...withProperties(below, above.properties), children: [...merged.values()] })
}

/** The overlay's labels, with the paths that their nodes have after merging. */
function mergeSymbols(merged: DeviceTree, overlay: DeviceTree): Step<DeviceTree> {
  const labels = findChild(overlay.root, '__symbols__')
  if (labels === undefined) return success(merged)
  const paths: Property[] = []
  for (const { name: label, value: written } of labels.properties) {
    const path = decodeString(written)
    if (path === undefined || !path.startsWith('/')) {
      return badOverlay('/__symbols__', `"${label}" in /__symbols__ is not a path`)
    }
    const match = /^\/([^/]+)\/__overlay__(?:\/(.*))?$/.exec(path)
    if (match === null) continue // the label of something that does not end up in the tree
    const fragment = findChild(overlay.root, match[1] ?? '')
    if (fragment === undefined || findChild(fragment, '__overlay__') === undefined) {
      return badOverlay('/__symbols__', `&${label} is "${path}", which is not there`)
    }
    const target = findTarget(merged, fragment)
    if (!target.ok) return target
    const usesPhandle = (decodeU32(propertyValue(fragment, 'target') ?? cellsValue(0)) ?? 0) !== 0
    // libfdt takes a target-path as it is written, even where it is an alias.
    const start = usesPhandle ? target.value.path : (targetPathOf(fragment) ?? '/')
    const value = stringValue(`${start === '/' ? '' : start}/${match[2] ?? ''}`)
    paths.push({ name: label, value })
  }
  const old = findChild(merged.root, '__symbols__')
  const symbols = withProperties(old ?? { name: '__symbols__', properties: [], children: [] }, paths)
  const { children } = merged.root
  const next =
    old === undefined ? [...children, symbols] : children.map((child) => (child === old ? symbols : child))
  return success({ ...merged, root: { ...merged.root, children: next } })
}
