import {
  type BootAddresses,
  FIT_CONFIGURATION,
  type KernelProgram,
  programArchitecture,
} from '../../boot/index.ts'
import type { Engine, FileArtifact } from '../../engine/index.ts'
import { imageTimeSeconds } from '../../filetree/index.ts'
import { toLoaderAddress } from '../../layout/index.ts'
import {
  type Compression,
  type FitImage,
  type KernelFormat,
  type Loader,
  withLzmaSize,
  writeFit,
  writeLegacyImage,
} from '../../uboot/index.ts'
import { compress } from './compress.ts'

/** A kernel's program, compressed as its format wants it: what is left is to wrap it, when addresses are known. */
export interface PackedKernel {
  readonly format: KernelFormat
  readonly program: KernelProgram
  readonly compression: Compression
  readonly data: FileArtifact
}

/** Name of the kernel's file in the folder that is served; with a device tree appended, as makers of firmware call it. */
export function kernelFileName(format: KernelFormat, withTree: boolean): string {
  return `${baseName(format)}${withTree ? '-dtb' : ''}`
}

function baseName(format: KernelFormat): string {
  switch (format) {
    case 'image':
      return 'Image'
    case 'image-compressed':
      return 'Image.gz'
    case 'zimage':
      return 'zImage'
    case 'uimage-none':
    case 'uimage-gzip':
    case 'uimage-lzma':
      return 'uImage'
    case 'fit':
      return 'image.fit'
  }
}

export async function packKernel(
  engine: Engine,
  format: KernelFormat,
  program: KernelProgram,
  image: FileArtifact,
): Promise<PackedKernel> {
  const compression = compressionOf(format, program)
  const data = compression === 'none' ? image : await compress(engine, 'the kernel', image, compression)
  if (compression !== 'lzma') return { format, program, compression, data }
  // An old vendor's bootm refuses a stream that does not say how long it will be.
  const sized = withLzmaSize(await engine.read(data), image.digest.sizeBytes)
  if (!sized.ok) throw new Error(sized.error.message)
  return { format, program, compression, data: await engine.put(sized.value) }
}

function compressionOf(format: KernelFormat, program: KernelProgram): 'none' | 'gzip' | 'lzma' {
  switch (format) {
    case 'image':
    case 'zimage':
    case 'uimage-none':
      return 'none'
    case 'image-compressed':
    case 'uimage-gzip':
      return 'gzip'
    case 'uimage-lzma':
      return 'lzma'
    case 'fit':
      // A zImage is compressed already.
      return program.type === 'zimage' ? 'none' : 'gzip'
  }
}

export interface KernelFileRequest {
  readonly kernel: PackedKernel
  readonly loader: Loader
  /** For people: what is in it. */
  readonly name: string
  readonly addresses: BootAddresses
  /** What a FIT takes in. */
  readonly initramfs?: FileArtifact
  readonly tree?: Uint8Array
}

/** The bytes that are transferred: a uImage or a FIT has addresses in it, and the same length whatever they are. */
export async function wrapKernel(engine: Engine, request: KernelFileRequest): Promise<Uint8Array> {
  const { kernel, addresses, name } = request
  const data = await engine.read(kernel.data)
  const { compression, format } = kernel
  if (format === 'image' || format === 'image-compressed' || format === 'zimage') return data
  const architecture = programArchitecture(kernel.program)
  const start = loaderAddress(request.loader, addresses.kernelStart)
  const entryPoint = loaderAddress(request.loader, addresses.entryPoint)
  const about = { name: 'kernel', description: name, architecture, compression, data }
  const written =
    format === 'fit'
      ? writeFit({
          description: name,
          timeSeconds: imageTimeSeconds,
          images: [
            { ...about, type: 'kernel', loadAddress: BigInt(start), entryPoint: BigInt(entryPoint) },
            ...(await companions(engine, request)),
          ],
          configurations: [
            {
              name: FIT_CONFIGURATION,
              description: name,
              kernel: 'kernel',
              ...(request.tree === undefined ? {} : { tree: 'tree' }),
              ...(request.initramfs === undefined ? {} : { ramdisk: 'initramfs' }),
            },
          ],
        })
      : writeLegacyImage({
          ...about,
          name: name.slice(0, 32),
          type: 'kernel',
          operatingSystem: 'linux',
          loadAddress: start,
          entryPoint,
          timeSeconds: imageTimeSeconds,
        })
  if (!written.ok) throw new Error(written.error.message)
  return written.value
}

/** The initramfs as a legacy image, with a header of 64 bytes before it. */
export async function wrapInitramfs(
  engine: Engine,
  program: KernelProgram,
  initramfs: FileArtifact,
): Promise<FileArtifact> {
  const written = writeLegacyImage({
    type: 'ramdisk',
    architecture: programArchitecture(program),
    operatingSystem: 'linux',
    // The kernel unpacks it.
    compression: 'none',
    loadAddress: 0,
    entryPoint: 0,
    name: 'initramfs',
    timeSeconds: imageTimeSeconds,
    data: await engine.read(initramfs),
  })
  if (!written.ok) throw new Error(written.error.message)
  return engine.put(written.value)
}

/** What lies in a FIT beside the kernel, each with the address that the plan has for it. */
async function companions(engine: Engine, request: KernelFileRequest): Promise<readonly FitImage[]> {
  const { addresses, loader, tree, initramfs } = request
  const architecture = programArchitecture(request.kernel.program)
  const at = (address: number | undefined): bigint => BigInt(loaderAddress(loader, address ?? 0))
  const images: FitImage[] = []
  if (tree !== undefined) {
    images.push({
      type: 'flat_dt',
      name: 'tree',
      description: 'device tree',
      architecture,
      compression: 'none',
      loadAddress: at(addresses.tree),
      data: tree,
    })
  }
  if (initramfs !== undefined) {
    images.push({
      type: 'ramdisk',
      name: 'initramfs',
      description: 'initial file system',
      architecture,
      compression: 'none',
      loadAddress: at(addresses.initramfs),
      data: await engine.read(initramfs),
    })
  }
  return images
}

function loaderAddress(loader: Loader, physical: number): number {
  const address = toLoaderAddress(loader.addresses, physical)
  if (address === undefined) throw new Error(`the loader cannot see 0x${physical.toString(16)}`)
  return address
}
