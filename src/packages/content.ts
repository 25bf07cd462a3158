import { posix } from 'node:path'
import { UserError } from '../diagnostics/index.ts'
import { readElf } from '../elf/index.ts'
import type { Engine, FileArtifact, FunctionContext } from '../engine/index.ts'
import { canonicalPath } from '../filetree/index.ts'
import { debArtifact } from './fetch.ts'
import type { PinnedPackage } from './lock.ts'
import { readTar, type TarMember } from './tar.ts'

/**
 * What is in a package. Nothing is unpacked: the package's data.tar lies in the store as one file, and a file of
 * the package is a range of it.
 */
export interface PackageContent {
  readonly package: PinnedPackage
  /** The uncompressed data.tar. */
  readonly data: FileArtifact
  /** By canonical path (usr-merged, absolute). */
  readonly files: ReadonlyMap<string, PackageFile>
}

/** One name in a package. */
export type PackageFile = {
  readonly path: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
} & (
  | {
      readonly type: 'file'
      /** Range of the data.tar. Two names of one file (hard links) have the same. */
      readonly offsetBytes: number
      readonly sizeBytes: number
      /** What the file needs to be run, where it is known from its first bytes. */
      readonly elf?: ElfFacts
      readonly shebang?: Shebang
    }
  | { readonly type: 'directory' }
  | { readonly type: 'symlink'; readonly target: string }
  | {
      readonly type: 'device'
      readonly kind: 'character' | 'block'
      readonly major: number
      readonly minor: number
    }
)

/** What the dynamic loader is told by an ELF file. */
export interface ElfFacts {
  readonly class: number
  readonly machine: number
  readonly interpreter?: string
  readonly needed: readonly string[]
  readonly rpath: readonly string[]
  readonly runpath: readonly string[]
}

/** The `#!` line of a script (execve(2), "Interpreter scripts"). */
export interface Shebang {
  readonly interpreter: string
  readonly argument?: string
}

/**
 * What is in a package. Both steps are cached by the engine, together: of a package whose content is known, not even
 * the `.deb` is needed.
 *
 * @param fetched awaited before the `.deb` is read
 * @throws UserError when the package is malformed
 */
export async function readContent(
  engine: Engine,
  pin: PinnedPackage,
  fetched: () => Promise<void>,
): Promise<PackageContent> {
  const index = await engine.compute<PackageIndex>({
    kind: 'function',
    name: `read ${pin.name}`,
    function: { id: 'packages.content', version: 1 },
    input: { sha256: pin.sha256, sizeBytes: pin.sizeBytes },
    run: async (context) => {
      await fetched()
      const data = await unpack(engine, pin)
      return { data, ...(await indexData(context, data)) }
    },
  })
  if (index.problem !== undefined) {
    throw new UserError({
      what: `the package ${pin.name} ${pin.version} (${pin.architecture}) is malformed: ${index.problem}`,
      why: 'its SHA-256 is the pinned one, so it was made like this',
    })
  }
  return { package: pin, data: index.data, files: new Map(index.files.map((file) => [file.path, file])) }
}

interface DataIndex {
  /** In the order of their paths. */
  readonly files: readonly PackageFile[]
  /** Why the package cannot be used. */
  readonly problem?: string
}

interface PackageIndex extends DataIndex {
  readonly data: FileArtifact
}

/** The uncompressed data.tar of a `.deb` (deb(5)). */
async function unpack(engine: Engine, pin: PinnedPackage): Promise<FileArtifact> {
  const outputs = await engine.build({
    kind: 'command',
    name: `unpack ${pin.name}`,
    argv: ['sh', '-c', 'exec dpkg-deb --fsys-tarfile package.deb > data.tar'],
    env: {},
    inputs: { 'package.deb': debArtifact(pin) },
    outputs: ['data.tar'],
    tools: ['dpkg-deb'],
  })
  const data = outputs['data.tar']
  if (data?.kind !== 'file') throw new Error('dpkg-deb left no data.tar')
  return data
}

/** Below these lies nothing that a program loads; kernel modules are thousands of ELF files. */
const noPrograms = /^\/(boot|usr\/share|usr\/lib\/(modules|debug|firmware|linux-image-[^/]*))\//

/** Walks a data.tar into the files of a package, in the order of their paths. */
export async function indexData(
  context: Pick<FunctionContext, 'read'>,
  data: FileArtifact,
): Promise<DataIndex> {
  const readAt = (offsetBytes: number, sizeBytes: number) => context.read(data, { offsetBytes, sizeBytes })
  const tar = await readTar(readAt, data.digest.sizeBytes)
  if (!tar.ok) return { files: [], problem: `its data.tar: ${tar.error.message}` }
  const files = new Map<string, PackageFile>()
  for (const member of tar.members) {
    const named = namePath(member)
    if (typeof named === 'object') return { files: [], problem: named.problem }
    if (named === '/') continue
    const file = await describe(readAt, files, member, named)
    if ('problem' in file) return { files: [], problem: file.problem }
    files.set(named, file)
  }
  return { files: [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1)) }
}

