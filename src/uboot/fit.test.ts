import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import {
  EMPTY_TREE,
  printDevicetree,
  readDevicetree,
  setProperty,
  writeDevicetree,
} from '../devicetree/index.ts'
import { type Fit, type FitImage, writeFit } from './fit.ts'

const folder = mkdtempSync(join(tmpdir(), 'fit-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

const kernel: FitImage = {
  name: 'kernel-1',
  description: 'Linux 6.1',
  type: 'kernel',
  architecture: 'arm64',
  compression: 'gzip',
  loadAddress: 0x40200000n,
  entryPoint: 0x40200000n,
  data: gzipSync('kernel'),
}
const tree: FitImage = {
  name: 'fdt-1',
  description: 'Board',
  type: 'flat_dt',
  architecture: 'arm64',
  compression: 'none',
  loadAddress: 0x44000000n,
  data: writeDevicetree(EMPTY_TREE),
}
const ramdisk: FitImage = {
  ...tree,
  name: 'ramdisk-1',
  description: 'Root',
  type: 'ramdisk',
  data: Buffer.from('cpio'),
}
const fit: Fit = {
  description: 'Firmware',
  timeSeconds: 1700000000,
  images: [kernel, tree, ramdisk],
  configurations: [
    { name: 'conf-1', description: 'With a root', kernel: 'kernel-1', tree: 'fdt-1', ramdisk: 'ramdisk-1' },
    { name: 'conf-2', description: 'Without', kernel: 'kernel-1' },
  ],
}

function written(from: Fit): Buffer {
  const bytes = writeFit(from)
  if (!bytes.ok) throw new Error(bytes.error.message)
  return bytes.value
}

function tool(program: string, ...args: readonly string[]): string {
  const env = { PATH: process.env.PATH, SOURCE_DATE_EPOCH: '1700000000', TZ: 'UTC' }
  return execFileSync(program, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** What mkimage makes of the same description. */
function byMkimage(from: Fit, cells: number): Buffer {
  const cell = (address: bigint) => {
    return cells === 1
      ? `<0x${address.toString(16)}>`
      : `<0x${(address >> 32n).toString(16)} 0x${(address & 0xffffffffn).toString(16)}>`
  }
  const images = from.images.map((image) => {
    const file = join(folder, image.name)
    writeFileSync(file, image.data)
    return `${image.name} { description = "${image.description}"; data = /incbin/("${file}"); type = "${image.type}";
      arch = "${image.architecture}"; ${image.type === 'flat_dt' ? '' : 'os = "linux";'} compression = "${image.compression}";
      load = ${cell(image.loadAddress)}; ${image.type === 'kernel' ? `entry = ${cell(image.entryPoint)};` : ''}
      hash-1 { algo = "crc32"; }; hash-2 { algo = "sha256"; }; };`
  })
  const configurations = from.configurations.map((configuration) => {
    const { name, description, kernel: kernelName, tree: treeName, ramdisk: ramdiskName } = configuration
    return `${name} { description = "${description}"; kernel = "${kernelName}";
      ${treeName ? `fdt = "${treeName}";` : ''} ${ramdiskName ? `ramdisk = "${ramdiskName}";` : ''} };`
  })
  const source = `/dts-v1/; / { timestamp = <0>; description = "${from.description}"; #address-cells = <${cells}>;
    images { ${images.join('\n')} };
    configurations { default = "${from.configurations[0].name}"; ${configurations.join('\n')} }; };`
  const [its, itb] = [join(folder, 'fit.its'), join(folder, 'fit.itb')]
  writeFileSync(its, source)
  tool('mkimage', '-D', '-q', '-f', its, itb)
  return readFileSync(itb)
}

function textOf(bytes: Uint8Array): string {
  const read = readDevicetree(bytes)
  if (!read.ok) throw new Error(read.error.message)
  return printDevicetree(read.value)
}

describe('a FIT', () => {
  it('is the tree that mkimage makes of the same description, hashes and all', () => {
    expect(textOf(written(fit))).toBe(textOf(byMkimage(fit, 1)))
  })

  it('has addresses of two cells where one is not enough', () => {
    const high = { ...fit, images: [{ ...kernel, loadAddress: 0x1_4020_0000n }, tree, ramdisk] }
    expect(textOf(written(high))).toBe(textOf(byMkimage(high, 2)))
  })

  it('is listed by mkimage and dumpimage, and its images come out as they went in', () => {
    const file = join(folder, 'listed.itb')
    writeFileSync(file, written(fit))
    for (const listing of [tool('mkimage', '-l', file), tool('dumpimage', '-l', file)]) {
      expect(listing).toContain('FIT description: Firmware')
      expect(listing).toContain("Default Configuration: 'conf-1'")
      expect(listing).toContain('Load Address: 0x40200000')
      expect(listing).toContain(`Hash value:   ${createHash('sha256').update(kernel.data).digest('hex')}`)
    }
    for (const [index, image] of fit.images.entries()) {
      const output = join(folder, 'extracted')
      tool('dumpimage', '-T', 'flat_dt', '-p', String(index), '-o', output, file)
      expect(readFileSync(output)).toEqual(Buffer.from(image.data))
    }
  })

  it('has other hashes when asked', () => {
    const text = textOf(written({ ...fit, hashes: ['sha1', 'md5'] }))
    expect(text).toContain('algo = "sha1"')
    expect(text).not.toContain('crc32')
  })

  it('is refused where it contradicts itself', () => {
    const refused = (change: Partial<Fit>) => {
      const bytes = writeFit({ ...fit, ...change })
      return bytes.ok ? undefined : bytes.error.type
    }
    expect(refused({ images: [kernel, { ...tree, name: 'kernel-1' }] })).toBe('bad-reference')
    expect(refused({ images: [kernel, tree] })).toBe('bad-reference')
    expect(refused({ configurations: [{ name: 'c', description: '', kernel: 'fdt-1' }] })).toBe(
      'bad-reference',
    )
    const twice = { name: 'c', description: '', kernel: 'kernel-1' }
    expect(refused({ configurations: [twice, twice] })).toBe('bad-reference')
    expect(refused({ images: [{ ...kernel, name: 'a/b' }] })).toBe('bad-name')
    expect(refused({ images: [{ ...kernel, loadAddress: 1n << 64n }, tree, ramdisk] })).toBe('does-not-fit')
    expect(refused({ images: [{ ...kernel, entryPoint: -1n }, tree, ramdisk] })).toBe('does-not-fit')
    expect(refused({ timeSeconds: -1 })).toBe('does-not-fit')
  })

  it('holds a tree with a property of any bytes', () => {
    const odd = setProperty(EMPTY_TREE, '/', 'bytes', Buffer.from([0, 1, 2]))
    if (!odd.ok) throw new Error(odd.error.message)
    const data = writeDevicetree(odd.value)
    expect(textOf(written({ ...fit, images: [kernel, { ...tree, data }, ramdisk] }))).toContain('fdt-1 {')
  })
})
