/** A device tree as data: nothing in it ever changes, and an edited tree shares what was not edited. */
export interface DeviceTree {
  /** Memory the kernel must never touch, apart from `/reserved-memory` (section 5.3 of the specification). */
  readonly reservations: readonly MemoryReservation[]
  /** `boot_cpuid_phys` of the header: the `reg` of the CPU that boots. */
  readonly bootCpuId: number
  readonly root: DeviceNode
}

export interface MemoryReservation {
  readonly address: bigint
  readonly sizeBytes: bigint
}

export interface DeviceNode {
  /** With its unit address (`serial@1000`); empty for the root only. Unique among its siblings. */
  readonly name: string
  /** In the order of the file. Names are unique. */
  readonly properties: readonly Property[]
  readonly children: readonly DeviceNode[]
}

export interface Property {
  readonly name: string
  /** Not to be written to: it may be shared with other trees. Empty for a property that is just there. */
  readonly value: Uint8Array
}

/** A node and the way to it. */
export interface NodeRef {
  /** Canonical and absolute: `/` or `/soc/serial@1000`. */
  readonly path: string
  readonly node: DeviceNode
  /** Undefined for the root. */
  readonly parent: NodeRef | undefined
}

/** Deepest nesting that Linux unflattens (FDT_MAX_DEPTH in drivers/of/fdt.c); the root is depth 1. */
export const MAX_DEPTH = 64

/**
 * Longest name of a node or property. The specification says 31 characters, but `__symbols__` holds labels as
 * property names, and those are longer. A bound is needed because names of properties may overlap in the
 * strings block, so that a small file could ask for very much memory.
 */
export const MAX_NAME_LENGTH = 255

export const EMPTY_TREE: DeviceTree = {
  reservations: [],
  bootCpuId: 0,
  root: { name: '', properties: [], children: [] },
}

/**
 * Whether a name can be that of a node or a property: printable ASCII without space and slash. The specification
 * (2.2.1, 2.2.4) allows less; trees in the field do not keep to it, and dtc only warns.
 */
export function isValidName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && /^[!-.0-~]+$/.test(name)
}

/** The bytes of a property, or undefined where the node has none of that name. */
export function propertyValue(node: DeviceNode, name: string): Uint8Array | undefined {
  return node.properties.find((property) => property.name === name)?.value
}

export function hasProperty(node: DeviceNode, name: string): boolean {
  return node.properties.some((property) => property.name === name)
}

export function childPath(parentPath: string, name: string): string {
  return parentPath === '/' ? `/${name}` : `${parentPath}/${name}`
}

export function rootRef(tree: DeviceTree): NodeRef {
  return { path: '/', node: tree.root, parent: undefined }
}

export function childRef(parent: NodeRef, node: DeviceNode): NodeRef {
  return { path: childPath(parent.path, node.name), node, parent }
}

/** Every node, parents before children, in the order of the file. */
export function* walk(tree: DeviceTree): Generator<NodeRef> {
  yield* walkFrom(rootRef(tree))
}

/** A node and all below it, parents before children. */
export function* walkFrom(start: NodeRef): Generator<NodeRef> {
  const pending = [start]
  for (let ref = pending.pop(); ref !== undefined; ref = pending.pop()) {
    yield ref
    const { children } = ref.node
    for (let index = children.length - 1; index >= 0; index--) {
      const child = children[index]
      if (child !== undefined) pending.push(childRef(ref, child))
    }
  }
}
