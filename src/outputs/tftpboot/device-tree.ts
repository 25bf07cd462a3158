import { PHRAM_NAME, rootRegionBytes } from '../../boot/index.ts'
import {
  cellsValue,
  type DeviceTree,
  ensureNode,
  reservedMemory,
  reserveMemory,
  safeNumber,
  setProperty,
  stringValue,
  writeDevicetree,
} from '../../devicetree/index.ts'
import type { FixedRegion } from '../../layout/index.ts'
import { treeFailure } from '../../system/index.ts'

/** Name in the folder that is served. */
export const TREE_FILE = 'board.dtb'

/** The tree with the root's memory set apart, for the kernel's phram driver to make a flash device of. */
export function withPhram(tree: DeviceTree, address: number, rootBytes: number): DeviceTree {
  const reserved = reserveMemory(tree, {
    name: PHRAM_NAME,
    address: BigInt(address),
    sizeBytes: BigInt(rootRegionBytes(rootBytes)),
    compatible: 'phram',
    noMap: true,
  })
  if (!reserved.ok) throw treeFailure(reserved.error.message)
  // The name of the flash device (mtd_set_of_node in drivers/mtd/mtdcore.c).
  const path = `/reserved-memory/${PHRAM_NAME}@${address.toString(16)}`
  const labelled = setProperty(reserved.value, path, 'label', stringValue(PHRAM_NAME))
  if (!labelled.ok) throw treeFailure(labelled.error.message)
  return labelled.value
}

/** The tree with what a loader would write into it: the command line, and where the initramfs is (physical). */
export function withChosen(
  tree: DeviceTree,
  commandLine: string,
  initramfs: { readonly address: number; readonly sizeBytes: number } | undefined,
): DeviceTree {
  let current = tree
  const take = (edited: ReturnType<typeof setProperty>): void => {
    if (!edited.ok) throw treeFailure(edited.error.message)
    current = edited.value
  }
  take(ensureNode(current, '/chosen'))
  take(setProperty(current, '/chosen', 'bootargs', stringValue(commandLine)))
  if (initramfs === undefined) return current
  // Of any number of cells (early_init_dt_check_for_initrd in drivers/of/fdt.c).
  const cells = (address: number) => cellsValue(Math.floor(address / 2 ** 32), address % 2 ** 32)
  const { address, sizeBytes } = initramfs
  take(setProperty(current, '/chosen', 'linux,initrd-start', cells(address)))
  take(setProperty(current, '/chosen', 'linux,initrd-end', cells(address + sizeBytes)))
  return current
}

/** What the tree itself keeps out of use, in RAM or not: nothing of ours may lie there. */
export function reservedRegions(tree: DeviceTree): readonly FixedRegion[] {
  const reserved = reservedMemory(tree)
  if (!reserved.ok) throw treeFailure(reserved.error.message)
  return reserved.value.flatMap((memory): FixedRegion[] => {
    // The kernel finds a place for those without an address, clear of what it has been given.
    if (memory.type === 'dynamic') return []
    const [address, sizeBytes] = [safeNumber(memory.address), safeNumber(memory.sizeBytes)]
    if (address === undefined || sizeBytes === undefined) return []
    const name = memory.type === 'static' ? memory.path.replace(/^.*\//, '') : 'memory reservation'
    return [{ name, address, sizeBytes, reserved: true }]
  })
}

/** As short as it can be: U-Boot makes its own room. */
export function treeBytes(tree: DeviceTree): Buffer {
  return writeDevicetree(tree)
}
