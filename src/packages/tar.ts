/**
 * The members of a tar archive and where their bytes lie in it, found from the headers alone.
 *
 * It reads what dpkg reads (deb(5)): the pre-POSIX and ustar header (POSIX.1-1988), GNU tar's long names (`L`, `K`)
 * and base-256 numbers, and pax extended headers (POSIX.1-2001, pax, section "pax Interchange Format"). Input is
 * hostile: every size is checked against the archive before it is used, names are bounded, and each failure is a
 * value that says where.
 */

export interface TarMember {
  /** As in the archive; may be absolute or have `..` in it: what reads names must check them. */
  readonly name: string
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'character' | 'block' | 'fifo'
  /** Permission bits, with set-user-id, set-group-id and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly sizeBytes: number
  /** Where the content begins in the archive. */
  readonly offsetBytes: number
  /** For links, as in the archive. */
  readonly linkTarget: string
  readonly major: number
  readonly minor: number
}

export type TarError = {
  readonly type:
    | 'truncated'
    | 'bad-checksum'
    | 'bad-number'
    | 'bad-pax'
    | 'unknown-type'
    | 'too-long'
    | 'too-many'
  readonly offsetBytes: number
  readonly message: string
}

export type TarResult =
  | { readonly ok: true; readonly members: readonly TarMember[] }
  | { readonly ok: false; readonly error: TarError }

/** Reads bytes of the archive; a range past its end gives what there is. */
export type ReadAt = (offsetBytes: number, sizeBytes: number) => Promise<Uint8Array>

const block = 512
/** Linux has no longer path; a longer name is an attack on memory. */
const maxNameBytes = 4096
const maxPaxBytes = 1 << 20
const maxMembers = 1 << 20

/** What an extended header says about the member that follows it. */
interface Extension {
  name?: string
  linkTarget?: string
  sizeBytes?: number
  uid?: number
  gid?: number
}

/** Walks an archive of `sizeBytes` bytes. Stops at the end-of-archive block, or at the end of the input. */
export async function readTar(readAt: ReadAt, sizeBytes: number): Promise<TarResult> {
  const members: TarMember[] = []
  const read = buffered(readAt, sizeBytes)
  let extension: Extension = {}
  let offset = 0
  while (offset + block <= sizeBytes) {
    const header = await read(offset, block)
    if (header.length < block) return failure('truncated', offset, 'the archive ends in a header')
    if (header.every((byte) => byte === 0)) return { ok: true, members }
    if (!checksumHolds(header)) return failure('bad-checksum', offset, 'the checksum of a header is wrong')
    const type = String.fromCharCode(header[156] ?? 0)
    const size = extension.sizeBytes ?? number(header, 124, 12)
    const [mode, uid, gid] = [number(header, 100, 8), number(header, 108, 8), number(header, 116, 8)]
    if (size === undefined || mode === undefined || uid === undefined || gid === undefined) {
      return failure('bad-number', offset, 'a number in a header is not one')
    }
    const content = offset + block
    const hasContent = !'123456'.includes(type)
    const end = content + (hasContent ? Math.ceil(size / block) * block : 0)
    if (hasContent && content + size > sizeBytes) {
      return failure('truncated', offset, `a member of ${size} bytes goes past the end of the archive`)
    }
    if (type === 'L' || type === 'K') {
      if (size > maxNameBytes + 1) return failure('too-long', offset, `a name of ${size} bytes`)
      const name = text(await read(content, size), 0, size)
      extension = type === 'L' ? { ...extension, name } : { ...extension, linkTarget: name }
    } else if (type === 'x' || type === 'g') {
      if (size > maxPaxBytes) return failure('too-long', offset, `an extended header of ${size} bytes`)
      const records = parsePax(await read(content, size))
      if (records === undefined) return failure('bad-pax', offset, 'an extended header is malformed')
      if (type === 'x') extension = { ...extension, ...records }
    } else {
      const kind = memberType(type)
      if (kind === undefined) {
        return failure('unknown-type', offset, `a member of type ${JSON.stringify(type)}`)
      }
      const name = extension.name ?? headerName(header)
      const linkTarget = extension.linkTarget ?? text(header, 157, 100)
      if (Buffer.byteLength(name) > maxNameBytes || Buffer.byteLength(linkTarget) > maxNameBytes) {
        return failure('too-long', offset, 'a name longer than a path can be')
      }
      if (members.length === maxMembers) return failure('too-many', offset, `more than ${maxMembers} members`)
      members.push({
        name,
        // Before POSIX a directory was a file whose name ends in a slash.
        type: kind === 'file' && name.endsWith('/') ? 'directory' : kind,
        mode: mode & 0o7777,
        uid: extension.uid ?? uid,
        gid: extension.gid ?? gid,
        sizeBytes: kind === 'file' ? size : 0,
        offsetBytes: content,
        linkTarget,
        major: number(header, 329, 8) ?? 0,
        minor: number(header, 337, 8) ?? 0,
      })
      extension = {}
    }
    offset = end
  }
  if (offset < sizeBytes) return failure('truncated', offset, 'the archive ends in a header')
  return { ok: true, members }
}

