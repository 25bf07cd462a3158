/** How the root comes to the kernel: chosen from the kernel's configuration, or forced. */
import { failure, type Result, success } from './result.ts'

/**
 * Best first:
 *
 * - `phram`: a squashfs stays where it was loaded, memory that the kernel's phram driver makes a flash device of.
 * - `initramfs`: a squashfs within the initramfs, mounted through a loop device.
 * - `cpio`: the initramfs is the root, unpacked into memory.
 */
export const ROOT_TRANSPORTS = ['phram', 'initramfs', 'cpio'] as const
export type RootTransport = (typeof ROOT_TRANSPORTS)[number]

export interface TransportChoice {
  readonly transport: RootTransport
  /**
   * For phram: the kernel mounts the root by itself, without an initramfs that loads drivers or finds the device.
   */
  readonly direct: boolean
  /** A sentence for people. */
  readonly why: string
}

/** A kernel's final configuration, symbol (without `CONFIG_`) to value. */
type Config = ReadonlyMap<string, string>

const NEEDS: Readonly<Record<RootTransport, readonly string[]>> = {
  phram: ['MTD_PHRAM', 'MTD_BLOCK', 'SQUASHFS', 'SQUASHFS_XZ'],
  initramfs: ['BLK_DEV_INITRD', 'BLK_DEV_LOOP', 'SQUASHFS', 'SQUASHFS_XZ'],
  cpio: ['BLK_DEV_INITRD'],
}

/** Drivers that may make the first flash device when they are built in, so that /dev/mtdblock0 is not phram's. */
const OTHER_FLASH =
  /^MTD_(PHYSMAP|SPI_NOR|SPI_NAND|RAW_NAND|NAND_ECC_SW_HAMMING|DATAFLASH|MTDRAM|BLOCK2MTD|SLRAM)$/

/** The first way that the kernel can go, or the one that is asked for. Error: what the kernel lacks. */
export function chooseTransport(
  config: Config,
  forced?: RootTransport,
): Result<TransportChoice, { readonly missing: readonly string[]; readonly message: string }> {
  if (forced !== undefined) {
    const missing = lacking(config, forced)
    if (missing.length === 0) return success(choice(config, forced, 'the system asks for it'))
    const message = `the root cannot travel by ${forced}: the kernel has no ${missing.join(', ')}`
    return failure({ missing, message })
  }
  const reasons: string[] = []
  for (const transport of ROOT_TRANSPORTS) {
    const missing = lacking(config, transport)
    if (missing.length === 0) {
      const why = reasons.length === 0 ? 'the kernel has the phram driver' : `not ${reasons.join(', not ')}`
      return success(choice(config, transport, why))
    }
    reasons.push(`${transport}: the kernel has no ${missing.join(', ')}`)
  }
  const missing = lacking(config, 'cpio')
  return failure({ missing, message: `the root cannot travel at all; ${reasons.join('; ')}` })
}

function lacking(config: Config, transport: RootTransport): readonly string[] {
  return NEEDS[transport]
    .filter((symbol) => !['y', 'm'].includes(config.get(symbol) ?? 'n'))
    .map((symbol) => `CONFIG_${symbol}`)
}

function choice(config: Config, transport: RootTransport, why: string): TransportChoice {
  // Without a devtmpfs from the start, init would have no console.
  const builtIn = [...NEEDS[transport], 'DEVTMPFS_MOUNT'].every((symbol) => config.get(symbol) === 'y')
  const alone = ![...config].some(([symbol, value]) => value === 'y' && OTHER_FLASH.test(symbol))
  return { transport, direct: transport === 'phram' && builtIn && alone, why }
}
