import type { Engine, FileArtifact } from '../engine/index.ts'
import type { Content } from '../filetree/index.ts'
import { createKmodSource, parseSymvers } from '../kmod/index.ts'
import { readTar } from '../packages/index.ts'
import { parseConfigFile } from './config-file.ts'
import type { Kernel } from './kernel.ts'

/** A file that lies in an archive. */
export type Slice = Extract<Content, { type: 'slice' }>

/** Where the bytes of a file lie in an archive. */
interface Range {
  readonly offsetBytes: number
  readonly sizeBytes: number
}

/** Files of a kernel by absolute path, laid out as Debian's packages are. */
export interface KernelFiles {
  readonly archive: FileArtifact
  readonly files: ReadonlyMap<string, Range>
}

/** What is known of a kernel from elsewhere. */
export interface AboutKernel extends Pick<Kernel, 'name' | 'origin' | 'package'> {
  /** Finds its Module.symvers where that is not beside the modules. */
  readonly symvers?: (release: string) => Promise<Slice | undefined>
}

/**
 * The kernel in an archive: `/boot/vmlinuz-RELEASE`, `/boot/config-RELEASE` and `/usr/lib/modules/RELEASE`. Nothing of
 * it is copied; a module is read when somebody asks for it.
 */
export async function readKernel(
  engine: Engine,
  { archive, files }: KernelFiles,
  { symvers: findSymvers, ...about }: AboutKernel,
): Promise<Kernel> {
  const slice = (path: string): Slice => {
    const range = files.get(path)
    if (range === undefined) throw new Error(`${about.name} has no file ${path}`)
    return { type: 'slice', artifact: archive, ...range }
  }
  const read = (path: string): Promise<Buffer> => {
    const { offsetBytes, sizeBytes } = slice(path)
    return engine.read(archive, { offsetBytes, sizeBytes })
  }
  const image = [...files.keys()].find((path) => /^\/boot\/vmlinu[xz]-/.test(path))
  if (image === undefined) throw new Error(`${about.name} has no kernel image in /boot`)
  const release = image.replace(/^\/boot\/vmlinu[xz]-/, '')
  const folder = `/usr/lib/modules/${release}`
  const beside = `${folder}/Module.symvers`
  const symvers = files.has(beside) ? slice(beside) : await findSymvers?.(release)
  return {
    ...about,
    release,
    image: slice(image),
    configFile: slice(`/boot/config-${release}`),
    config: parseConfigFile((await read(`/boot/config-${release}`)).toString()),
    modules: createKmodSource({
      paths: [...files.keys()].flatMap((path) =>
        path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : [],
      ),
      builtin: (await read(`${folder}/modules.builtin`)).toString(),
      builtinModinfo: await read(`${folder}/modules.builtin.modinfo`),
      read: (path) => read(`${folder}/${path}`),
    }),
    moduleContent: (path) => slice(`${folder}/${path}`),
    deviceTrees: deviceTrees(`/usr/lib/linux-image-${release}/`, files, slice),
    ...(symvers === undefined
      ? {}
      : {
          symvers: {
            content: symvers,
            read: async () => parseSymvers((await engine.read(symvers.artifact, symvers)).toString()),
          },
        }),
  }
}

function deviceTrees(
  folder: string,
  files: ReadonlyMap<string, Range>,
  slice: (path: string) => Slice,
): ReadonlyMap<string, Slice> {
  const paths = [...files.keys()].filter((path) => path.startsWith(folder) && path.endsWith('.dtb'))
  return new Map(paths.map((path) => [path.slice(folder.length), slice(path)]))
}

/** What is in an archive that a build has left. */
export async function listKernelArchive(engine: Engine, archive: FileArtifact): Promise<KernelFiles> {
  const files = await engine.compute<readonly (readonly [string, Range])[]>({
    kind: 'function',
    name: 'look into the kernel',
    function: { id: 'kernel/archive', version: 1 },
    input: { archive },
    run: async (context) => {
      const total = archive.digest.sizeBytes
      const tar = await readTar((offsetBytes, sizeBytes) => {
        const left = Math.max(0, total - offsetBytes)
        return context.read(archive, { offsetBytes, sizeBytes: Math.min(sizeBytes, left) })
      }, total)
      if (!tar.ok) throw new Error(`the archive of the kernel: ${tar.error.message}`)
      return tar.members.flatMap(({ type, name, offsetBytes, sizeBytes }) =>
        type === 'file' ? [[name.replace(/^\.?\//, '/'), { offsetBytes, sizeBytes }] as const] : [],
      )
    },
  })
  return { archive, files: new Map(files) }
}
