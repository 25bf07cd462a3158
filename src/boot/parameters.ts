/**
 * What a kernel is told on its command line because of where things lie; above all when its device tree is built into it,
 * and no loader can write into that (MIPS Malta): arch/mips/kernel/setup.c and arch/mips/mti-malta/malta-dtshim.c of Linux 6.1.
 */

import { toLoaderAddress } from '../layout/index.ts'
import { type Board, type BootAddresses, type BootParts, loaderRam, rootRegionBytes } from './plan.ts'
import type { KernelProgram } from './program.ts'
import { type BootPlanError, failure, type Result, success } from './result.ts'
import { PHRAM_NAME } from './script.ts'

/**
 * Memory (`memsize=`), the root's part of it (`memmap=SIZE$ADDRESS`) and the initramfs (`rd_start=`, as the kernel sees
 * it, and `rd_size=`). Empty where the kernel is handed a tree.
 */
export function builtInTreeParameters(
  board: Board,
  parts: BootParts,
  addresses: BootAddresses,
): readonly string[] {
  const ram = loaderRam(board)
  if (parts.tree.source !== 'none' || ram === undefined) return []
  const parameters = [`memsize=${ram.end - ram.start}`]
  if (addresses.root !== undefined && parts.rootBytes !== undefined) {
    parameters.push(`memmap=${hex(rootRegionBytes(parts.rootBytes))}$${hex(addresses.root)}`)
  }
  if (addresses.initramfs !== undefined && parts.initramfsBytes !== undefined) {
    const seen = toLoaderAddress(board.loader.addresses, addresses.initramfs) ?? addresses.initramfs
    parameters.push(`rd_start=${hex(seen)}`, `rd_size=${hex(parts.initramfsBytes)}`)
  }
  return parameters
}

/**
 * What keeps a kernel where the plan has it: a relocatable MIPS kernel moves itself to a place drawn at random, clear of
 * nothing but itself (arch/mips/kernel/relocate.c). Error: `wrong-kernel` for one that moves without a choice.
 */
export function stayingParameters(
  program: KernelProgram,
  config: ReadonlyMap<string, string>,
): Result<readonly string[], BootPlanError> {
  const isSet = (symbol: string): boolean => config.get(symbol) === 'y'
  if (program.type !== 'mips' || !isSet('RELOCATABLE')) return success([])
  if (isSet('RANDOMIZE_BASE')) return success(['nokaslr'])
  const message =
    'with CONFIG_RELOCATABLE and without CONFIG_RANDOMIZE_BASE it moves itself to 16 MiB, whatever is there'
  return failure({ type: 'wrong-kernel', message })
}

/** The parameter `phram` of the driver of that name: NAME,START,LENGTH (drivers/mtd/devices/phram.c). */
export function phramParameter(rootAddress: number, rootBytes: number): string {
  return `phram=${PHRAM_NAME},${hex(rootAddress)},${hex(rootRegionBytes(rootBytes))}`
}

function hex(number: number): string {
  return `0x${number.toString(16)}`
}
