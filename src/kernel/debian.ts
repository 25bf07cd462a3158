import { UserError } from '../diagnostics/index.ts'
import type { Engine } from '../engine/index.ts'
import type { Content } from '../filetree/index.ts'
import { createKmodSource, parseSymvers } from '../kmod/index.ts'
import type { PackageContent, Packages } from '../packages/index.ts'
import { parseConfigFile } from './config-file.ts'
import type { Kernel } from './kernel.ts'
import { type DebianKernel, kernelHeadersPackage } from './source.ts'

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
  const symvers = await symversOf(packages, packageName, { name, release, source })
  const config = await read(`/boot/config-${release}`)
  const builtin = await read(`${folder}/modules.builtin`)
  return {
    name: `${name} ${version}`,
    release,
    image: slice(`/boot/vmlinuz-${release}`),
    configFile: slice(`/boot/config-${release}`),
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
    ...(symvers === undefined
      ? {}
      : {
          symvers: {
            content: symvers,
            read: async () => parseSymvers((await engine.read(symvers.artifact, symvers)).toString()),
          },
        }),
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

/** Module.symvers, out of the headers package. */
async function symversOf(
  packages: Packages,
  imagePackage: string,
  image: { readonly name: string; readonly release: string; readonly source: DebianKernel },
): Promise<Slice | undefined> {
  const headersPackage = kernelHeadersPackage(imagePackage)
  if (headersPackage === undefined) return undefined
  const headers = await packages.content(headersPackage)
  const path = `/usr/src/linux-headers-${image.release}/Module.symvers`
  if (headers.files.has(path)) return fileContent(headers, path)
  throw new UserError({
    what: `${headers.package.name} does not belong to ${image.name}`,
    where: [image.source.origin],
    why: `it has no ${path}, against which modules are proved to load`,
    fix: 'run `firmwright update`, which pins both anew',
  })
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
