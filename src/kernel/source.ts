import { callSite, type Origin } from '../diagnostics/index.ts'

/** Debian's prebuilt kernel. */
export interface DebianKernel {
  readonly type: 'debian'
  /** Package; the architecture's own metapackage by default (`linux-image-arm64`, `linux-image-amd64`, …). */
  readonly package?: string
  readonly origin: Origin
}

/** Where a system's kernel comes from. */
export type KernelSource = DebianKernel

/**
 * Debian's prebuilt kernel: image, configuration and modules as Debian made them. Its drivers are modules nearly all,
 * so that systems with it boot through an initramfs.
 */
export function debianKernel(options: { readonly package?: string } = {}): DebianKernel {
  return { type: 'debian', ...options, origin: callSite() }
}

/** The package that has the Module.symvers of a kernel of Debian's; it stands beside the image under the same release. */
export function kernelHeadersPackage(imagePackage: string): string | undefined {
  const flavour = /^linux-image-(.+?)(-unsigned)?$/.exec(imagePackage)?.[1]
  return flavour === undefined ? undefined : `linux-headers-${flavour}`
}

/** Debian's metapackage for the newest kernel of an architecture. */
export function defaultKernelPackage(architecture: string): string {
  const flavours: Readonly<Record<string, string>> = { armhf: 'armmp', mipsel: '4kc-malta' }
  return `linux-image-${flavours[architecture] ?? architecture}`
}
