/**
 * A device tree appended to the kernel, in one file with it: for loaders that hand no tree over. The kernel takes it
 * before any other (arch/arm/boot/compressed/head.S and arch/mips/kernel/head.S of Linux 6.1).
 */
import type { ReadKernel } from './program.ts'
import { type BootPlanError, failure, type Result, success } from './result.ts'

/** What an ARM kernel with CONFIG_ARM_ATAG_DTB_COMPAT sets apart behind the tree: half as much again, from 32 KiB to 1 MiB. */
const LEAST_WORK_BYTES = 1 << 15
const MOST_WORK_BYTES = 1 << 20
/** The room that a MIPS kernel leaves behind its image (arch/mips/kernel/vmlinux.lds.S). */
const MIPS_ROOM_BYTES = 1 << 20

/**
 * Kernel and tree as one program. Error: `wrong-kernel` for a kernel that looks for none, or has not the room; `config`
 * is its final configuration.
 */
export function appendTree(
  { program, content }: ReadKernel,
  tree: Uint8Array,
  config: ReadonlyMap<string, string>,
): Result<ReadKernel, BootPlanError> {
  const wrong = (message: string) => failure<BootPlanError>({ type: 'wrong-kernel', message })
  const lacks = (symbol: string) =>
    wrong(`it takes no tree that is appended to it (CONFIG_${symbol} is not set)`)
  switch (program.type) {
    case 'zimage': {
      if (config.get('ARM_APPENDED_DTB') !== 'y') return lacks('ARM_APPENDED_DTB')
      // Where the zImage ends by its own word, which is where it looks.
      const kernel = content.subarray(0, program.image.imageSizeBytes)
      const joined = Buffer.concat([kernel, tree])
      const treeWorkBytes = Math.min(
        Math.max(tree.length + (tree.length >> 1) + 8, LEAST_WORK_BYTES),
        MOST_WORK_BYTES,
      )
      return success({
        program: { ...program, sizeBytes: joined.length, treeWorkBytes },
        content: joined,
      })
    }
    case 'mips': {
      if (config.get('MIPS_RAW_APPENDED_DTB') !== 'y') return lacks('MIPS_RAW_APPENDED_DTB')
      if (tree.length > MIPS_ROOM_BYTES)
        return wrong(
          `it has room for ${MIPS_ROOM_BYTES} bytes of a tree behind it, and this one has ${tree.length}`,
        )
      const joined = Buffer.concat([content, tree])
      return success({ program: { ...program, sizeBytes: joined.length }, content: joined })
    }
    case 'arm64-image':
      return wrong('a kernel for arm64 takes no tree that is appended to it')
  }
}
