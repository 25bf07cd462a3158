import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compressedImageRegions, unpackedFootprint } from './footprint.ts'
import { arm64Constraints, arm64Footprint, readArm64Image } from './kernel-arm64.ts'
import { readZImage, type ZImage, zImageFootprint, zImageUnpackedRegion } from './kernel-zimage.ts'
import { handedRegions, highPlacement, loaderRegion } from './loader.ts'
import { toLoaderAddress, toPhysicalAddress } from './view.ts'

/** As the first bytes of Debian's arm64 6.1 kernel, with other numbers where given. */
function arm64Header(textOffset = 0n, imageSize = 0x2010000n, flags = 0xan): Buffer {
  const bytes = Buffer.alloc(64)
  bytes.write('MZ')
  bytes.writeBigUInt64LE(textOffset, 8)
  bytes.writeBigUInt64LE(imageSize, 16)
  bytes.writeBigUInt64LE(flags, 24)
  bytes.write('ARMd', 56)
  return bytes
}

function arm64(...parameters: Parameters<typeof arm64Header>) {
  const image = readArm64Image(arm64Header(...parameters))
  if (!image.ok) throw new Error(image.error.message)
  return image.value
}

describe('an arm64 Image', () => {
  const fileSizeBytes = 0x1f6d8c0

  it('takes the memory that its header says, which is more than the file', () => {
    const place = { loadAddress: 0x40200000, fileSizeBytes, ramStart: 0x40000000 }
    expect(arm64Footprint(arm64(), place)).toEqual({
      regions: [{ name: 'kernel', address: 0x40200000, sizeBytes: 0x2010000 }],
      entryPoint: 0x40200000,
      moved: false,
    })
  })

  it('is moved up to the next 2 MiB when it is not on one, and both places count', () => {
    const place = { loadAddress: 0x40280000, fileSizeBytes, ramStart: 0x40000000 }
    expect(arm64Footprint(arm64(), place)).toEqual({
      regions: [{ name: 'kernel, as loaded and moved', address: 0x40280000, sizeBytes: 0x2190000 }],
      entryPoint: 0x40400000,
      moved: true,
    })
  })

  it('without the flag "anywhere" is moved to the start of the RAM', () => {
    const old = arm64(0x80000n, 0x900000n, 2n)
    expect(
      arm64Footprint(old, { loadAddress: 0x48000000, fileSizeBytes: 0x800000, ramStart: 0x40000000 }),
    ).toEqual({
      regions: [
        { name: 'kernel, as loaded', address: 0x48000000, sizeBytes: 0x800000 },
        { name: 'kernel, moved', address: 0x40080000, sizeBytes: 0x900000 },
      ],
      entryPoint: 0x40080000,
      moved: true,
    })
  })

  it('keeps its text offset, and a header without a size counts as 16 MiB', () => {
    expect(arm64Constraints(arm64(0x80000n), 5)).toEqual({
      sizeBytes: 0x2010000,
      alignBytes: 0x200000,
      alignOffsetBytes: 0x80000,
    })
    expect(arm64(0n, 0n, 0n)).toMatchObject({ textOffsetBytes: 0x80000, imageSizeBytes: 0x1000000 })
  })

  it('placed by its constraints is never moved', () => {
    fc.assert(
      fc.property(
        fc.nat(500),
        fc.constantFrom(0n, 0x80000n),
        fc.nat(0x3000000),
        (block, textOffset, size) => {
          const image = arm64(textOffset)
          const { alignBytes, alignOffsetBytes } = arm64Constraints(image, size)
          const loadAddress = block * alignBytes + alignOffsetBytes
          return !arm64Footprint(image, { loadAddress, fileSizeBytes: size, ramStart: 0 }).moved
        },
      ),
    )
  })

  it('is refused when it is none', () => {
    expect(readArm64Image(Buffer.alloc(63))).toMatchObject({ error: { type: 'truncated' } })
    expect(readArm64Image(Buffer.alloc(64))).toMatchObject({ error: { type: 'not-a-kernel' } })
    expect(readArm64Image(arm64Header(0n, 1n << 50n))).toMatchObject({ error: { type: 'unsupported' } })
  })
})

