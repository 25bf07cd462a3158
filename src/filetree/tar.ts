import { type ContentReader, readContent } from './content.ts'
import { type ImageEntries, imageTimeSeconds } from './image.ts'

/** A tar archive (ustar, with pax headers where a name needs them) of `entries`, in their order. */
export async function* writeTar(reader: ContentReader, entries: ImageEntries): AsyncGenerator<Buffer> {
  // Loaded here, because most builds archive nothing anew.
  const { pack } = await import('tar-stream')
  const archive = pack()
  const write = async (): Promise<void> => {
    for (const [path, node] of entries) {
      const name = path.slice(1)
      const mtime = new Date(imageTimeSeconds * 1000)
      switch (node.type) {
        case 'file': {
          const data = await readContent(reader, node.content)
          const { mode, uid, gid } = node
          await entry({ name, mode, uid, gid, mtime, type: 'file', size: data.length }, data)
          break
        }
        case 'directory':
          await entry({ name, mode: node.mode, uid: node.uid, gid: node.gid, mtime, type: 'directory' })
          break
        case 'symlink':
          await entry({
            name,
            mode: 0o777,
            uid: node.uid,
            gid: node.gid,
            mtime,
            type: 'symlink',
            linkname: node.target,
          })
          break
        case 'hardlink':
          await entry({ name, mtime, type: 'link', linkname: node.target.slice(1) })
          break
        case 'device': {
          const { mode, uid, gid, major, minor } = node
          await entry({
            name,
            mode,
            uid,
            gid,
            mtime,
            type: `${node.kind}-device`,
            devmajor: major,
            devminor: minor,
          })
          break
        }
      }
    }
    archive.finalize()
  }
  const entry = (
    header: Parameters<typeof archive.entry>[0],
    data: Buffer = Buffer.alloc(0),
  ): Promise<void> =>
    new Promise((resolve, reject) => {
      archive.entry(header, data, (error) => (error ? reject(error) : resolve()))
    })
  write().catch((error: Error) => archive.destroy(error))
  yield* archive as unknown as AsyncIterable<Buffer>
}
