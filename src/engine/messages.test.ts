import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digestOf } from './artifact.ts'
import {
  byCodePoint,
  decodeDirectory,
  encodeAction,
  encodeCommand,
  encodeDigest,
  encodeDirectory,
} from './messages.ts'
import { decodeFields, varintField } from './protobuf.ts'

const empty = digestOf(new Uint8Array())

/** SHA-256 of nothing, as FIPS 180-4 gives it. */
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

function hex(...parts: readonly (string | number[])[]): string {
  return parts
    .map((part) => (typeof part === 'string' ? Buffer.from(part, 'utf8') : Buffer.from(part)).toString('hex'))
    .join('')
}

describe('bytes derived by hand from the encoding guide', () => {
  test('a digest: field 1 is 64 characters, field 2 is left out when it is zero', () => {
    expect(encodeDigest(empty).toString('hex')).toBe(hex([0x0a, 64], emptyHash))
    expect(encodeDigest({ sha256: emptyHash, sizeBytes: 300 }).toString('hex')).toBe(
      hex([0x0a, 64], emptyHash, [0x10, 0xac, 0x02]),
    )
  })

  test('a folder: files are field 1, folders 2, links 3, each sorted by name', () => {
    const digest = [0x12, 66, 0x0a, 64]
    const encoded = encodeDirectory({
      files: [
        { name: 'b', digest: empty, executable: true },
        { name: 'a', digest: empty, executable: false },
      ],
      directories: [{ name: 'd', digest: empty }],
      symlinks: [{ name: 'l', target: 'a' }],
    })
    expect(encoded.toString('hex')).toBe(
      hex(
        [0x0a, 71, 0x0a, 1],
        'a',
        digest,
        emptyHash,
        [0x0a, 73, 0x0a, 1],
        'b',
        digest,
        emptyHash,
        [0x20, 1],
        [0x12, 71, 0x0a, 1],
        'd',
        digest,
        emptyHash,
        [0x1a, 6, 0x0a, 1],
        'l',
        [0x12, 1],
        'a',
      ),
    )
    expect(encodeDirectory({ files: [], directories: [], symlinks: [] }).length).toBe(0)
  })

  test('a command: arguments 1, environment 2, platform 5, outputs 7, format of folders 9', () => {
    const encoded = encodeCommand({
      arguments: ['cp', ''],
      environment: [{ name: 'A', value: '' }],
      outputPaths: ['o', 'm', 'o'],
      platform: [{ name: 'n', value: 'v' }],
    })
    expect(encoded.toString('hex')).toBe(
      hex(
        [0x0a, 2],
        'cp',
        [0x0a, 0],
        [0x12, 3, 0x0a, 1],
        'A',
        [0x2a, 8, 0x0a, 6, 0x0a, 1],
        'n',
        [0x12, 1],
        'v',
        [0x3a, 1],
        'm',
        [0x3a, 1],
        'o',
        [0x48, 1],
      ),
    )
  })

  test('an action: command 1, input root 2, salt 9, platform 10', () => {
    const encoded = encodeAction({ command: empty, inputRoot: empty, salt: 's', platform: [] })
    expect(encoded.toString('hex')).toBe(
      hex([0x0a, 66, 0x0a, 64], emptyHash, [0x12, 66, 0x0a, 64], emptyHash, [0x4a, 1], 's', [0x52, 0]),
    )
  })
})

const name = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !/[/\0]|^\.\.?$/.test(text))
const digest = fc
  .record({ content: fc.uint8Array(), sizeBytes: fc.maxSafeNat() })
  .map(({ content, sizeBytes }) => ({ sha256: digestOf(content).sha256, sizeBytes }))
const directory = fc
  .uniqueArray(fc.record({ name, digest, executable: fc.boolean(), target: fc.string(), kind: fc.nat(2) }), {
    selector: (entry) => entry.name,
  })
  .map((entries) => ({
    files: entries
      .filter(({ kind }) => kind === 0)
      .map(({ name, digest, executable }) => ({ name, digest, executable })),
    directories: entries.filter(({ kind }) => kind === 1).map(({ name, digest }) => ({ name, digest })),
    symlinks: entries.filter(({ kind }) => kind === 2).map(({ name, target }) => ({ name, target })),
  }))

