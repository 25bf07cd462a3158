import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { verifyLegacyMutations, verifyLzmaMutations } from './conformance.ts'
import { type LegacyImage, readLegacyImage, writeLegacyImage, writeScriptImage } from './legacy.ts'
import { readLzmaHeader, withLzmaSize } from './lzma.ts'

const folder = mkdtempSync(join(tmpdir(), 'legacy-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

const kernel: LegacyImage = {
  type: 'kernel',
  architecture: 'mips',
  operatingSystem: 'linux',
  compression: 'none',
  loadAddress: 0x80100000,
  entryPoint: 0x80100400,
  name: 'Linux 6.1, as long as it can be.',
  timeSeconds: 1700000000,
  data: Buffer.from('a kernel, or so they say'),
}

function written(image: LegacyImage): Buffer {
  const bytes = writeLegacyImage(image)
  if (!bytes.ok) throw new Error(bytes.error.message)
  return bytes.value
}

function tool(program: string, ...args: readonly string[]): string {
  const env = { PATH: process.env.PATH, SOURCE_DATE_EPOCH: '1700000000', TZ: 'UTC' }
  return execFileSync(program, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

describe('a legacy image', () => {
  it.each([
    { ...kernel },
    { ...kernel, compression: 'gzip', data: gzipSync('kernel') },
    { ...kernel, compression: 'lzma', architecture: 'arm', loadAddress: 0x40008000, entryPoint: 0x40008000 },
    { ...kernel, type: 'ramdisk', architecture: 'arm64', name: '', loadAddress: 0, entryPoint: 0 },
  ] as const)('is byte for byte that of mkimage ($type, $architecture, $compression)', (image) => {
    const [data, output] = [join(folder, 'data'), join(folder, 'image')]
    writeFileSync(data, image.data)
    const types = ['-A', image.architecture, '-O', 'linux', '-T', image.type, '-C', image.compression]
    const addresses = ['-a', image.loadAddress.toString(16), '-e', image.entryPoint.toString(16)]
    tool('mkimage', ...types, ...addresses, '-n', image.name, '-d', data, output)
    expect(written(image)).toEqual(readFileSync(output))
  })

  it('is listed by mkimage and dumpimage', () => {
    const file = join(folder, 'listed')
    writeFileSync(file, written(kernel))
    for (const listing of [tool('mkimage', '-l', file), tool('dumpimage', '-l', file)]) {
      expect(listing).toContain('Image Name:   Linux 6.1, as long as it can be.')
      expect(listing).toContain('MIPS Linux Kernel Image (uncompressed)')
      expect(listing).toContain('Load Address: 80100000')
      expect(listing).toContain('Entry Point:  80100400')
      expect(listing).toContain('Tue Nov 14 22:13:20 2023')
    }
  })

  it('with a script is what mkimage makes of the text', () => {
    const [data, output] = [join(folder, 'script.txt'), join(folder, 'script.img')]
    const text = "setenv a 'b'\nbooti 0x40200000\n"
    writeFileSync(data, text)
    tool(
      'mkimage',
      '-A',
      'arm64',
      '-O',
      'linux',
      '-T',
      'script',
      '-C',
      'none',
      '-n',
      'boot',
      '-d',
      data,
      output,
    )
    const script = writeScriptImage(text, { architecture: 'arm64', name: 'boot', timeSeconds: 1700000000 })
    expect(script).toEqual({ ok: true, value: readFileSync(output) })
  })

  it('is read back as it was written, whatever follows', () => {
    const bytes = Buffer.concat([written(kernel), Buffer.alloc(100)])
    const image = readLegacyImage(bytes)
    expect(image).toEqual({
      ok: true,
      value: { ...kernel, data: bytes.subarray(64, 64 + kernel.data.length) },
    })
  })

  it('is refused when damaged, with the place', () => {
    const good = written(kernel)
    const damaged = (offset: number) => {
      const bytes = Buffer.from(good)
      bytes[offset] = (bytes[offset] ?? 0) ^ 1
      return bytes
    }
    const errorOf = (bytes: Uint8Array) => {
      const image = readLegacyImage(bytes)
      return image.ok ? undefined : [image.error.type, image.error.offsetBytes]
    }
    expect(errorOf(good.subarray(0, 63))).toEqual(['truncated', 63])
    expect(errorOf(damaged(0))).toEqual(['not-an-image', 0])
    expect(errorOf(damaged(20))).toEqual(['bad-checksum', 4])
    expect(errorOf(damaged(70))).toEqual(['bad-checksum', 24])
    expect(errorOf(good.subarray(0, good.length - 1))).toEqual(['truncated', 12])
  })

  it('is refused where its fields are too small', () => {
    const refused = (image: LegacyImage) => {
      const bytes = writeLegacyImage(image)
      return bytes.ok ? undefined : bytes.error.type
    }
    expect(refused({ ...kernel, name: 'x'.repeat(33) })).toBe('bad-name')
    expect(refused({ ...kernel, name: 'naïve' })).toBe('bad-name')
    expect(refused({ ...kernel, loadAddress: 2 ** 32 })).toBe('does-not-fit')
    expect(refused({ ...kernel, entryPoint: -1 })).toBe('does-not-fit')
    expect(refused({ ...kernel, timeSeconds: 1.5 })).toBe('does-not-fit')
  })

  it('or anything else never makes the reader throw', () => {
    const done = verifyLegacyMutations([written(kernel)], 1, 20_000)
    expect(done.failures).toEqual([])
    // The damage gets behind the checksums, and to every refusal.
    expect(done.refused).toBeLessThan(15_000)
    expect([...done.kinds.keys()].sort()).toEqual([
      'bad-checksum',
      'not-an-image',
      'truncated',
      'unsupported',
    ])
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => !readLegacyImage(bytes).ok))
  })
})

describe('an .lzma stream', () => {
  it('gets the true size, and lzma still unpacks it', () => {
    const text = Buffer.from('firmware '.repeat(1000))
    const stream = execFileSync('xz', ['--format=lzma', '-c'], { input: text })
    expect(readLzmaHeader(stream)).toMatchObject({ ok: true, value: { unpackedSizeBytes: undefined } })
    const sized = withLzmaSize(stream, text.length)
    if (!sized.ok) throw new Error(sized.error.message)
    expect(readLzmaHeader(sized.value)).toMatchObject({
      ok: true,
      value: { unpackedSizeBytes: BigInt(text.length) },
    })
    expect(execFileSync('xz', ['--format=lzma', '-dc'], { input: sized.value })).toEqual(text)
    expect(sized.value.subarray(13)).toEqual(stream.subarray(13))
    expect(verifyLzmaMutations(stream, 1, 5000).failures).toEqual([])
  })

  it('is refused when it is none', () => {
    expect(readLzmaHeader(Buffer.alloc(12))).toMatchObject({ error: { type: 'truncated', offsetBytes: 12 } })
    expect(readLzmaHeader(Buffer.alloc(13, 0xff))).toMatchObject({ error: { type: 'not-an-image' } })
  })
})