function failure(type: TarError['type'], offsetBytes: number, message: string): TarResult {
  return { ok: false, error: { type, offsetBytes, message: `${message} (at byte ${offsetBytes})` } }
}

/** Headers lie close together in archives of small files: one read serves many of them. */
function buffered(readAt: ReadAt, sizeBytes: number): ReadAt {
  const window = 64 * 1024
  let start = 0
  let bytes: Uint8Array = new Uint8Array(0)
  return async (offset, size) => {
    if (offset < start || offset + size > start + bytes.length) {
      start = offset
      bytes = await readAt(offset, Math.min(Math.max(size, window), sizeBytes - offset))
    }
    return bytes.subarray(offset - start, offset - start + size)
  }
}

/** The sum of the header's bytes, its own field counted as spaces; old tars summed signed bytes. */
function checksumHolds(header: Uint8Array): boolean {
  const stored = number(header, 148, 8)
  let unsigned = 0
  let signed = 0
  for (let index = 0; index < block; index++) {
    const byte = index >= 148 && index < 156 ? 0x20 : (header[index] ?? 0)
    unsigned += byte
    signed += byte < 128 ? byte : byte - 256
  }
  return stored === unsigned || stored === signed
}

/** Octal digits between spaces and NULs, or GNU's base-256 (first bit set). Undefined when it is neither. */
function number(header: Uint8Array, start: number, length: number): number | undefined {
  const first = header[start] ?? 0
  if (first & 0x80) {
    if (first !== 0x80) return undefined // negative, or beyond what a double holds
    let value = 0
    for (let index = start + 1; index < start + length; index++) value = value * 256 + (header[index] ?? 0)
    return Number.isSafeInteger(value) ? value : undefined
  }
  const digits = text(header, start, length).trim()
  if (digits === '') return 0
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined
}

/** Bytes up to a NUL. Names that are not UTF-8 are kept apart by Latin-1. */
function text(bytes: Uint8Array, start: number, length: number): string {
  const field = bytes.subarray(start, start + length)
  const nul = field.indexOf(0)
  const used = Buffer.from(nul < 0 ? field : field.subarray(0, nul))
  const utf8 = used.toString('utf8')
  return utf8.includes('\ufffd') ? used.toString('latin1') : utf8
}

function headerName(header: Uint8Array): string {
  const name = text(header, 0, 100)
  // `ustar\0` has a prefix; GNU's `ustar  ` has times of access there.
  const prefix = text(header, 257, 6) === 'ustar' ? text(header, 345, 155) : ''
  return prefix === '' ? name : `${prefix}/${name}`
}

function memberType(type: string): TarMember['type'] | undefined {
  switch (type) {
    case '0':
    case '\0':
    case '7':
      return 'file'
    case '1':
      return 'hardlink'
    case '2':
      return 'symlink'
    case '3':
      return 'character'
    case '4':
      return 'block'
    case '5':
      return 'directory'
    case '6':
      return 'fifo'
    default:
      return undefined
  }
}

/** Records of `LENGTH KEY=VALUE\n`, LENGTH counting itself. */
function parsePax(bytes: Uint8Array): Extension | undefined {
  const result: Extension = {}
  const buffer = Buffer.from(bytes)
  let offset = 0
  while (offset < buffer.length) {
    const space = buffer.indexOf(0x20, offset)
    if (space < 0 || space - offset > 10) return undefined
    const digits = buffer.toString('latin1', offset, space)
    const end = offset + Number(digits)
    if (!/^[1-9][0-9]*$/.test(digits) || end > buffer.length || end <= space + 1) return undefined
    const record = buffer.toString('utf8', space + 1, end - 1)
    const equals = record.indexOf('=')
    if (equals <= 0 || buffer[end - 1] !== 0x0a) return undefined
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)]
    if (key === 'path') result.name = value
    if (key === 'linkpath') result.linkTarget = value
    if (key === 'size' || key === 'uid' || key === 'gid') {
      if (!/^\d{1,15}$/.test(value)) return undefined
      result[key === 'size' ? 'sizeBytes' : key] = Number(value)
    }
    offset = end
  }
  return result
}
