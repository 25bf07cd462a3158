import type { Engine } from '../engine/index.ts'
import type { Content } from '../filetree/index.ts'
import { createKmodSource } from '../kmod/index.ts'
import type { PackageContent, Packages } from '../packages/index.ts'
import { parseConfigFile } from './config-file.ts'
import type { Kernel } from './kernel.ts'
import type { DebianKernel } from './source.ts'

type Slice = Extract<Content, { type: 'slice' }>

/**
 * Reads a kernel out of Debian's package: `/boot/vmlinuz-RELEASE`, `/boot/config-RELEASE` and
 * `/lib/modules/RELEASE`. Nothing of it is copied; a module is read when somebody asks for it.
 */
export async function readDebianKernel(
  engine: Engine,
  packages: Packages,
  source: DebianKernel,
  packageName: string,
): Promise<Kernel> {
  const content = await packages.content(packageName)
  const { name, version, architecture } = content.package
  const release = kernelRelease(content)
  const folder = `/usr/lib/modules/${release}`
  const slice = (path: string): Slice => fileContent(content, path)
  const read = async (path: string): Promise<Buffer> => {
    const { offsetBytes, sizeBytes, artifact } = slice(path)
    return engine.read(artifact, { offsetBytes, sizeBytes })
  }
  const config = await read(`/boot/config-${release}`)
  const builtin = await read(`${folder}/modules.builtin`)
  return {
    name: `${name} ${version}`,
    release,
    image: slice(`/boot/vmlinuz-${release}`),
    config: parseConfigFile(config.toString()),
    modules: createKmodSource({
      paths: [...content.files.keys()].flatMap((path) =>
        path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : [],
      ),
      builtin: builtin.toString(),
      builtinModinfo: await read(`${folder}/modules.builtin.modinfo`),
      read: (path) => read(`${folder}/${path}`),
    }),
    moduleContent: (path) => slice(`${folder}/${path}`),
    deviceTrees: deviceTrees(content, `/usr/lib/linux-image-${release}/`),
    package: { name, version, architecture },
    origin: source.origin,
  }
}

function deviceTrees(content: PackageContent, folder: string): ReadonlyMap<string, Slice> {
  const trees = new Map<string, Slice>()
  for (const path of content.files.keys()) {
    if (path.startsWith(folder) && path.endsWith('.dtb')) {
      trees.set(path.slice(folder.length), fileContent(content, path))
    }
  }
  return trees
}

function kernelRelease(content: PackageContent): string {
  for (const path of content.files.keys()) {
    const release = /^\/boot\/vmlinu[xz]-(.+)$/.exec(path)?.[1]
    if (release !== undefined) return release
  }
  throw new Error(`the package ${content.package.name} has no kernel image in /boot`)
}

function fileContent(content: PackageContent, path: string): Slice {
  const file = content.files.get(path)
  if (file?.type !== 'file') throw new Error(`the package ${content.package.name} has no file ${path}`)
  return { type: 'slice', artifact: content.data, offsetBytes: file.offsetBytes, sizeBytes: file.sizeBytes }
}
