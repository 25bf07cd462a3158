import {
  compatibleOf,
  type DeviceTree,
  decodeString,
  decodeU32,
  hasProperty,
  isEnabled,
  type NodeRef,
  propertyValue,
  walk,
} from '../devicetree/index.ts'

/** Who announces a device to user space, which decides the form of its modalias. */
export type Bus = 'platform' | 'spi' | 'amba'

/** A node that stands for a device: enabled, as are all above it, and with a `compatible`. */
export interface TreeDevice {
  readonly path: string
  readonly compatible: readonly string[]
  readonly bus: Bus
  /** What its bus sends; absent where that is read from the device itself. */
  readonly modalias?: string
  /** The form of platform devices, which drivers for SPI often have and their bus never sends. */
  readonly ofModalias: string
  /** On I2C and SPI: the first `compatible` without its vendor, by which drivers may know it too. */
  readonly shortName?: string
}

/** The devices of a tree, in the order of the file. */
export function treeDevices(tree: DeviceTree): readonly TreeDevice[] {
  const devices: TreeDevice[] = []
  /** Paths of nodes that are enabled all the way up. */
  const enabled = new Set<string>()
  for (const ref of walk(tree)) {
    if (!isEnabled(ref.node) || (ref.parent !== undefined && !enabled.has(ref.parent.path))) continue
    enabled.add(ref.path)
    const compatible = compatibleOf(ref.node)
    if (ref.parent === undefined || compatible.length === 0) continue
    const ofModalias = ofModaliasOf(ref, compatible)
    const bus = busOf(ref, compatible)
    const modalias =
      bus === 'platform' ? ofModalias : bus === 'spi' ? `spi:${shortNameOf(compatible)}` : ambaModalias(ref)
    devices.push({
      path: ref.path,
      compatible,
      bus,
      ofModalias,
      ...(modalias === undefined ? {} : { modalias }),
      ...(bus === 'spi' || isOnI2c(ref) ? { shortName: shortNameOf(compatible) } : {}),
    })
  }
  return devices
}

/** drivers/of/device.c, `of_device_get_modalias`: name without address, `device_type`, every `compatible`. */
function ofModaliasOf({ node }: NodeRef, compatible: readonly string[]): string {
  const [name = ''] = node.name.split('@')
  const type = propertyValue(node, 'device_type')
  const strings = compatible.map((text) => `C${text.replaceAll(' ', '_')}`).join('')
  // Where there is no type the kernel prints a null pointer.
  return `of:N${name}T${(type === undefined ? undefined : decodeString(type)) ?? '(null)'}${strings}`
}

/** drivers/of/base.c, `of_modalias_node`: the first `compatible` without its vendor, in SPI_NAME_SIZE (32) bytes. */
function shortNameOf([first = '']: readonly string[]): string {
  const comma = first.indexOf(',')
  return first.slice(comma + 1).slice(0, 31)
}

/** drivers/amba/bus.c: eight digits of a number that stands in the device, unless the tree knows better. */
function ambaModalias({ node }: NodeRef): string | undefined {
  const value = propertyValue(node, 'arm,primecell-periphid')
  const id = value === undefined ? undefined : decodeU32(value)
  return id === undefined ? undefined : `amba:d${id.toString(16).toUpperCase().padStart(8, '0')}`
}

function busOf(ref: NodeRef, compatible: readonly string[]): Bus {
  if (compatible.includes('arm,primecell')) return 'amba'
  return isOnSpi(ref) ? 'spi' : 'platform'
}

/** A controller is called `i2c`, as is a branch of a multiplexer (Devicetree Specification 0.4, 2.2.2). */
function isOnI2c({ node, parent }: NodeRef): boolean {
  return parent !== undefined && hasProperty(node, 'reg') && /^i2c(@|-|$)/.test(parent.node.name)
}

/** A controller is called `spi` (Devicetree Specification 0.4, 2.2.2), and what hangs on it says how fast it can be. */
function isOnSpi({ node, parent }: NodeRef): boolean {
  if (parent === undefined || !hasProperty(node, 'reg')) return false
  const sizeCells = propertyValue(parent.node, '#size-cells')
  if (sizeCells === undefined || decodeU32(sizeCells) !== 0) return false
  return hasProperty(node, 'spi-max-frequency') || /^(q|o|x)?spi(@|-|$)/.test(parent.node.name)
}
