/**
 * A kernel source as artifacts. The tree itself (80,000 files, 1.5 GB) never goes into the store: the store holds the
 * archive, and a step that works on the tree unpacks it for itself, which takes seconds. What is read often, the Kconfig
 * files and Makefiles, is taken out once, as the *outline* of the tree.
 */
import { isAbsolute, join } from 'node:path'
import { type Origin, UserError } from '../diagnostics/index.ts'
import type { Artifact, Engine, FileArtifact } from '../engine/index.ts'
import type { Packages } from '../packages/index.ts'
import type { LinuxSource } from './source.ts'

export interface LinuxTree {
  /** for messages: `linux-source-6.1 6.1.176-1` */
  readonly name: string
  /** the archive; tar finds out how it is compressed */
  readonly archive: FileArtifact
  readonly patches: readonly FileArtifact[]
  readonly origin: Origin
}

/** @param folder that file names of the source are relative to */
export async function openLinuxTree(
  engine: Engine,
  packages: Packages,
  source: LinuxSource,
  folder: string,
): Promise<LinuxTree> {
  const { from, origin } = source
  const inFolder = (path: string): string => (isAbsolute(path) ? path : join(folder, path))
  const file = async (path: string): Promise<FileArtifact> => {
    const artifact = await engine.import(inFolder(path))
    if (artifact.kind !== 'file') throw new UserError({ what: `${path} is a folder`, where: [origin] })
    return artifact
  }
  const patches = await Promise.all(source.patches.map(file))
  if ('package' in from)
    return { ...(await packagedArchive(engine, packages, from.package, origin)), patches, origin }
  const archive = await file(from.tarball)
  if (archive.digest.sha256 !== from.sha256.toLowerCase())
    throw new UserError({
      what: `${from.tarball} is not the archive that the system file names`,
      where: [origin],
      why: `its SHA-256 is ${archive.digest.sha256}`,
      fix: 'fetch it again, or correct sha256',
    })
  return { name: from.tarball, archive, patches, origin }
}

async function packagedArchive(
  engine: Engine,
  packages: Packages,
  name: string,
  origin: Origin,
): Promise<Pick<LinuxTree, 'name' | 'archive'>> {
  const content = await packages.content(name)
  const found = [...content.files.values()].find(({ path }) =>
    /^\/usr\/src\/[^/]+\.tar\.(?:xz|zst|gz)$/.test(path),
  )
  if (found?.type !== 'file')
    throw new UserError({
      what: `the package ${name} has no kernel source`,
      where: [origin],
      why: 'there is no archive in its /usr/src',
      fix: 'name a package like linux-source-6.1',
    })
  const { offsetBytes, sizeBytes } = found
  const archive = await engine.compute({
    kind: 'function',
    name: `take the source out of ${name}`,
    function: { id: 'kernel/source', version: 1 },
    input: { data: content.data, offsetBytes, sizeBytes },
    run: (context) => context.put(slices(context, content.data, offsetBytes, sizeBytes)),
  })
  return { name: `${content.package.name} ${content.package.version}`, archive }
}

const sliceBytes = 1 << 20

async function* slices(
  reader: Pick<Engine, 'read'>,
  artifact: FileArtifact,
  offsetBytes: number,
  sizeBytes: number,
): AsyncIterable<Uint8Array> {
  for (let done = 0; done < sizeBytes; done += sliceBytes)
    yield await reader.read(artifact, {
      offsetBytes: offsetBytes + done,
      sizeBytes: Math.min(sliceBytes, sizeBytes - done),
    })
}

/** What a step that works on the tree starts from; `unpackScript` makes the folder `linux` of it. */
export function treeInputs({ archive, patches }: LinuxTree): Readonly<Record<string, Artifact>> {
  const numbered = patches.map(
    (patch, index) => [`patches/${String(index).padStart(4, '0')}`, patch] as const,
  )
  return { 'source.tar': archive, ...Object.fromEntries(numbered) }
}

export const unpackTools = ['tar', 'xz', 'gzip', 'zstd', 'patch', 'mkdir', 'mv'] as const

/** In the order of the names that `patches` is given; `name` is what messages call each. */
export function unpackScript(names: readonly string[]): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
  const patches = names.map(
    (name, index) =>
      `patch -p1 -s -f --no-backup-if-mismatch -d linux < patches/${String(index).padStart(4, '0')} || { echo error: the patch ${quoted(name)} does not apply; exit 1; }\n`,
  )
  return `mkdir linux\ntar -xf source.tar -C linux --strip-components=1\n${patches.join('')}`
}

/** An archive that is the same for the same files: no owners, no times, in the order of names. */
export const stableTar = 'tar --owner=0 --group=0 --numeric-owner --mtime=@0 --no-recursion --null -T - -cf'

/** The Kconfig files, Makefiles and scripts of a tree, as an archive. */
export async function treeOutline(
  engine: Engine,
  tree: LinuxTree,
  names: readonly string[],
): Promise<FileArtifact> {
  const wanted = [
    "-name 'Kconfig*'",
    "-name 'Makefile*'",
    "-name 'Kbuild*'",
    '-name Platform',
    "-name '*.sh'",
  ]
  const script = `set -eu
${unpackScript(names)}cd linux
find . -type f '(' ${wanted.join(' -o ')} -o -path './scripts/*' ')' -print0 | LC_ALL=C sort -z | ${stableTar} ../outline.tar
`
  const { 'outline.tar': outline } = await engine.build({
    kind: 'command',
    name: `read ${tree.name}`,
    argv: ['sh', '-c', script],
    env: {},
    inputs: treeInputs(tree),
    outputs: ['outline.tar'],
    tools: [...unpackTools, 'find', 'sort'],
  })
  if (outline?.kind !== 'file') throw new Error('tar left no archive')
  return outline
}
