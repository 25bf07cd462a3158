import { z } from 'zod'
import { callSite, type Origin, UserError } from '../diagnostics/index.ts'
import type { OutOfTreeKmods } from './out-of-tree.ts'

/** Debian's prebuilt kernel. */
export interface DebianKernel {
  readonly type: 'debian'
  /** Package; the architecture's own metapackage by default (`linux-image-arm64`, `linux-image-amd64`, …). */
  readonly package?: string
  /** Package of its source: with it a refusal says which symbols a module takes that this kernel was built without. */
  readonly source?: string
  readonly origin: Origin
}

/** A kernel that is built for the system, with the modules that the system uses and no others. */
export interface LinuxSource {
  readonly type: 'linux-source'
  readonly from: SourcePlace
  /** files for `patch -p1`, in order; relative to the system file's folder */
  readonly patches: readonly string[]
  /** sources of further modules, built after the kernel's own, in order */
  readonly kmods: readonly OutOfTreeKmods[]
  /** private key and certificate, PEM, that modules are signed with; relative to the system file's folder */
  readonly signingKey?: string | undefined
  /** 64 hexadecimal digits, by which structures are laid out where CONFIG_RANDSTRUCT has that done */
  readonly randstructSeed?: string | undefined
  readonly origin: Origin
}

/** Where a source comes from. Files and folders are relative to the system file's folder. */
export type SourcePlace =
  /** a package of Debian's with a tarball in /usr/src: `linux-source-6.1` */
  | { readonly package: string }
  /** an archive with one top folder, as kernel.org has them, and what it must be */
  | { readonly tarball: string; readonly sha256: string }
  /** a folder in which nothing has been built; it is read at every build, to see what has changed */
  | { readonly directory: string }

/** Where a system's kernel comes from. */
export type KernelSource = DebianKernel | LinuxSource

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

export interface LinuxSourceOptions {
  readonly patches?: readonly string[]
  readonly kmods?: readonly OutOfTreeKmods[]
  readonly signingKey?: string
  readonly randstructSeed?: string
}

/**
 * A kernel built from source, with just what the system asks for: from the kernel modules that features name,
 * Firmwright finds the symbols, from those a configuration, and builds image and modules in one go.
 *
 *     kernel: linuxSource({ package: 'linux-source-6.1' })
 *     kernel: linuxSource({ tarball: 'linux-6.12.tar.xz', sha256: '…' }, { patches: ['fix.patch'] })
 *
 * With a `signingKey` all modules are signed; whether the kernel takes others too, CONFIG_MODULE_SIG_FORCE decides. The
 * key is copied into the cache folder, as everything that a build reads.
 */
export function linuxSource(from: SourcePlace, options: LinuxSourceOptions = {}): LinuxSource {
  const origin = callSite()
  const { kmods = [], ...rest } = options
  const checked = sourceSchema.safeParse({ from, ...rest })
  if (!checked.success)
    throw new UserError({
      what: 'linuxSource was told something that it does not know',
      where: [origin],
      why: z.prettifyError(checked.error),
      fix: "write linuxSource({ package: 'linux-source-6.1' }), ({ tarball, sha256 }) or ({ directory })",
    })
  return { type: 'linux-source', ...checked.data, kmods, origin }
}

/**
 * Kernel modules from a source outside the kernel's tree, such as a vendor's driver, built against the kernel that they
 * ship with and checked as its own modules are. A module is named like any other where it is wanted.
 *
 *     linuxSource({ package: 'linux-source-6.1' }, { kmods: [kmodSource({ directory: 'driver', modules: ['vendor_wifi'] })] })
 *
 * @param options `directory`: what make is given as `M=`; `modules`: names of the modules that it builds at its top;
 *   `variables`: what its Makefile wants to be told. What it needs of the kernel's configuration is asked for with
 *   `system.kernel.require`.
 */
export function kmodSource(options: {
  readonly directory: string
  readonly modules: readonly string[]
  readonly variables?: Readonly<Record<string, string>>
}): OutOfTreeKmods {
  const origin = callSite()
  const checked = kmodSchema.safeParse(options)
  if (!checked.success)
    throw new UserError({
      what: 'kmodSource was not told what to build',
      where: [origin],
      why: z.prettifyError(checked.error),
      fix: "write kmodSource({ directory: 'driver', modules: ['vendor_wifi'] })",
    })
  return { ...checked.data, origin }
}

const kmodSchema = z.strictObject({
  directory: z.string().min(1),
  modules: z.array(z.string().regex(/^[A-Za-z0-9_-]+$/, 'a name without folder and .ko')).min(1),
  variables: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).default({}),
})

const sourceSchema = z.strictObject({
  from: z.union([
    z.strictObject({ package: z.string().min(1) }),
    z.strictObject({
      tarball: z.string().min(1),
      sha256: z.string().regex(/^[0-9a-fA-F]{64}$/, 'a SHA-256 has 64 hexadecimal digits'),
    }),
    z.strictObject({ directory: z.string().min(1) }),
  ]),
  patches: z.array(z.string().min(1)).default([]),
  signingKey: z.string().min(1).optional(),
  randstructSeed: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'a seed has 64 hexadecimal digits')
    .optional(),
})

/** Debian's metapackage for the newest kernel of an architecture. */
export function defaultKernelPackage(architecture: string): string {
  const flavours: Readonly<Record<string, string>> = { armhf: 'armmp', mipsel: '4kc-malta' }
  return `linux-image-${flavours[architecture] ?? architecture}`
}
