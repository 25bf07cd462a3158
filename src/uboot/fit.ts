/**
 * Flat Image Trees: doc/uImage.FIT/source_file_format.txt of U-Boot (and flat-image-tree.readthedocs.io). A FIT is a
 * flattened device tree that holds images and says which of them go together.
 *
 * Every image here has a load address. U-Boot takes one without from where it lies in the file; a device tree used
 * there grows over whatever is stored after it.
 */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import {
  cellsValue,
  type DeviceNode,
  type DeviceTree,
  isValidName,
  type Property,
  splitCells,
  stringValue,
  writeDevicetree,
} from '../devicetree/index.ts'
import type { Architecture, Compression } from './legacy.ts'
import { failure, type ImageWriteError, type Result, success } from './result.ts'

export type FitHash = 'crc32' | 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512'

interface FitImageBase {
  /** Unique among the images: `kernel-1`. */
  readonly name: string
  readonly description: string
  readonly architecture: Architecture
  /** Of the data as it is handed in: nothing is compressed here. */
  readonly compression: Compression
  /** As the loader sees memory; up to 64 bits. */
  readonly loadAddress: bigint
  readonly data: Uint8Array
}

export type FitImage =
  | (FitImageBase & { readonly type: 'kernel'; readonly entryPoint: bigint })
  | (FitImageBase & { readonly type: 'flat_dt' })
  | (FitImageBase & { readonly type: 'ramdisk' })

export interface FitConfiguration {
  readonly name: string
  readonly description: string
  /** Names of images. */
  readonly kernel: string
  readonly tree?: string
  readonly ramdisk?: string
}

export interface Fit {
  readonly description: string
  readonly timeSeconds: number
  readonly images: readonly FitImage[]
  /** The first is the default. */
  readonly configurations: readonly [FitConfiguration, ...FitConfiguration[]]
  /** Over every image. Default: crc32 and sha256, as U-Boot has at least the former. */
  readonly hashes?: readonly FitHash[]
}

/**
 * The bytes of a FIT. Errors: `bad-name`; `bad-reference` for a name twice, or a configuration with an image that is
 * not there or of another type; `does-not-fit` for an address beyond 64 bits or a time beyond 32.
 */
export function writeFit(fit: Fit): Result<Buffer, ImageWriteError> {
  const tree = buildFit(fit)
  return tree.ok ? success(writeDevicetree(tree.value)) : tree
}

/** The tree of a FIT, as `writeFit` writes it. */
export function buildFit(fit: Fit): Result<DeviceTree, ImageWriteError> {
  const mistake = findMistake(fit)
  if (mistake !== undefined) return failure(mistake)
  // One cell where that is enough: older loaders read no more.
  const addresses = fit.images.flatMap((image) => {
    return image.type === 'kernel' ? [image.loadAddress, image.entryPoint] : [image.loadAddress]
  })
  const cells = addresses.some((address) => address >> 32n !== 0n) ? 2 : 1
  const hashes = fit.hashes ?? ['crc32', 'sha256']
  const root: DeviceNode = {
    name: '',
    properties: [
      { name: 'timestamp', value: cellsValue(fit.timeSeconds) },
      { name: 'description', value: stringValue(fit.description) },
      { name: '#address-cells', value: cellsValue(cells) },
    ],
    children: [
      {
        name: 'images',
        properties: [],
        children: fit.images.map((image) => imageNode(image, cells, hashes)),
      },
      {
        name: 'configurations',
        properties: [{ name: 'default', value: stringValue(fit.configurations[0].name) }],
        children: fit.configurations.map(configurationNode),
      },
    ],
  }
  return success({ reservations: [], bootCpuId: 0, root })
}

function findMistake(fit: Fit): ImageWriteError | undefined {
  if (!Number.isInteger(fit.timeSeconds) || fit.timeSeconds < 0 || fit.timeSeconds > 0xffffffff) {
    return { type: 'does-not-fit', message: `the time ${fit.timeSeconds} does not fit into 32 bits` }
  }
  for (const { name, description } of [...fit.images, ...fit.configurations]) {
    if (!isValidName(name)) {
      return {
        type: 'bad-name',
        name,
        message: `${JSON.stringify(name)} cannot be the name of a node in a FIT`,
      }
    }
    if (description.includes('\0'))
      return { type: 'bad-name', name, message: `the description of "${name}" has a zero byte` }
  }
  if (fit.description.includes('\0'))
    return { type: 'bad-name', name: '', message: 'the description has a zero byte' }
  const images = new Map<string, FitImage>()
  for (const image of fit.images) {
    const { name, loadAddress } = image
    if (images.has(name)) return { type: 'bad-reference', name, message: `two images are called "${name}"` }
    images.set(name, image)
    const entryPoint = image.type === 'kernel' ? image.entryPoint : 0n
    if ([loadAddress, entryPoint].some((address) => splitCells(address, 2) === undefined)) {
      return { type: 'does-not-fit', message: `an address of image "${name}" does not fit into 64 bits` }
    }
  }
  const names = new Set<string>()
  for (const configuration of fit.configurations) {
    const { name } = configuration
    if (names.has(name))
      return { type: 'bad-reference', name, message: `two configurations are called "${name}"` }
    names.add(name)
    const wanted = {
      kernel: configuration.kernel,
      flat_dt: configuration.tree,
      ramdisk: configuration.ramdisk,
    }
    for (const [type, reference] of Object.entries(wanted)) {
      if (reference === undefined || images.get(reference)?.type === type) continue
      const message = `configuration "${name}" wants "${reference}", which is no image of type ${type}`
      return { type: 'bad-reference', name: reference, message }
    }
  }
  return undefined
}

function imageNode(image: FitImage, cells: number, hashes: readonly FitHash[]): DeviceNode {
  const address = (name: string, value: bigint): Property => {
    return { name, value: cellsValue(...(splitCells(value, cells) ?? [])) }
  }
  const text = (name: string, value: string): Property => ({ name, value: stringValue(value) })
  return {
    name: image.name,
    properties: [
      text('description', image.description),
      { name: 'data', value: image.data },
      text('type', image.type),
      text('arch', image.architecture),
      ...(image.type === 'flat_dt' ? [] : [text('os', 'linux')]),
      text('compression', image.compression),
      address('load', image.loadAddress),
      ...(image.type === 'kernel' ? [address('entry', image.entryPoint)] : []),
    ],
    children: hashes.map((algorithm, index) => ({
      name: `hash-${index + 1}`,
      properties: [{ name: 'value', value: hash(algorithm, image.data) }, text('algo', algorithm)],
      children: [],
    })),
  }
}

function configurationNode(configuration: FitConfiguration): DeviceNode {
  const references = {
    description: configuration.description,
    kernel: configuration.kernel,
    fdt: configuration.tree,
    ramdisk: configuration.ramdisk,
  }
  const properties = Object.entries(references).flatMap(([name, value]) => {
    return value === undefined ? [] : [{ name, value: stringValue(value) }]
  })
  return { name: configuration.name, properties, children: [] }
}

function hash(algorithm: FitHash, data: Uint8Array): Uint8Array {
  return algorithm === 'crc32' ? cellsValue(crc32(data)) : createHash(algorithm).update(data).digest()
}