/** With the numbers of Debian's armmp 6.1 kernel, but smaller by far. */
function zImageFile(): Buffer {
  const bytes = Buffer.alloc(0x400)
  bytes.writeUInt32LE(0x016f2818, 0x24)
  bytes.writeUInt32LE(0x400, 0x2c)
  bytes.writeUInt32LE(0x04030201, 0x30)
  bytes.writeUInt32LE(0x45454545, 0x34)
  bytes.writeUInt32LE(0x100, 0x38)
  const table = [3, 0x11111111, 0, 6, 0x5a534c4b, 0x300, 0x5e4d4, 0x208000, 0x10000, 0]
  for (const [index, word] of table.entries()) bytes.writeUInt32LE(word, 0x100 + index * 4)
  bytes.writeUInt32LE(0x13a10b4, 0x300)
  return bytes
}

describe('a zImage', () => {
  const image: ZImage = {
    imageSizeBytes: 0x400,
    unpackedSizeBytes: 0x13a10b4,
    bssSizeBytes: 0x5e4d4,
    textOffsetBytes: 0x208000,
    mallocSizeBytes: 0x10000,
  }
  const ramStart = 0x40000000

  it('tells in its table what it unpacks to', () => {
    expect(readZImage(zImageFile())).toEqual({ ok: true, value: image })
  })

  it('unpacks to the start of the RAM as its own address and the tree have it', () => {
    const end = 0x40208000 + 0x13a10b4 + 0x5e4d4
    expect(zImageUnpackedRegion(image, { loadAddress: 0x42000000, ramStart })).toEqual({
      name: 'kernel, unpacked',
      address: 0x40203000,
      sizeBytes: end - 0x40203000,
    })
    // Not in the first 128 MiB; and on a board whose RAM does not start on 128 MiB.
    expect(zImageUnpackedRegion(image, { loadAddress: 0x4a000000, ramStart }).address).toBe(0x48203000)
    expect(zImageUnpackedRegion(image, { loadAddress: 0x22000000, ramStart: 0x21f00000 }).address).toBe(
      0x22203000,
    )
  })

  it('has two regions when it lies clear of its own kernel', () => {
    const footprint = zImageFootprint(image, { loadAddress: 0x42000000, fileSizeBytes: 0x400, ramStart })
    expect(footprint.moved).toBe(false)
    expect(footprint.entryPoint).toBe(0x40208000)
    expect(footprint.regions.map(({ name }) => name)).toEqual(['kernel, unpacked', 'kernel (zImage)'])
    expect(footprint.regions[1]?.sizeBytes).toBe(0x400 + 0x10000 + 0x10000)
  })

  it('in the way of its own kernel takes everything up to where it has moved', () => {
    const footprint = zImageFootprint(image, { loadAddress: 0x40008000, fileSizeBytes: 0x530000, ramStart })
    expect(footprint.moved).toBe(true)
    const region = footprint.regions[0]
    expect(footprint.regions).toHaveLength(1)
    expect(region?.address).toBe(0x40008000)
    expect((region?.address ?? 0) + (region?.sizeBytes ?? 0)).toBeGreaterThan(
      0x40208000 + 0x13a10b4 + 0x530000,
    )
  })

  it('is refused when it is none, or does not tell', () => {
    const patched = (offset: number, word: number) => {
      const bytes = zImageFile()
      bytes.writeUInt32LE(word, offset)
      return readZImage(bytes)
    }
    expect(readZImage(Buffer.alloc(10))).toMatchObject({ error: { type: 'truncated' } })
    expect(patched(0x24, 0)).toMatchObject({ error: { type: 'not-a-kernel' } })
    expect(patched(0x2c, 0x401)).toMatchObject({ error: { type: 'truncated' } })
    expect(patched(0x34, 0)).toMatchObject({ error: { type: 'unsupported' } })
    expect(patched(0x38, 0xfffffff0)).toMatchObject({ error: { type: 'unsupported' } })
    expect(patched(0x100, 0)).toMatchObject({ error: { type: 'unsupported' } })
    expect(patched(0x114, 0x3fe)).toMatchObject({ error: { type: 'truncated' } })
  })

  it('never throws for damaged bytes', () => {
    const good = zImageFile()
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(0x3ff), fc.nat(255)), { maxLength: 8 }),
        fc.nat(0x400),
        (edits, length) => {
          const bytes = Buffer.from(good)
          for (const [offset, byte] of edits) bytes[offset] = byte
          readZImage(bytes.subarray(0, length))
          readArm64Image(bytes.subarray(0, length))
          return true
        },
      ),
    )
  })
})

