/** Rebuilding a tree around a changed node: only the nodes on the way to the root are new. */
import { childPath, type DeviceNode, type DeviceTree, MAX_DEPTH, type NodeRef } from './model.ts'
import { type EditError, failure, type Result, success } from './result.ts'

/** The tree with another node in the place of the one that `ref`, found in this very tree, points to. */
export function replaceNode(tree: DeviceTree, ref: NodeRef, node: DeviceNode): DeviceTree {
  let old = ref.node
  let replacement = node
  for (let parent = ref.parent; parent !== undefined; parent = parent.parent) {
    const [before, after] = [old, replacement]
    const children = parent.node.children.map((child) => (child === before ? after : child))
    old = parent.node
    replacement = { ...parent.node, children }
  }
  return { ...tree, root: replacement }
}

/** The tree with one more node, last among the children of `parent`. Error: `too-deep`. */
export function addChild(
  tree: DeviceTree,
  parent: NodeRef,
  child: DeviceNode,
): Result<DeviceTree, EditError> {
  if (depthOf(parent) >= MAX_DEPTH) {
    const path = childPath(parent.path, child.name)
    return failure({ type: 'too-deep', path, message: `"${path}" is more than ${MAX_DEPTH} nodes deep` })
  }
  const children = [...parent.node.children, child]
  return success(replaceNode(tree, parent, { ...parent.node, children }))
}

/** 1 for the root. */
function depthOf(ref: NodeRef): number {
  let depth = 1
  for (let parent = ref.parent; parent !== undefined; parent = parent.parent) depth++
  return depth
}

/** The reference of the parent and the last name of a reference; undefined for the root and for a bare alias. */
export function splitPath(path: string): { readonly parent: string; readonly name: string } | undefined {
  const slash = path.lastIndexOf('/')
  if (slash < 0 || slash === path.length - 1) return undefined
  return { parent: slash === 0 ? '/' : path.slice(0, slash), name: path.slice(slash + 1) }
}
