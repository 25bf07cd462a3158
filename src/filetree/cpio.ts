import { type ContentReader, readContent } from './content.ts'
import { type ImageEntries, imageTimeSeconds } from './image.ts'
import type { Node } from './tree.ts'

const typeBits = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  character: 0o020000,
  block: 0o060000,
}

/**
 * A cpio archive in the "newc" form (magic 070701), which the kernel unpacks as an initramfs; the form is described
 * in Documentation/driver-api/early-userspace/buffer-format.rst of the kernel.
 *
 * Names that are hard links of each other share an inode number and a link count; as that format wants it, the data
 * goes with the last of them.
 */
export async function* writeCpio(reader: ContentReader, entries: ImageEntries): AsyncGenerator<Buffer> {
  const links = new Map<string, string[]>()
  for (const [path, node] of entries) {
    if (node.type === 'hardlink') links.set(node.target, [...(links.get(node.target) ?? []), path])
  }
  const nodes = new Map(entries)
  let inode = 0
  const write = (path: string, node: Node, count: number, data: Buffer): Buffer => {
    const name = path.slice(1)
    const head = header({
      inode,
      node,
      linkCount: count,
      sizeBytes: data.length,
      nameBytes: Buffer.byteLength(name) + 1,
    })
    return Buffer.concat([pad(Buffer.concat([head, Buffer.from(`${name}\0`)])), pad(data)])
  }
  for (const [path, node] of entries) {
    if (node.type === 'hardlink') continue
    inode++
    const others = links.get(path) ?? []
    const data =
      node.type === 'file'
        ? await readContent(reader, node.content)
        : Buffer.from(node.type === 'symlink' ? node.target : '')
    const names = [path, ...others]
    for (const [index, name] of names.entries()) {
      yield write(
        name,
        nodes.get(path) ?? node,
        names.length,
        index === names.length - 1 ? data : Buffer.alloc(0),
      )
    }
  }
  yield Buffer.concat([
    pad(
      Buffer.concat([
        header({ inode: 0, node: undefined, linkCount: 1, sizeBytes: 0, nameBytes: 11 }),
        Buffer.from('TRAILER!!!\0'),
      ]),
    ),
  ])
}

function header(fields: {
  readonly inode: number
  readonly node: Exclude<Node, { type: 'hardlink' }> | undefined | Node
  readonly linkCount: number
  readonly sizeBytes: number
  readonly nameBytes: number
}): Buffer {
  const { node } = fields
  const owned = node === undefined || node.type === 'hardlink' ? { uid: 0, gid: 0 } : node
  const device = node?.type === 'device' ? node : { major: 0, minor: 0 }
  const values = [
    fields.inode,
    mode(node),
    owned.uid,
    owned.gid,
    fields.linkCount,
    node === undefined ? 0 : imageTimeSeconds,
    fields.sizeBytes,
    0, // device that the archive was made on
    0,
    device.major,
    device.minor,
    fields.nameBytes,
    0, // check sum: of the "crc" form only
  ]
  return Buffer.from(
    `070701${values.map((value) => value.toString(16).toUpperCase().padStart(8, '0')).join('')}`,
  )
}

function mode(node: Node | undefined): number {
  if (node === undefined || node.type === 'hardlink') return 0
  if (node.type === 'symlink') return typeBits.symlink | 0o777
  if (node.type === 'device') return typeBits[node.kind] | node.mode
  return typeBits[node.type] | node.mode
}

/** Fields, names and data are padded with zeros to four bytes. */
function pad(bytes: Buffer): Buffer {
  const excess = bytes.length % 4
  return excess === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(4 - excess)])
}
