/**
 * A kernel source as artifacts. The tree itself (80,000 files, 1.5 GB) never goes into the store: the store holds the
 * archive, and the steps that work on the tree share a kept folder, where the first of them unpacks it. What is read often,
 * the Kconfig files and Makefiles, is taken out once, as the *outline* of the tree.
 */
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { promisify } from 'node:util'
import { type Origin, UserError } from '../diagnostics/index.ts'
import type { Artifact, CommandRecipe, Engine, FileArtifact } from '../engine/index.ts'
import { deviceMarks } from '../hardware/index.ts'
import type { Packages } from '../packages/index.ts'
import { seedScript } from './drawn-at-random.ts'
import type { LinuxSource } from './source.ts'
import { aliasLines } from './source-aliases.ts'

export interface LinuxTree {
  /** for messages: `linux-source-6.1 6.1.176-1` */
  readonly name: string
  /** the archive; tar finds out how it is compressed */
  readonly archive: FileArtifact
  readonly patches: readonly Patch[]
  /** what the tree's structures are laid out by, if they are at random */
  readonly seed: string | undefined
  readonly origin: Origin
  /** name of the folder that is kept: one for each place that a source comes from, so that a new version replaces the old one */
  readonly kept: string
}

interface Patch {
  /** as the system file has it, for messages */
  readonly name: string
  readonly file: FileArtifact
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
  const patches = await Promise.all(source.patches.map(async (name) => ({ name, file: await file(name) })))
  const kept = `linux-${shortDigest({ from: 'tarball' in from ? from.sha256 : from, patches: source.patches })}`
  const common = { patches, seed: source.randstructSeed, origin, kept }
  if ('package' in from)
    return { ...(await packagedArchive(engine, packages, from.package, origin)), ...common }
  if ('directory' in from) {
    const archive = await engine.step(`read ${from.directory}`, () =>
      archiveFolder(engine, inFolder(from.directory), { name: from.directory, origin }),
    )
    return { name: from.directory, archive, ...common }
  }
  const archive = await file(from.tarball)
  if (archive.digest.sha256 !== from.sha256.toLowerCase())
    throw new UserError({
      what: `${from.tarball} is not the archive that the system file names`,
      where: [origin],
      why: `its SHA-256 is ${archive.digest.sha256}`,
      fix: 'fetch it again, or correct sha256',
    })
  return { name: from.tarball, archive, ...common }
}

const shortDigest = (value: object): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)

