import { UserError } from '../diagnostics/index.ts'
import type { Engine } from '../engine/index.ts'
import type { PackageContent, Packages } from '../packages/index.ts'
import type { Kernel } from './kernel.ts'
import { type KernelFiles, readKernel, type Slice } from './kernel-archive.ts'
import { type DebianKernel, kernelHeadersPackage } from './source.ts'
import { explainedBySource } from './why-no-module.ts'

/** Reads a kernel out of Debian's package, and what it exports out of the package of its headers. */
export async function readDebianKernel(
  engine: Engine,
  packages: Packages,
  source: DebianKernel,
  packageName: string,
): Promise<Kernel> {
  const content = await packages.content(packageName)
  const { name, version, architecture } = content.package
  const kernel = await readKernel(engine, filesOf(content), {
    name: `${name} ${version}`,
    origin: source.origin,
    package: { name, version, architecture },
    symvers: (release) => symversOf(packages, packageName, { name, release, source }),
  })
  if (source.source === undefined) return kernel
  const from = { package: source.source, origin: source.origin }
  return { ...kernel, whyNoModule: explainedBySource(engine, packages, kernel, from) }
}

function filesOf({ data, files }: PackageContent): KernelFiles {
  const ranges = [...files].flatMap(([path, file]) =>
    file.type === 'file'
      ? [[path, { offsetBytes: file.offsetBytes, sizeBytes: file.sizeBytes }] as const]
      : [],
  )
  return { archive: data, files: new Map(ranges) }
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
  const { archive, files } = filesOf(headers)
  const range = files.get(path)
  if (range !== undefined) return { type: 'slice', artifact: archive, ...range }
  throw new UserError({
    what: `${headers.package.name} does not belong to ${image.name}`,
    where: [image.source.origin],
    why: `it has no ${path}, against which modules are proved to load`,
    fix: 'run `firmwright update`, which pins both anew',
  })
}