test('decoding gives back what was encoded, sorted', () => {
  fc.assert(
    fc.property(directory, (original) => {
      const sort = <T extends { name: string }>(list: readonly T[]) =>
        [...list].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
      expect(decodeDirectory(encodeDirectory(original))).toEqual({
        files: sort(original.files),
        directories: sort(original.directories),
        symlinks: sort(original.symlinks),
      })
    }),
  )
})

test('names are in the order of their UTF-8 bytes', () => {
  // Both sides of the surrogates, where UTF-16 has another order.
  const letters = ['', '\0', 'a', 'é', '\ud7ff', '\ue000', '\ufffd', '\u{10000}', '\u{10ffff}']
  const text = fc.array(fc.constantFrom(...letters), { maxLength: 4 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(byCodePoint(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    }),
    { numRuns: 500 },
  )
})

test('whatever the bytes are, decoding ends with a folder or with nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      decodeFields(bytes)
      decodeDirectory(bytes)
    }),
    { numRuns: 2000 },
  )
  fc.assert(
    fc.property(directory, fc.nat(), fc.nat(255), (original, place, value) => {
      const bytes = encodeDirectory(original)
      if (bytes.length > 0) bytes[place % bytes.length] = value
      decodeDirectory(bytes)
      decodeDirectory(bytes.subarray(0, place % (bytes.length + 1)))
    }),
  )
})

test.each(['..', '.', '', 'a/b', 'a\0b'])('a folder with an entry named %j is refused', (bad) => {
  const bytes = encodeDirectory({ files: [], directories: [], symlinks: [{ name: bad, target: 'x' }] })
  expect(decodeDirectory(bytes)).toBeUndefined()
})

test('numbers beyond 2^53 are refused when writing', () => {
  expect(() => varintField(2, 2 ** 53)).toThrow(RangeError)
  expect(() => varintField(2, -1)).toThrow(RangeError)
})

/** The messages with the field numbers of remote_execution.proto, for protoc. */
const proto = `syntax = "proto3";
message Digest { string hash = 1; int64 size_bytes = 2; }
message FileNode { string name = 1; Digest digest = 2; bool is_executable = 4; }
message DirectoryNode { string name = 1; Digest digest = 2; }
message SymlinkNode { string name = 1; string target = 2; }
message Directory { repeated FileNode files = 1; repeated DirectoryNode directories = 2; repeated SymlinkNode symlinks = 3; }
message Property { string name = 1; string value = 2; }
message Platform { repeated Property properties = 1; }
message Command { repeated string arguments = 1; repeated Property environment_variables = 2; Platform platform = 5;
  repeated string output_paths = 7; int32 output_directory_format = 9; }
message Action { Digest command_digest = 1; Digest input_root_digest = 2; bytes salt = 9; Platform platform = 10; }
`

const hasProtoc = spawnSync('protoc', ['--version']).status === 0

/** protoc decodes, and encodes again what it has understood: the same bytes, so the encoding is canonical. */
test.skipIf(!hasProtoc)('protoc reads our bytes and writes the same ones', () => {
  const folder = mkdtempSync(`${tmpdir()}/firmwright-proto-`)
  try {
    writeFileSync(`${folder}/reapi.proto`, proto)
    const protoc = (mode: string, input: Buffer) =>
      execFileSync('protoc', [`-I${folder}`, mode, 'reapi.proto'], { input })
    const again = (message: string, bytes: Buffer) => {
      const text = protoc(`--decode=${message}`, bytes)
      expect(text.toString()).not.toMatch(/^\s*\d+:/m)
      return protoc(`--encode=${message}`, text)
    }
    for (const sample of fc.sample(directory, 10)) {
      const bytes = encodeDirectory(sample)
      expect(again('Directory', bytes).toString('hex')).toBe(bytes.toString('hex'))
    }
    const platform = [
      { name: 'tool:sh', value: 'y' },
      { name: 'network', value: 'off' },
    ]
    const command = encodeCommand({
      arguments: ['sh', '-c', 'true', ''],
      environment: [
        { name: 'TZ', value: 'UTC' },
        { name: 'EMPTY', value: '' },
      ],
      outputPaths: ['z', 'a/b'],
      platform,
    })
    expect(again('Command', command).toString('hex')).toBe(command.toString('hex'))
    const action = encodeAction({ command: digestOf(command), inputRoot: empty, salt: 'salt', platform })
    expect(again('Action', action).toString('hex')).toBe(action.toString('hex'))
  } finally {
    rmSync(folder, { recursive: true })
  }
})
