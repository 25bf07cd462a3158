import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../src/diagnostics/index.ts'
import { type MaterialPackage, unpackedPackage } from '../../test/material.ts'

/** Debian's kernels against which everything about modules is judged: the last two are compressed with xz. */
export const kernels: readonly MaterialPackage[] = [
  { release: 'bookworm', architecture: 'arm64', package: 'linux-image-arm64' },
  { release: 'bookworm', architecture: 'armhf', package: 'linux-image-armmp' },
  { release: 'bookworm', architecture: 'amd64', package: 'linux-image-amd64' },
  { release: 'bookworm', architecture: 'mipsel', package: 'linux-image-4kc-malta' },
  { release: 'trixie', architecture: 'arm64', package: 'linux-image-arm64' },
  { release: 'trixie', architecture: 'amd64', package: 'linux-image-amd64' },
]

export interface Fetched<Kernel> {
  readonly found: readonly Kernel[]
  /** Those that cannot be had here, and why: a mirror in the middle of a change. */
  readonly notJudged: readonly string[]
}

/** The kernels whose packages can be fetched. */
export async function fetchable<Kernel extends MaterialPackage>(
  wanted: readonly Kernel[],
  progress: (text: string) => void,
): Promise<Fetched<Kernel>> {
  const found: Kernel[] = []
  const notJudged: string[] = []
  for (const kernel of wanted) {
    try {
      await unpackedPackage(kernel)
      found.push(kernel)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      const why = `${kernel.package} of ${kernel.release} (${error.diagnostics.map(({ what }) => what).join('; ')})`
      progress(`not judged: ${why}`)
      notJudged.push(why)
    }
  }
  if (found.length === 0) throw new Error(`no kernel can be fetched: ${notJudged.join(', ')}`)
  return { found, notJudged }
}

/** A kernel's modules twice: as Debian ships them, and in a tree that depmod indexed, for modprobe. */
export interface IndexedKernel {
  /** For tables: `6.1.0-50-arm64`. */
  readonly version: string
  /** Debian's `lib/modules/VERSION`, without any index. */
  readonly folder: string
  /** What modprobe takes as `-d`. */
  readonly root: string
  readonly indexedFolder: string
}

export async function indexedKernel(kernel: MaterialPackage, scratch: string): Promise<IndexedKernel> {
  const folder = await modulesFolder(kernel)
  const version = folder.slice(folder.lastIndexOf('/') + 1)
  const root = join(scratch, version)
  const indexedFolder = join(root, 'lib/modules', version)
  mkdirSync(indexedFolder, { recursive: true })
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) symlinkSync(join(folder, entry.name), join(indexedFolder, entry.name))
    else if (entry.isFile()) copyFileSync(join(folder, entry.name), join(indexedFolder, entry.name))
  }
  execFileSync('depmod', ['-b', root, version], { stdio: ['ignore', 'ignore', 'inherit'] })
  return { version, folder, root, indexedFolder }
}

/** Debian's `lib/modules/VERSION`. */
export async function modulesFolder(kernel: MaterialPackage): Promise<string> {
  const unpacked = await unpackedPackage(kernel)
  for (const place of ['usr/lib/modules', 'lib/modules']) {
    const [version] = existsSync(join(unpacked, place)) ? readdirSync(join(unpacked, place)) : []
    if (version !== undefined) return join(unpacked, place, version)
  }
  throw new Error(`no kernel modules in ${unpacked}`)
}