/** The canonical path of a member. What would escape the root, or hide what it is called, is refused. */
function namePath(member: TarMember): string | { readonly problem: string } {
  const { name } = member
  const quoted = JSON.stringify(name)
  if (name === '') return { problem: 'a member without a name' }
  if (name.startsWith('/')) return { problem: `the member ${quoted} has an absolute name` }
  if (name.split('/').includes('..')) return { problem: `the member ${quoted} has .. in its name` }
  if (name.includes('\0')) return { problem: `the member ${quoted} has a NUL in its name` }
  return canonicalPath(name)
}

async function describe(
  readAt: (offsetBytes: number, sizeBytes: number) => Promise<Uint8Array>,
  before: ReadonlyMap<string, PackageFile>,
  member: TarMember,
  path: string,
): Promise<PackageFile | { readonly problem: string }> {
  const owned = { path, mode: member.mode, uid: member.uid, gid: member.gid }
  switch (member.type) {
    case 'file': {
      const file = {
        ...owned,
        offsetBytes: member.offsetBytes,
        sizeBytes: member.sizeBytes,
        type: 'file' as const,
      }
      return noPrograms.test(path) ? file : { ...file, ...(await runFacts(readAt, member)) }
    }
    case 'directory':
      return { ...owned, type: 'directory' }
    case 'symlink':
      if (member.linkTarget === '') return { problem: `the symbolic link ${path} has no target` }
      return { ...owned, type: 'symlink', target: mergedTarget(member.name, path, member.linkTarget) }
    case 'hardlink': {
      // Names an earlier member (POSIX pax, "ustar Interchange Format", typeflag 1).
      const target = before.get(canonicalPath(member.linkTarget))
      if (target?.type !== 'file') {
        return { problem: `the hard link ${path} names ${member.linkTarget}, which is no file before it` }
      }
      return { ...target, path }
    }
    case 'character':
    case 'block':
      return { ...owned, type: 'device', kind: member.type, major: member.major, minor: member.minor }
    case 'fifo':
      return { problem: `${path} is a named pipe, which no package may have` }
  }
}

/**
 * The target of a symbolic link on a usr-merged system. A relative link that Debian ships in `/lib` and that climbs
 * to `/` would, from `/usr/lib`, climb one short: it gets another target that means the same file.
 */
function mergedTarget(name: string, path: string, target: string): string {
  if (target.startsWith('/')) return target
  const meant = canonicalPath(posix.join('/', posix.dirname(name), target))
  const means = canonicalPath(posix.join(posix.dirname(path), target))
  return meant === means ? target : posix.relative(posix.dirname(path), meant)
}

/** Longest `#!` line that Linux reads (BINPRM_BUF_SIZE, include/uapi/linux/binfmts.h). */
const shebangBytes = 256

async function runFacts(
  readAt: (offsetBytes: number, sizeBytes: number) => Promise<Uint8Array>,
  member: TarMember,
): Promise<{ readonly elf?: ElfFacts; readonly shebang?: Shebang }> {
  const head = Buffer.from(await readAt(member.offsetBytes, Math.min(member.sizeBytes, shebangBytes)))
  if (head.length >= 4 && head.readUInt32BE(0) === 0x7f454c46) {
    const elf = elfFacts(await readAt(member.offsetBytes, member.sizeBytes))
    return elf === undefined ? {} : { elf }
  }
  if ((member.mode & 0o111) === 0 || head.toString('latin1', 0, 2) !== '#!') return {}
  const [, interpreter, argument] =
    /^#![ \t]*(\S+)(?:[ \t]+(.*?))?[ \t]*(?:\n|$)/.exec(head.toString('utf8')) ?? []
  if (interpreter === undefined) return {}
  return { shebang: { interpreter, ...(argument ? { argument } : {}) } }
}

/** Undefined for what no loader loads: an object file, a damaged file (it is data then, whoever uses it). */
function elfFacts(bytes: Uint8Array): ElfFacts | undefined {
  const elf = readElf(bytes)
  if (!elf.ok) return undefined
  const dynamic = elf.value.dynamic()
  if (!dynamic.ok || dynamic.value === undefined) return undefined
  const { interpreter, needed, rpath, runpath } = dynamic.value
  return {
    class: elf.value.class,
    machine: elf.value.machine,
    ...(interpreter === undefined ? {} : { interpreter }),
    needed,
    rpath,
    runpath,
  }
}
