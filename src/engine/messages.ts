/**
 * Messages of the Remote Execution API v2, in their canonical encoding: field numbers and the rules of
 * sorting are those of build/bazel/remote/execution/v2/remote_execution.proto
 * (https://github.com/bazelbuild/remote-apis). Encoders sort; callers need not.
 */
import { type Digest, isSha256 } from './artifact.ts'
import {
  bytesField,
  decodeFields,
  type Field,
  messageField,
  repeatedStringField,
  stringField,
  varintField,
} from './protobuf.ts'

export interface FileNode {
  readonly name: string
  readonly digest: Digest
  readonly executable: boolean
}

export interface DirectoryNode {
  readonly name: string
  readonly digest: Digest
}

export interface SymlinkNode {
  readonly name: string
  readonly target: string
}

export interface Directory {
  readonly files: readonly FileNode[]
  readonly directories: readonly DirectoryNode[]
  readonly symlinks: readonly SymlinkNode[]
}

export interface Property {
  readonly name: string
  readonly value: string
}

export interface Command {
  readonly arguments: readonly string[]
  readonly environment: readonly Property[]
  readonly outputPaths: readonly string[]
  readonly platform: readonly Property[]
}

export interface Action {
  readonly command: Digest
  readonly inputRoot: Digest
  readonly salt: string
  readonly platform: readonly Property[]
}

/**
 * Order by code point, which is the order of the UTF-8 bytes. JavaScript's own comparison is by UTF-16 code
 * unit and puts U+10000 before U+FFFD.
 */
export function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index)
    const right = b.charCodeAt(index)
    if (left === right) continue
    const leftIsSurrogate = left >= 0xd800 && left <= 0xdfff
    const rightIsSurrogate = right >= 0xd800 && right <= 0xdfff
    if (leftIsSurrogate !== rightIsSurrogate) return leftIsSurrogate ? 1 : -1
    return left - right
  }
  return a.length - b.length
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return byCodePoint(a.name, b.name)
}

function byNameAndValue(a: Property, b: Property): number {
  return byCodePoint(a.name, b.name) || byCodePoint(a.value, b.value)
}

export function encodeDigest(digest: Digest): Buffer {
  return Buffer.concat([stringField(1, digest.sha256), varintField(2, digest.sizeBytes)])
}

export function encodeDirectory(directory: Directory): Buffer {
  return Buffer.concat([
    ...[...directory.files]
      .sort(byName)
      .map((file) =>
        messageField(
          1,
          Buffer.concat([
            stringField(1, file.name),
            messageField(2, encodeDigest(file.digest)),
            varintField(4, file.executable),
          ]),
        ),
      ),
    ...[...directory.directories]
      .sort(byName)
      .map((child) =>
        messageField(
          2,
          Buffer.concat([stringField(1, child.name), messageField(2, encodeDigest(child.digest))]),
        ),
      ),
    ...[...directory.symlinks]
      .sort(byName)
      .map((link) =>
        messageField(3, Buffer.concat([stringField(1, link.name), stringField(2, link.target)])),
      ),
  ])
}

/** `Platform`, and `EnvironmentVariable` likewise, are lists of a message with `name = 1` and `value = 2`. */
function encodeProperty(property: Property): Buffer {
  return Buffer.concat([stringField(1, property.name), stringField(2, property.value)])
}

function encodePlatform(properties: readonly Property[]): Buffer {
  return Buffer.concat(
    [...properties].sort(byNameAndValue).map((property) => messageField(1, encodeProperty(property))),
  )
}

/** `OutputDirectoryFormat.DIRECTORY_ONLY`: folders come back as `Directory` messages, as our trees are. */
const directoryOnly = 1

export function encodeCommand(command: Command): Buffer {
  return Buffer.concat([
    ...command.arguments.map((argument) => repeatedStringField(1, argument)),
    ...[...command.environment].sort(byName).map((variable) => messageField(2, encodeProperty(variable))),
    // Deprecated since 2.2 in favour of Action.platform; the specification asks clients to set both.
    messageField(5, encodePlatform(command.platform)),
    ...[...new Set(command.outputPaths)].sort(byCodePoint).map((path) => repeatedStringField(7, path)),
    varintField(9, directoryOnly),
  ])
}

export function encodeAction(action: Action): Buffer {
  return Buffer.concat([
    messageField(1, encodeDigest(action.command)),
    messageField(2, encodeDigest(action.inputRoot)),
    bytesField(9, Buffer.from(action.salt, 'utf8')),
    messageField(10, encodePlatform(action.platform)),
  ])
}

function text(field: Field | undefined): string {
  const bytes = field?.bytes
  if (bytes === undefined) return ''
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

/** The last occurrence wins, as the wire format has it for singular fields. */
function field(fields: readonly Field[], number: number): Field | undefined {
  return fields.findLast((candidate) => candidate.number === number)
}

function decodeDigest(source: Field | undefined): Digest | undefined {
  const fields = source?.bytes === undefined ? undefined : decodeFields(source.bytes)
  if (fields === undefined) return undefined
  const sha256 = text(field(fields, 1))
  return isSha256(sha256) ? { sha256, sizeBytes: field(fields, 2)?.varint ?? 0 } : undefined
}

/** A name may not leave its folder, whoever made the message. */
function isName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0')
}

/** The message, or undefined when the bytes are not a `Directory` that may be written to a disk. */
export function decodeDirectory(bytes: Uint8Array): Directory | undefined {
  const files: FileNode[] = []
  const directories: DirectoryNode[] = []
  const symlinks: SymlinkNode[] = []
  const names = new Set<string>()
  for (const entry of decodeFields(bytes) ?? [undefined]) {
    if (entry === undefined) return undefined
    if (entry.number > 3) continue
    const fields = entry.bytes === undefined ? undefined : decodeFields(entry.bytes)
    if (fields === undefined) return undefined
    const name = text(field(fields, 1))
    if (!isName(name) || names.has(name)) return undefined
    names.add(name)
    if (entry.number === 3) {
      symlinks.push({ name, target: text(field(fields, 2)) })
      continue
    }
    const digest = decodeDigest(field(fields, 2))
    if (digest === undefined) return undefined
    if (entry.number === 2) directories.push({ name, digest })
    else files.push({ name, digest, executable: field(fields, 4)?.varint === 1 })
  }
  return { files, directories, symlinks }
}