describe('kernels that are unpacked elsewhere', () => {
  it('take both places', () => {
    const kernel = {
      loadedAt: 0x2000000,
      fileSizeBytes: 0x500000,
      loadAddress: 0x100000,
      unpackedSizeBytes: 0xb00000,
    }
    expect(unpackedFootprint({ ...kernel, bssSizeBytes: 0x40000, workSizeBytes: 0x400000 }).regions).toEqual([
      { name: 'kernel, as loaded', address: 0x2000000, sizeBytes: 0x900000 },
      { name: 'kernel, unpacked', address: 0x100000, sizeBytes: 0xb40000 },
    ])
  })

  it('a compressed Image takes its unpacked size where it is loaded, and the buffer', () => {
    const buffer = { address: 0x50000000, sizeBytes: 0x4000000 }
    const place = { loadAddress: 0x40200000, compressedSizeBytes: 100, unpackedSizeBytes: 300, buffer }
    expect(compressedImageRegions(place)).toEqual([
      { name: 'kernel, as loaded', address: 0x40200000, sizeBytes: 300 },
      { name: 'kernel_comp_addr_r', ...buffer },
    ])
  })
})

describe('the boot loader', () => {
  const ram = { start: 0x40000000, end: 0x60000000 }
  const loader = loaderRegion(ram, 0x1000000)

  it('reads fdt_high by the size of its word', () => {
    expect(highPlacement('0xffffffff', 32)).toEqual({ type: 'in-place' })
    expect(highPlacement('ffffffff', 64)).toEqual({ type: 'copied', limit: 0xffffffff })
    expect(highPlacement('0xffffffffffffffff', 64)).toEqual({ type: 'in-place' })
    expect(highPlacement(undefined, 32)).toEqual({ type: 'copied', limit: undefined })
    expect(highPlacement('0', 32)).toEqual({ type: 'copied', limit: undefined })
    expect(highPlacement('0x50000000', 32)).toEqual({ type: 'copied', limit: 0x50000000 })
    expect(highPlacement('none', 32)).toEqual({ type: 'copied', limit: undefined })
  })

  it('copies the initramfs and then the tree below itself, each on its page', () => {
    const copied = { type: 'copied', limit: undefined } as const
    const handed = handedRegions({
      loader,
      ram,
      tree: { address: 0x41000000, sizeBytes: 0x1001, placement: copied },
      initramfs: { address: 0x42000000, sizeBytes: 0x10001, placement: copied },
      taken: [{ name: 'reserved', address: 0x5efee000, sizeBytes: 0x1000 }],
    })
    expect(handed).toEqual({
      ok: true,
      value: [
        { name: 'initramfs', address: 0x42000000, sizeBytes: 0x10001 },
        { name: 'device tree', address: 0x41000000, sizeBytes: 0x1001 },
        { name: 'initramfs, copied', address: 0x5efef000 - 0x0, sizeBytes: 0x10001 },
        { name: 'device tree, copied', address: 0x5efe9000, sizeBytes: 0x4001 },
      ],
    })
  })

  it('says when there is no room for a copy', () => {
    const tree = {
      address: 0x41000000,
      sizeBytes: 0x1000,
      placement: { type: 'copied', limit: 0x40002000 },
    } as const
    expect(handedRegions({ loader, ram, tree, taken: [] })).toMatchObject({
      ok: false,
      error: { type: 'no-room-below-loader' },
    })
  })

  it('sees physical memory at KSEG0 on MIPS', () => {
    expect(toLoaderAddress('kseg0', 0x100000)).toBe(0x80100000)
    expect(toLoaderAddress('kseg0', 0x20000000)).toBeUndefined()
    expect(toLoaderAddress('physical', 0x20000000)).toBe(0x20000000)
    expect(toPhysicalAddress('kseg0', 0x8a000000)).toBe(0x0a000000)
    expect(toPhysicalAddress('kseg0', 0xffffffff8a000000n)).toBe(0x0a000000)
    expect(toPhysicalAddress('kseg0', 0xa0000010)).toBe(0x10)
    expect(toPhysicalAddress('kseg0', 0x100)).toBeUndefined()
    expect(toPhysicalAddress('physical', 0x100)).toBe(0x100)
  })
})
