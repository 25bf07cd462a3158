import { z } from 'zod'
import {
  type BootNetwork,
  PACKINGS,
  type Packing,
  ROOT_TRANSPORTS,
  type RootTransport,
} from '../boot/index.ts'
import { callSite, type Origin } from '../diagnostics/index.ts'
import type { KernelSource } from '../kernel/index.ts'
import { KERNEL_FORMATS, type KernelFormat } from '../uboot/index.ts'
import type { SystemBuilder } from './builder.ts'
import type { Device } from './device.ts'
import { checkOptions } from './feature.ts'

/** Debian releases that systems are made from. */
export type Release = 'bookworm' | 'trixie'

/** What a system file hands to {@link defineSystem}. */
export interface SystemDefinition {
  readonly device: Device
  readonly hostname: string
  /** Debian release that packages (and Debian's kernel) come from; `bookworm` by default. */
  readonly release?: Release
  /** Where the kernel comes from; Debian's own for the device's architecture by default. */
  readonly kernel?: KernelSource
  /**
   * A writable partition for what must outlive a restart (host keys, leases). Without it the root is all there is,
   * and the build says what is lost at power-off.
   */
  readonly state?: { readonly sizeMebibytes: number }
  /** What the output `tftpboot` is to do otherwise than device and kernel suggest. */
  readonly boot?: BootOptions
  /** Says everything else. */
  setup(system: SystemBuilder): void | Promise<void>
}

export interface BootOptions {
  /** How the root travels; by default phram where the kernel has it, else within the initramfs. */
  readonly root?: RootTransport
  readonly format?: KernelFormat
  /**
   * The device tree, of ours, goes behind the kernel in one file with it, and says all that the loader would: memory,
   * initramfs, command line. By default where the loader hands no tree over.
   */
  readonly appendTree?: boolean
  /** What carries the root is transferred so compressed, and expanded by the loader: for slow lines, and a root as a cpio. */
  readonly compressRoot?: Packing
  /** Physical; a multiple of 64 KiB. */
  readonly rootAddress?: number
  readonly network?: Partial<BootNetwork>
}

/** A checked definition, with the place where it was written. */
export interface DefinedSystem extends SystemDefinition {
  readonly kind: 'firmwright-system'
  readonly origin: Origin
}

/** RFC 1123, section 2.1: letters, digits and hyphens, 63 at most, no hyphen at either end. */
export const hostnameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
    'not a host name (letters, digits and inner hyphens)',
  )

const definitionSchema = z.strictObject({
  device: z.looseObject(
    { name: z.string(), architecture: z.string() },
    'no device; import one from firmwright/devices',
  ),
  hostname: hostnameSchema,
  release: z.enum(['bookworm', 'trixie']).optional(),
  kernel: z.looseObject({ type: z.string() }).optional(),
  state: z
    .strictObject({
      sizeMebibytes: z
        .int()
        .min(4)
        .max(1 << 20),
    })
    .optional(),
  boot: z
    .strictObject({
      root: z.enum(ROOT_TRANSPORTS).optional(),
      format: z.enum(KERNEL_FORMATS).optional(),
      appendTree: z.boolean().optional(),
      compressRoot: z.enum(PACKINGS).optional(),
      rootAddress: z.int().min(0).multipleOf(0x10000, 'not a multiple of 64 KiB').optional(),
      network: z
        .strictObject({
          server: z.ipv4().optional(),
          board: z.ipv4().optional(),
          netmask: z.ipv4().optional(),
          gateway: z.ipv4().optional(),
        })
        .optional(),
    })
    .optional(),
  setup: z.custom<SystemDefinition['setup']>((value) => typeof value === 'function', 'not a function'),
})

/**
 * Declares a system; the default export of a system file.
 *
 * @throws UserError when the definition cannot be one.
 */
export function defineSystem(definition: SystemDefinition): DefinedSystem {
  const origin = callSite()
  checkOptions('defineSystem', definitionSchema, definition, origin)
  return { ...definition, kind: 'firmwright-system', origin }
}
