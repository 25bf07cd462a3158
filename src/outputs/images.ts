import { UserError } from '../diagnostics/index.ts'
import type { Engine, FileArtifact } from '../engine/index.ts'
import {
  buildSquashfs,
  type Content,
  type FileTree,
  type ImageEntries,
  imageEntries,
  readContent,
  writeCpio,
} from '../filetree/index.ts'
import type { Kernel } from '../kernel/index.ts'
import type { AssembledSystem } from '../system/index.ts'

/** The root file system as a squashfs image. */
export function rootImage(engine: Engine, system: AssembledSystem): Promise<FileArtifact> {
  return buildSquashfs(engine, imageEntries(system.rootTree))
}

/**
 * The tree of the initramfs that mounts the root on a disk.
 *
 * @throws UserError where the device has no disk
 */
export function diskInitramfs(system: AssembledSystem): FileTree {
  const { initramfsTree, definition } = system
  if (initramfsTree !== undefined) return initramfsTree
  throw new UserError({
    what: `${definition.device.name} has no initramfs`,
    where: [definition.origin],
    why: 'nothing is known of a disk of this device that a root could be on',
    fix: `choose another output, for example ${definition.device.defaultOutput}`,
  })
}

/** The initramfs, compressed with the best method of ours that the kernel can unpack. */
export function initramfsImage(engine: Engine, system: AssembledSystem): Promise<FileArtifact> {
  return compressedCpio(engine, imageEntries(diskInitramfs(system)), system.kernel)
}

/** A compressed cpio archive, which the kernel unpacks into its first root. */
export async function compressedCpio(
  engine: Engine,
  entries: ImageEntries,
  kernel: Kernel,
): Promise<FileArtifact> {
  const archive = await engine.compute({
    kind: 'function',
    name: 'archive the initramfs',
    function: { id: 'filetree/cpio', version: 1 },
    input: { entries },
    run: (context) => context.put(writeCpio(context, entries)),
  })
  const zstd = kernel.config.get('RD_ZSTD') === 'y'
  const made = await engine.build({
    kind: 'command',
    name: 'compress the initramfs',
    // The kernel's zstd takes windows up to 8 MiB (lib/decompress_unzstd.c); level 19 stays within.
    argv: zstd
      ? ['zstd', '-q', '-19', '--single-thread', '-o', 'initramfs.img', 'initramfs.cpio']
      : ['sh', '-c', 'exec gzip -9 -n < initramfs.cpio > initramfs.img'],
    env: {},
    inputs: { 'initramfs.cpio': archive },
    outputs: ['initramfs.img'],
    tools: zstd ? [] : ['gzip'],
  })
  const image = made['initramfs.img']
  if (image?.kind !== 'file') throw new Error('the compressor left no file')
  return image
}

/** Content as a file of its own in the store. */
export async function contentFile(engine: Engine, name: string, content: Content): Promise<FileArtifact> {
  if (content.type === 'artifact') return content.artifact
  return engine.compute({
    kind: 'function',
    name: `take out ${name}`,
    function: { id: 'outputs/content', version: 1 },
    input: { content },
    run: async (context) => context.put(await readContent(context, content)),
  })
}
