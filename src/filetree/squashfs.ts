import type { Engine, FileArtifact } from '../engine/index.ts'
import { readContent } from './content.ts'
import { type ImageEntries, imageTimeSeconds } from './image.ts'
import { writeTar } from './tar.ts'
import { contentSize } from './tree.ts'

/**
 * Options that both layers are made with. Blocks of 512 KiB: 1.5 % smaller than those of 256 KiB on the router example
 * (1 MiB: another 0.9 %), and a reader needs no more than one such block of memory at a time and processor.
 */
const environment = { SOURCE_DATE_EPOCH: String(imageTimeSeconds) }
const rootOptions = [
  '-root-mode',
  '0755',
  '-root-uid',
  '0',
  '-root-gid',
  '0',
  '-no-xattrs',
  '-quiet',
  '-no-progress',
]

/**
 * A squashfs (xz) of `entries`, in two steps: what is large and rarely changes is compressed once, and the small
 * rest (`/etc`, device nodes, mount points) is appended to it. A system that differs in its configuration only
 * then costs milliseconds, and the image is an ordinary squashfs all the same.
 */
export async function buildSquashfs(engine: Engine, entries: ImageEntries): Promise<FileArtifact> {
  const { base, appended } = splitLayers(entries)
  const archive = await engine.compute({
    kind: 'function',
    name: 'archive the file tree',
    function: { id: 'filetree/tar', version: 1 },
    input: { entries: base },
    run: (context) => context.put(writeTar(context, base)),
  })
  const script = withoutWarnings(
    `sqfstar -comp xz -b 524288 ${rootOptions.join(' ')} base.squashfs < base.tar`,
  )
  const made = await engine.build({
    kind: 'command',
    name: 'compress the file tree',
    argv: ['sh', '-c', script],
    env: environment,
    inputs: { 'base.tar': archive },
    outputs: ['base.squashfs'],
    tools: ['sqfstar', 'cat'],
  })
  const image = fileOutput(made, 'base.squashfs')
  return appended.length === 0 ? image : append(engine, image, appended)
}

async function append(engine: Engine, base: FileArtifact, entries: ImageEntries): Promise<FileArtifact> {
  const inputs: Record<string, FileArtifact> = { 'base.squashfs': base }
  const lines: string[] = []
  for (const [path, node] of entries) {
    const name = path.slice(1)
    switch (node.type) {
      case 'file': {
        const input = `files/${lines.length}`
        const { content } = node
        inputs[input] =
          content.type === 'artifact'
            ? content.artifact
            : await engine.put(await readContent(engine, content))
        lines.push(
          `${name} F ${imageTimeSeconds} ${node.mode.toString(8)} ${node.uid} ${node.gid} cat ${input}`,
        )
        break
      }
      case 'directory':
        lines.push(`${name} D ${imageTimeSeconds} ${node.mode.toString(8)} ${node.uid} ${node.gid}`)
        break
      case 'symlink':
        lines.push(`${name} S ${imageTimeSeconds} 777 ${node.uid} ${node.gid} ${node.target}`)
        break
      case 'device': {
        const kind = node.kind === 'character' ? 'C' : 'B'
        const owner = `${node.mode.toString(8)} ${node.uid} ${node.gid}`
        lines.push(`${name} ${kind} ${imageTimeSeconds} ${owner} ${node.major} ${node.minor}`)
        break
      }
      case 'hardlink':
        throw new Error(`${path}: a hard link was put into the appended layer`)
    }
  }
  inputs.definitions = await engine.put(`${lines.join('\n')}\n`)
  const script = [
    'cp base.squashfs rootfs.squashfs',
    'chmod u+w rootfs.squashfs',
    'mkdir empty',
    withoutWarnings(`mksquashfs empty rootfs.squashfs -pf definitions -no-recovery ${rootOptions.join(' ')}`),
  ].join(' && ')
  const made = await engine.build({
    kind: 'command',
    name: 'append the configuration',
    argv: ['sh', '-c', script],
    env: environment,
    inputs,
    outputs: ['rootfs.squashfs'],
    tools: ['mksquashfs', 'cp', 'chmod', 'mkdir', 'cat'],
  })
  return fileOutput(made, 'rootfs.squashfs')
}

/** Both tools leave out what they do not understand, warn of it, and succeed: a warning is a failure here. */
function withoutWarnings(command: string): string {
  return `${command} 2> warnings && { [ ! -s warnings ] || { cat warnings >&2; false; }; }`
}

function fileOutput(outputs: Readonly<Record<string, { kind: string }>>, name: string): FileArtifact {
  const artifact = outputs[name]
  if (artifact?.kind !== 'file')
    throw new Error(`${name} was declared a file and is ${artifact?.kind ?? 'missing'}`)
  return artifact as FileArtifact
}

/** A top-level folder with more than this is worth compressing once and keeping. */
const appendLimitBytes = 512 * 1024

/**
 * Parts the tree by top-level name. What is appended must be small, have plain names (the definitions have no exact
 * quoting) and no hard links (which cannot be defined).
 */
function splitLayers(entries: ImageEntries): {
  readonly base: ImageEntries
  readonly appended: ImageEntries
} {
  const top = (path: string): string => path.split('/')[1] ?? ''
  const plain = /^[A-Za-z0-9@%+=:,./_-]+$/
  const linked = new Set(
    entries.flatMap(([path, node]) => (node.type === 'hardlink' ? [path, node.target] : [])),
  )
  const sizes = new Map<string, number>()
  const kept = new Set<string>()
  for (const [path, node] of entries) {
    const name = top(path)
    if (node.type === 'file') sizes.set(name, (sizes.get(name) ?? 0) + contentSize(node.content))
    if (linked.has(path) || !plain.test(path)) kept.add(name)
    if (node.type === 'symlink' && !plain.test(node.target)) kept.add(name)
  }
  for (const [name, size] of sizes) if (size > appendLimitBytes) kept.add(name)
  // There must be something to append to; the first top-level name is as good as any.
  if (kept.size === 0) kept.add(top(entries[0]?.[0] ?? '/'))
  return {
    base: entries.filter(([path]) => kept.has(top(path))),
    appended: entries.filter(([path]) => !kept.has(top(path))),
  }
}
