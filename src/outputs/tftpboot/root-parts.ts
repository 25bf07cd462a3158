import { PHRAM_NAME, phramParameter, type TransportChoice } from '../../boot/index.ts'
import type { Engine, FileArtifact } from '../../engine/index.ts'
import { type Entry, type FileTree, imageEntries, mergeTrees, writeCpio } from '../../filetree/index.ts'
import type { AssembledSystem } from '../../system/index.ts'
import { compressedCpio, rootImage } from '../images.ts'

/** What carries the root to the kernel. */
export interface RootParts {
  /** A squashfs that stays where it is loaded. */
  readonly root?: FileArtifact
  readonly initramfs?: FileArtifact
  /** What the kernel's command line says of it. */
  readonly parameters: readonly string[]
  /** For the manifest. */
  readonly targets: Readonly<Record<string, FileTree>>
  readonly loadPlans: Readonly<Record<string, readonly string[]>>
}

/** Names in the folder that is served. */
export const ROOT_FILE = 'rootfs.squashfs'
export const INITRAMFS_FILE = 'initramfs.img'
/** Where the initramfs has the root's image. */
const IMAGE_PATH = '/root.squashfs'

/**
 * Builds root and initramfs for a way of travelling. `rootAddress`, physical, is where a root that stays where it was
 * loaded lies.
 */
export async function buildRootParts(
  engine: Engine,
  system: AssembledSystem,
  choice: TransportChoice,
  rootAddress: number,
): Promise<RootParts> {
  switch (choice.transport) {
    case 'phram': {
      const root = await rootImage(engine, system)
      const targets = { [ROOT_FILE]: system.rootTree }
      // A tree that has the memory as a node is all that the driver needs.
      const told = system.definition.device.deviceTree.source === 'built-in'
      const parameter = phramParameter(rootAddress, root.digest.sizeBytes)
      const builtIn = told && system.kernel.config.get('MTD_PHRAM') === 'y' ? [`phram.${parameter}`] : []
      if (choice.direct) {
        const parameters = [...builtIn, 'root=/dev/mtdblock0', 'rootfstype=squashfs', 'ro']
        return { root, parameters, targets, loadPlans: { initramfs: [] } }
      }
      const { tree, plan } = await system.makeInitramfs({
        kmods: ['phram', 'mtdblock', 'squashfs'],
        root: { by: 'mtd-name', name: PHRAM_NAME },
        ...(told ? { parameters: new Map([['phram', [parameter]]]) } : {}),
      })
      return {
        root,
        initramfs: await compressedCpio(engine, imageEntries(tree), system.kernel),
        parameters: builtIn,
        targets: { ...targets, [INITRAMFS_FILE]: tree },
        loadPlans: { initramfs: plan.steps.map(({ path }) => path) },
      }
    }
    case 'initramfs': {
      const root = await rootImage(engine, system)
      const { tree, plan } = await system.makeInitramfs({
        kmods: ['loop', 'squashfs'],
        root: { by: 'file', path: IMAGE_PATH },
      })
      const small = await compressedCpio(engine, imageEntries(tree), system.kernel)
      return {
        initramfs: await withImage(engine, small, root),
        parameters: [],
        targets: { [INITRAMFS_FILE]: tree, [ROOT_FILE]: system.rootTree },
        loadPlans: { initramfs: plan.steps.map(({ path }) => path) },
      }
    }
    case 'cpio': {
      const tree = mergeTrees(system.rootTree, startOfCpio(system))
      return {
        initramfs: await compressedCpio(engine, imageEntries(tree), system.kernel),
        parameters: [],
        targets: { [INITRAMFS_FILE]: tree },
        loadPlans: { initramfs: [] },
      }
    }
  }
}

/** What the kernel wants of a root that it unpacks itself: `/init`, and a console before there is a devtmpfs. */
function startOfCpio(system: AssembledSystem): FileTree {
  const origins = [system.definition.origin]
  return new Map<string, Entry>([
    ['/init', { type: 'symlink', target: 'sbin/init', uid: 0, gid: 0, origins }],
    [
      '/dev/console',
      { type: 'device', kind: 'character', major: 5, minor: 1, mode: 0o600, uid: 0, gid: 0, origins },
    ],
  ])
}

/**
 * The small, compressed initramfs and behind it an archive with the image, which is compressed in itself. The kernel
 * unpacks one archive after the other; each begins at a multiple of four bytes (buffer-format.rst).
 */
function withImage(engine: Engine, small: FileArtifact, image: FileArtifact): Promise<FileArtifact> {
  return engine.compute({
    kind: 'function',
    name: 'put the root into the initramfs',
    function: { id: 'outputs/initramfs-with-image', version: 1 },
    input: { small, image, path: IMAGE_PATH },
    run: async (context) => {
      const first = await context.read(small)
      const parts: Uint8Array[] = [first, new Uint8Array((4 - (first.length % 4)) % 4)]
      const file = { mode: 0o400, uid: 0, gid: 0, content: { type: 'artifact', artifact: image } } as const
      for await (const part of writeCpio(context, [[IMAGE_PATH, { type: 'file', ...file }]])) parts.push(part)
      return context.put(Buffer.concat(parts))
    },
  })
}
