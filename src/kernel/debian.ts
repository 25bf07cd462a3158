import type { Engine } from '../engine/index.ts'
import type { Packages } from '../packages/index.ts'
import type { Kernel } from './kernel.ts'
import { readKernel } from './kernel-archive.ts'
import type { DebianKernel } from './source.ts'

/** Reads a kernel out of Debian's package. */
export async function readDebianKernel(
  engine: Engine,
  packages: Packages,
  source: DebianKernel,
  packageName: string,
): Promise<Kernel> {
  const content = await packages.content(packageName)
  const { name, version, architecture } = content.package
  const files = [...content.files].flatMap(([path, file]) =>
    file.type === 'file'
      ? [[path, { offsetBytes: file.offsetBytes, sizeBytes: file.sizeBytes }] as const]
      : [],
  )
  return readKernel(
    engine,
    { archive: content.data, files: new Map(files) },
    { name: `${name} ${version}`, origin: source.origin, package: { name, version, architecture } },
  )
}
