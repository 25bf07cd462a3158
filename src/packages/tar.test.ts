import { link, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readTar, type TarMember } from './tar.ts'

const read = (bytes: Uint8Array) =>
  readTar(async (offset, size) => bytes.subarray(offset, offset + size), bytes.length)

async function membersOf(bytes: Uint8Array): Promise<readonly TarMember[]> {
  const result = await read(bytes)
  if (!result.ok) throw new Error(result.error.message)
  return result.members
}

describe('archives that GNU tar writes', () => {
  let folder: string
  const long = `${'deep/'.repeat(30)}${'n'.repeat(120)}`
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tar-'))
    const root = join(folder, 'root')
    await mkdir(join(root, 'dir'), { recursive: true })
    await writeFile(join(root, 'empty'), '', { mode: 0o600 })
    await writeFile(join(root, 'dir/file'), 'x'.repeat(1000), { mode: 0o755 })
    await writeFile(join(root, 'dir/ümlaut'), 'ü')
    await symlink('../empty', join(root, 'dir/link'))
    await link(join(root, 'dir/file'), join(root, 'hard'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  async function archive(format: string): Promise<Buffer> {
    const path = join(folder, `${format}.tar`)
    const argv = ['--format', format, '--numeric-owner', '--owner=7', '--group=8', '--sort=name']
    await execa('tar', [...argv, '-C', join(folder, 'root'), '-cf', path, '.'])
    return readFile(path)
  }

  it.each(['v7', 'ustar', 'gnu', 'oldgnu', 'pax'])('are read: %s', async (format) => {
    const bytes = await archive(format)
    const members = await membersOf(bytes)
    const found = members.map(({ name, type, linkTarget }) => [name.replace(/\/$/, ''), type, linkTarget])
    expect(found.toSorted()).toEqual(
      [
        ['.', 'directory', ''],
        ['./dir', 'directory', ''],
        ['./dir/file', 'file', ''],
        ['./dir/link', 'symlink', '../empty'],
        ['./dir/ümlaut', 'file', ''],
        ['./empty', 'file', ''],
        ['./hard', 'hardlink', './dir/file'],
      ].toSorted(),
    )
    for (const member of members.filter(({ type }) => type === 'file')) {
      const content = bytes.subarray(member.offsetBytes, member.offsetBytes + member.sizeBytes)
      expect(content).toEqual(await readFile(join(folder, 'root', member.name)))
      expect([member.uid, member.gid]).toEqual([7, 8])
    }
    expect(members.find(({ name }) => name === './empty')?.mode).toBe(0o600)
    expect(members.find(({ name }) => name === './dir/file')?.mode).toBe(0o755)
  })

  it.each(['gnu', 'oldgnu', 'pax'])('with long names and link targets are read: %s', async (format) => {
    const root = join(folder, 'long')
    await mkdir(join(root, long, '..'), { recursive: true })
    await writeFile(join(root, long), 'far away')
    await rm(join(root, 'z'), { force: true })
    await symlink(long, join(root, 'z'))
    const path = join(folder, `${format}-long.tar`)
    await execa('tar', ['--format', format, '-C', root, '-cf', path, long, 'z'])
    const bytes = await readFile(path)
    const [file, link] = await membersOf(bytes)
    expect(file?.name).toBe(long)
    expect(bytes.toString('utf8', file?.offsetBytes, (file?.offsetBytes ?? 0) + 8)).toBe('far away')
    expect(link).toMatchObject({ name: 'z', type: 'symlink', linkTarget: long })
  })

  it('with devices are read', async () => {
    // Written by hand: making a device node needs root.
    const bytes = header({ name: 'dev/null', typeflag: '3', major: 1, minor: 3 })
    expect(await membersOf(bytes)).toMatchObject([{ type: 'character', major: 1, minor: 3 }])
  })

  it('damaged anywhere are members or an error with an offset, in time', async () => {
    const whole = await archive('pax')
    const damage = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(damage, { minLength: 1, maxLength: 8 }),
        fc.nat(whole.length),
        async (damages, cut) => {
          const bytes = Buffer.from(whole.subarray(0, cut))
          for (const { at, byte } of damages) if (at < bytes.length) bytes[at] = byte
          await checkTotal(bytes)
        },
      ),
      { numRuns: 500 },
    )
  })
})