/** A folder as an archive: the same one as long as the files are the same. */
async function archiveFolder(
  engine: Engine,
  folder: string,
  { name, origin }: { readonly name: string; readonly origin: Origin },
): Promise<FileArtifact> {
  const about = { where: [origin], fix: 'name the top folder of a kernel source' }
  if (!existsSync(join(folder, 'Kbuild')))
    throw new UserError({ what: `${name} is no kernel source`, why: 'it has no Kbuild file', ...about })
  if (existsSync(join(folder, '.config')))
    throw new UserError({
      what: `something has been built in ${name}`,
      where: [origin],
      why: 'it has a .config, and what make has left there would get into the build',
      fix: 'run make mrproper there, or take a fresh copy',
    })
  const options = ['--sort=name', ...anonymous.split(' '), '--exclude-vcs']
  const tar = spawn('tar', [...options, '-C', folder, '-cf', '-', '.'], { stdio: ['ignore', 'pipe', 'pipe'] })
  // Read from the first moment: what nobody reads when a child ends is thrown away.
  const content = tar.stdout.pipe(new PassThrough())
  let complaints = ''
  tar.stderr.on('data', (bytes: Buffer) => {
    complaints += bytes.toString()
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    tar.once('error', reject)
    tar.once('close', resolve)
  })
  try {
    const [archive, status] = await Promise.all([engine.put(content), ended])
    if (status === 0) return archive
    throw new UserError({ what: `${name} cannot be read`, where: [origin], why: complaints.trim() })
  } finally {
    tar.kill()
  }
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

const patchPath = (index: number): string => `patches/${String(index).padStart(4, '0')}`

/** What a step that works on the tree starts from; `unpackScript` makes the tree of it. */
export function treeInputs({ archive, patches }: LinuxTree): Readonly<Record<string, Artifact>> {
  const numbered = patches.map(({ file }, index) => [patchPath(index), file] as const)
  return { 'source.tar': archive, ...Object.fromEntries(numbered) }
}

export const unpackTools = ['tar', 'xz', 'gzip', 'zstd', 'patch', 'mkdir', 'mv', 'sed'] as const

/** One word of shell, whatever is in it. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** @param folder where the tree is to be; it must not be there */
export function unpackScript({ patches, seed }: LinuxTree, folder = 'linux'): string {
  const apply = patches.map(
    ({ name }, index) =>
      `patch -p1 -s -f --no-backup-if-mismatch -d ${folder} < ${patchPath(index)} || { echo error: the patch ${quoted(name)} does not apply; exit 1; }\n`,
  )
  return `mkdir ${folder}\nXZ_OPT=-T0 tar -xf source.tar -C ${folder} --strip-components=1\n${apply.join('')}${seed === undefined ? '' : seedScript(seed, folder)}`
}

/** Where a step that has {@link keptTree} finds the tree, unpacked and patched. */
export const keptFolder = 'kept/linux'

/** What a step's recipe has when it works in the tree that is kept. */
export const keptTree = (tree: LinuxTree): Pick<CommandRecipe, 'kept'> => ({ kept: { kept: tree.kept } })

/** Puts the tree into the kept folder if it is not there, or another one is. Folders of objects in it ({@link objectsPrefix}) go with it. */
export function unpackKeptScript(tree: LinuxTree): string {
  const inputs = Object.entries(treeInputs(tree)).map(([path, { digest }]) => [path, digest.sha256])
  const version = shortDigest([inputs, tree.seed])
  return `if [ "$(cat ${keptFolder}/.version 2> /dev/null)" != ${version} ]; then
  rm -rf ${keptFolder}
${unpackScript(tree, keptFolder)}echo ${version} > ${keptFolder}/.version
fi
`
}

/** What the names of make's O= folders begin with, which are in the tree that is kept and no part of it. */
export const objectsPrefix = 'objects-'

/** Options of tar that leave out whose the files are, and how old. */
const anonymous = '--owner=0 --group=0 --numeric-owner --mtime=@0'

/** An archive that is the same for the same files: no owners, no times, in the order of names. */
export const stableTar = `tar ${anonymous} --no-recursion --null -T - -cf`

/** Where the outline of a tree has the lines of its C files that declare aliases; see {@link readSourceAliases}. */
export const aliasFile = 'scripts/module-aliases'

/** The Kconfig files, Makefiles and scripts of a tree, and {@link aliasFile}, as an archive. */
export async function treeOutline(engine: Engine, tree: LinuxTree): Promise<FileArtifact> {
  const wanted = [
    "-name 'Kconfig*'",
    "-name 'Makefile*'",
    "-name 'Kbuild*'",
    '-name Platform',
    "-name '*.sh'",
    "-path './scripts/*'",
  ]
  return partOfTree(engine, tree, {
    name: `read ${tree.name}`,
    tools: ['find', 'grep', 'sort'],
    script: `mkdir -p $top/aliases/${dirname(aliasFile)}
grep -rHE --include='*.c' --exclude-dir='${objectsPrefix}*' '${aliasLines}' . | LC_ALL=C sort > $top/aliases/${aliasFile} || true
find . -path './${objectsPrefix}*' -prune -o -type f '(' ${wanted.join(' -o ')} ')' -print0 | LC_ALL=C sort -z | ${stableTar} $top/part.tar
tar --append -f $top/part.tar ${anonymous} -C $top/aliases ${aliasFile}
`,
  })
}

/** Does something with parts of a tree, unpacked into one folder that is gone afterwards. */
export async function withUnpacked<T>(
  engine: Engine,
  archives: readonly FileArtifact[],
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'firmwright-kernel-'))
  try {
    for (const archive of archives)
      await promisify(execFile)('tar', ['-xf', engine.path(archive), '-C', folder])
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The C files of a tree that may name devices, as an archive; a hundred megabytes, which only drivers are sought in. */
export async function treeDeviceFiles(engine: Engine, tree: LinuxTree): Promise<FileArtifact> {
  const marks = deviceMarks.map((mark) => `-e ${quoted(mark)}`).join(' ')
  return partOfTree(engine, tree, {
    name: `read the names of devices in ${tree.name}`,
    tools: ['grep', 'sort'],
    script: `{ grep -rlZF --include='*.c' --include='*.h' --exclude-dir='${objectsPrefix}*' ${marks} . || true; } | LC_ALL=C sort -z | ${stableTar} $top/part.tar
`,
  })
}

/** @param script lines of shell, run in the tree, that leave `$top/part.tar` */
async function partOfTree(
  engine: Engine,
  tree: LinuxTree,
  {
    name,
    tools,
    script,
  }: { readonly name: string; readonly tools: readonly string[]; readonly script: string },
): Promise<FileArtifact> {
  const { 'part.tar': part } = await engine.build({
    kind: 'command',
    name,
    argv: ['sh', '-c', `set -eu\ntop=$PWD\n${unpackKeptScript(tree)}cd ${keptFolder}\n${script}`],
    env: {},
    inputs: treeInputs(tree),
    outputs: ['part.tar'],
    tools: [...unpackTools, ...tools],
    ...keptTree(tree),
  })
  if (part?.kind !== 'file') throw new Error('tar left no archive')
  return part
}
