import { z } from 'zod'
import { callSite, type Origin } from '../diagnostics/index.ts'
import type { KernelSource } from '../kernel/index.ts'
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
  /** Says everything else. */
  setup(system: SystemBuilder): void | Promise<void>
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