async function checkTotal(bytes: Uint8Array): Promise<void> {
  const result = await read(bytes)
  if (!result.ok) {
    expect(result.error.offsetBytes).toBeLessThanOrEqual(bytes.length)
    return
  }
  for (const { offsetBytes, sizeBytes } of result.members) {
    expect(sizeBytes).toBeGreaterThanOrEqual(0)
    expect(offsetBytes + sizeBytes).toBeLessThanOrEqual(bytes.length)
  }
}

interface Fields {
  readonly name?: string
  readonly typeflag?: string
  readonly size?: string
  readonly major?: number
  readonly minor?: number
  readonly content?: Uint8Array
}

function header({ name = 'x', typeflag = '0', size, major = 0, minor = 0, content }: Fields): Buffer {
  const bytes = Buffer.alloc(512 + Math.ceil((content?.length ?? 0) / 512) * 512)
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`
  bytes.write(name, 0, 100, 'latin1')
  bytes.write(octal(0o644, 8), 100)
  bytes.write(octal(0, 8), 108)
  bytes.write(octal(0, 8), 116)
  bytes.write(size ?? octal(content?.length ?? 0, 12), 124, 'latin1')
  bytes.write(octal(0, 12), 136)
  bytes.write(typeflag, 156)
  bytes.write('ustar\x0000', 257, 'latin1')
  bytes.write(octal(major, 8), 329)
  bytes.write(octal(minor, 8), 337)
  bytes.fill(' ', 148, 156)
  bytes.write(
    octal(
      bytes.subarray(0, 512).reduce((sum, byte) => sum + byte, 0),
      7,
    ),
    148,
  )
  if (content !== undefined) bytes.set(content, 512)
  return bytes
}

describe('hostile archives', () => {
  const end = Buffer.alloc(1024)
  const errorOf = async (...parts: readonly Uint8Array[]) => {
    const result = await read(Buffer.concat([...parts, end]))
    return result.ok ? 'no error' : result.error.type
  }
  const pax = (text: string) => header({ typeflag: 'x', content: Buffer.from(text) })

  it('are refused where a size leaves the archive', async () => {
    expect(await errorOf(header({ size: '77777777777\0' }))).toBe('truncated')
    expect(await errorOf(header({ size: '\x80\0\0\0\0\x7f\xff\xff\xff\xff\xff\xff' }))).toBe('bad-number')
    expect(await errorOf(header({ size: '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff' }))).toBe(
      'bad-number',
    )
    expect(await errorOf(header({ size: '12x4567\0' }))).toBe('bad-number')
    expect(await errorOf(pax('21 size=999999999999\n'), header({}))).toBe('truncated')
  })

  it('are refused where a name is longer than a path can be', async () => {
    expect(await errorOf(header({ typeflag: 'L', content: Buffer.alloc(5000, 'a') }), header({}))).toBe(
      'too-long',
    )
    expect(await errorOf(pax(`5011 path=${'a'.repeat(5000)}\n`), header({}))).toBe('too-long')
  })

  it('are refused where an extended header is malformed', async () => {
    for (const text of ['x', '9999 a=b\n', '0 a=b\n', '5 a=b\n', '6 a=b', '7 nokey\n', '12 size=-12\n']) {
      expect(await errorOf(pax(text), header({}))).toBe('bad-pax')
    }
  })

  it('are refused where a member is of a kind nobody knows', async () => {
    expect(await errorOf(header({ typeflag: 'S' }))).toBe('unknown-type')
  })

  it('are members or errors, made of any headers in any order', async () => {
    const part = fc.record({
      typeflag: fc.constantFrom('0', '1', '2', '5', 'L', 'K', 'x', 'g', 'V', '\0'),
      name: fc.string({ maxLength: 20 }),
      content: fc.oneof(
        fc.uint8Array({ maxLength: 600 }),
        fc
          .constantFrom('11 path=ab\n', '8 uid=x\n', '9 uid=12\n', '12 size=100\n')
          .map((text) => Buffer.from(text)),
      ),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
        await checkTotal(Buffer.concat([...parts.map(header), end]))
      }),
      { numRuns: 500 },
    )
  })
})
