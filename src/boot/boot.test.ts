import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { overlaps, TREE_GROWTH_BYTES } from '../layout/index.ts'
import { type Loader, parseLoader } from '../uboot/index.ts'
import { appendTree } from './appended.ts'
import { sampleArm64, sampleMips, sampleZImage, verifyKernelMutations } from './conformance.ts'
import { parseBootFile } from './file.ts'
import { type Board, type BootParts, placeBoot } from './plan.ts'
import { type KernelProgram, programNeeds, readKernelProgram } from './program.ts'
import { bootScript, type ScriptRequest, scriptText, typedText } from './script.ts'
import { chooseTransport } from './transport.ts'

const data = new URL('../devices/loaders/qemu-arm64.json', import.meta.url)
const parsed = parseLoader(JSON.parse(readFileSync(data, 'utf8')))
if (!parsed.ok) throw new Error(parsed.error.message)
const loader = parsed.value

const MIB = 1 << 20
const board: Board = {
  loader,
  memory: [{ start: 0x4000_0000, end: 0x5000_0000 }],
  reserved: [],
  rootAddress: 0x4040_0000,
}
const image: KernelProgram = {
  type: 'arm64-image',
  image: { textOffsetBytes: 0, imageSizeBytes: 0x201_0000, anywhere: true, bigEndian: false },
  sizeBytes: 0x1f6_dfc0,
}
const phram: BootParts = {
  format: 'image',
  program: image,
  kernelFileBytes: image.sizeBytes,
  rootBytes: 5_000_001,
  tree: { source: 'ours', sizeBytes: 0x8000 },
}

function place(parts: BootParts, on: Board = board) {
  const placed = placeBoot(on, parts)
  if (!placed.ok) throw new Error(placed.error.message)
  return placed.value
}
/** The start of a region, and the address behind it. */
function extent(placed: ReturnType<typeof place>, name: string): readonly [number, number] {
  const region = placed.layout.regions.find((candidate) => candidate.name === name)
  if (region === undefined) throw new Error(`there is no region ${name}`)
  return [region.address, region.address + region.sizeBytes]
}

describe('the places of a boot', () => {
  it('are the root where the device has it, then the tree, then the kernel on 2 MiB', () => {
    const placed = place(phram)
    expect(placed.addresses.root).toBe(0x4040_0000)
    const { root = 0, tree = 0, kernelStart } = placed.addresses
    expect([root, tree, kernelStart]).toEqual([root, tree, kernelStart].sort((a, b) => a - b))
    expect(kernelStart % (2 * MIB)).toBe(0)
    expect(overlaps(placed.layout)).toEqual([])
  })

  it.each([
    [4096 * 1000 - 1, 4096 * 1000],
    [4096 * 1000, 4096 * 1000],
    [4096 * 1000 + 1, 4096 * 1001],
  ])('round a root of %i bytes to whole pages, and no page more', (rootBytes, sizeBytes) => {
    const [start, end] = extent(place({ ...phram, rootBytes }), 'root')
    expect(end - start).toBe(sizeBytes)
  })

  it('have the copies of tree and initramfs below the loader, the tree with what it grows by', () => {
    const placed = place({ ...phram, initramfsBytes: MIB })
    const [treeStart, treeEnd] = extent(placed, 'device tree, copied')
    const [, initramfsEnd] = extent(placed, 'initramfs, copied')
    expect(treeEnd - treeStart).toBe(0x8000 + TREE_GROWTH_BYTES)
    expect(initramfsEnd).toBeLessThanOrEqual(extent(placed, 'boot loader')[0])
  })

  it('leave room behind a tree that is used in place', () => {
    const inPlace: Board = { ...board, loader: { ...loader, fdtHigh: '0xffffffffffffffff' } }
    const [start, end] = extent(place(phram, inPlace), 'device tree')
    expect(end - start).toBe(0x8000 + TREE_GROWTH_BYTES)
  })

  it('have room for a compressed kernel where it is unpacked', () => {
    const placed = place({ ...phram, format: 'image-compressed', kernelFileBytes: 11 * MIB })
    const [start, end] = extent(placed, 'kernel_comp_addr_r')
    expect(end - start).toBe(image.sizeBytes)
    expect(placed.addresses.unpackBuffer).toBe(start)
  })

  it('have a uImage and a FIT apart from where the kernel goes', () => {
    for (const format of ['uimage-gzip', 'fit'] as const) {
      const { addresses, layout } = place({ ...phram, format, kernelFileBytes: 11 * MIB })
      expect(addresses.kernelFile).not.toBe(addresses.kernelStart)
      expect(overlaps(layout)).toEqual([])
    }
  })

  it.each(['root', 'initramfs'] as const)('have room for the %s as it comes and as it is expanded', (of) => {
    const { rootBytes, ...rest } = phram
    const parts: BootParts = {
      ...rest,
      ...(of === 'root' ? { rootBytes: rootBytes ?? 0 } : { initramfsBytes: 5 * MIB }),
      packed: { of, method: 'gzip', fileBytes: 3 * MIB },
    }
    const placed = place(parts)
    const [start, end] = extent(placed, 'root, as transferred')
    expect(end - start).toBe(3 * MIB)
    expect(placed.addresses).toMatchObject({ packed: start, [of]: 0x4040_0000 })
    expect(overlaps(placed.layout)).toEqual([])
  })

  it('are refused where the two do not fit beside each other', () => {
    const tight: Board = { ...board, memory: [{ start: 0x4000_0000, end: 0x4600_0000 }] }
    expect(placeBoot(tight, { ...phram, rootBytes: 12 * MIB })).toMatchObject({ ok: true })
    const packed = { of: 'root', method: 'gzip', fileBytes: 11 * MIB } as const
    expect(placeBoot(tight, { ...phram, rootBytes: 12 * MIB, packed })).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('root, as transferred') },
    })
  })

  it('are refused where memory is too short, by how much', () => {
    const small: Board = { ...board, memory: [{ start: 0x4000_0000, end: 0x4400_0000 }] }
    const placed = placeBoot(small, phram)
    expect(placed).toMatchObject({ ok: false, error: { type: 'no-layout' } })
    if (!placed.ok) expect(placed.error.message).toMatch(/no room for .*bytes are missing/)
  })

  it('are refused where a reserved region lies in the root, with an address that would do', () => {
    const reserved = [{ name: 'firmware', address: 0x4060_0000, sizeBytes: MIB }]
    const placed = placeBoot({ ...board, reserved }, phram)
    expect(placed).toMatchObject({ ok: false, error: { type: 'no-layout' } })
    if (!placed.ok) expect(placed.error.message).toContain('put root at 0x40700000 or above')
  })
})

describe('the script', () => {
  const request = (parts: BootParts, on: Loader = loader): ScriptRequest => ({
    loader: on,
    parts,
    placement: place(parts, { ...board, loader: on }),
    files: {
      kernel: 'Image',
      ...(parts.rootBytes === undefined ? {} : { root: 'rootfs.squashfs' }),
      ...(parts.initramfsBytes === undefined ? {} : { initramfs: 'initramfs.img' }),
      ...(parts.tree.source === 'ours' ? { tree: 'board.dtb' } : {}),
    },
    commandLine: 'console=ttyAMA0',
    network: { server: '192.0.2.1', board: '192.0.2.2', netmask: '255.255.255.0' },
  })
  const lines = (parts: BootParts, on: Loader = loader) => {
    const written = bootScript(request(parts, on))
    if (!written.ok) throw new Error(written.error.message)
    return written.value
  }

  it('does every transfer, then edits the tree of the loader, then boots', () => {
    const written = lines({ ...phram, tree: { source: 'loader' } })
    const order = ['check', 'network', 'transfer', 'edit', 'boot']
    const stages = written.map(({ stage }) => order.indexOf(stage))
    expect(stages).toEqual([...stages].sort((a, b) => a - b))
    const text = written.map((line) => line.text)
    expect(text).toContain('fdt mknode /reserved-memory rootfs@40400000')
    expect(text).toContain("fdt set /reserved-memory/rootfs@40400000 reg '<0x0 0x40400000 0x0 0x4c5000>'")
    expect(text).toContain("fdt set /reserved-memory/rootfs@40400000 compatible 'phram'")
    expect(text.at(-1)).toBe('booti 0x40a00000 - ${fdtcontroladdr}')
  })

  it('says what to do when it has run before', () => {
    const [, check] = lines({ ...phram, tree: { source: 'loader' } })
    expect(check?.text).toBe('fdt list /reserved-memory/rootfs@40400000')
    expect(check?.onSuccess).toContain('reset')
  })

  it('hands over initramfs and tree of ours', () => {
    const written = lines({ ...phram, initramfsBytes: 0x12_3456 })
    expect(written.at(-1)?.text).toMatch(/^booti 0x[0-9a-f]+ 0x[0-9a-f]+:123456 0x[0-9a-f]+$/)
  })

  it('hands over an initramfs in an image of its own, which says how long it is', () => {
    const old: Loader = { ...loader, rawInitramfs: false }
    const bare = { ...phram, initramfsBytes: 0x12_3496 }
    expect(bootScript(request(bare, old))).toMatchObject({ error: { type: 'loader-cannot' } })
    const written = lines({ ...bare, initramfsWrapped: true }, old)
    expect(written.at(-1)?.text).toMatch(/^booti 0x[0-9a-f]+ 0x[0-9a-f]+ 0x[0-9a-f]+$/)
  })

  it('names the configuration of a FIT, for the initramfs too where the tree is not in it', () => {
    const fit = { ...phram, format: 'fit', kernelFileBytes: 0x80_0000, initramfsBytes: 0x1000 } as const
    expect(lines(fit).at(-1)?.text).toMatch(/^bootm 0x[0-9a-f]+#default$/)
    const own = lines({ ...fit, tree: { source: 'loader' } })
    expect(own.at(-1)?.text).toMatch(/^bootm (0x[0-9a-f]+#default) \1 \$\{fdtcontroladdr\}$/)
  })

  it('tells a compressed Image where to be unpacked', () => {
    const text = lines({ ...phram, format: 'image-compressed', kernelFileBytes: 0x80_0000 }).map(
      (l) => l.text,
    )
    expect(text).toContain("setenv kernel_comp_size '0x800000'")
  })

  it('expands what was transferred in a shorter form, before the tree is edited', () => {
    const parts: BootParts = {
      ...phram,
      tree: { source: 'loader' },
      packed: { of: 'root', method: 'lzma', fileBytes: 3 * MIB },
    }
    const written = lines(parts)
    const { packed = 0, root = 0 } = place(parts).addresses
    expect(written.find(({ stage }) => stage === 'unpack')?.text).toBe(
      `lzmadec 0x${packed.toString(16)} 0x${root.toString(16)}`,
    )
    expect(written.find(({ file }) => file === 'rootfs.squashfs')?.text).toContain(
      `0x${packed.toString(16)} `,
    )
    const stages = written.map(({ stage }) => stage)
    expect(stages.lastIndexOf('transfer')).toBeLessThan(stages.indexOf('unpack'))
    expect(stages.indexOf('unpack')).toBeLessThan(stages.indexOf('edit'))
    const without: Loader = { ...loader, commands: loader.commands.filter((name) => name !== 'lzmadec') }
    expect(bootScript(request(parts, without))).toMatchObject({
      error: { type: 'loader-cannot', missing: [`${loader.name} has no command "lzmadec"`] },
    })
  })

  it('hands neither tree nor initramfs over where the kernel has them from a tree of its own', () => {
    const parts: BootParts = { ...phram, initramfsBytes: 0x1000, tree: { source: 'appended' } }
    const { ownTree: _, ...old } = loader
    const vendor: Loader = { ...old, tree: false, rawInitramfs: false }
    expect(lines(parts, vendor).at(-1)?.text).toMatch(/^booti 0x[0-9a-f]+$/)
    // A loader that starts no kernel without a tree hands its own over, which the kernel does not look at.
    expect(lines(parts).at(-1)?.text).toMatch(/^booti 0x[0-9a-f]+ - \$\{fdtcontroladdr\}$/)
  })

  it('is refused by name where the loader lacks something', () => {
    const old: Loader = { ...loader, formats: ['fit'], commands: ['tftpboot', 'setenv', 'bootm', 'fdt'] }
    expect(bootScript(request(phram, old))).toMatchObject({
      error: {
        type: 'loader-cannot',
        missing: [expect.stringContaining('"image"'), expect.stringContaining('"booti"')],
      },
    })
    const small: Loader = { ...loader, unpackLimitBytes: 8 * MIB }
    expect(bootScript(request({ ...phram, format: 'uimage-gzip' }, small))).toMatchObject({
      error: { type: 'loader-cannot' },
    })
  })

  it('keeps to the length of a line, however long the command line is', () => {
    const long = request(phram)
    const written = bootScript({ ...long, commandLine: 'parameter=value '.repeat(100) })
    expect(written.ok && Math.max(...written.value.map(({ text }) => text.length))).toBeLessThanOrEqual(511)
  })

  it('as a script ends at the first line that fails, as a shell sees it', () => {
    const text = scriptText(lines({ ...phram, tree: { source: 'loader' } }), loader)
    const ran = (failing: string): string => {
      const fake = [
        `try() { echo "$1 $2"; case "$*" in ${failing}) return 1 ;; esac; }`,
        ...['tftpboot', 'fdt', 'booti'].map((command) => `${command}() { try ${command} "$@"; }`),
        'setenv() { :; }; fdtcontroladdr=1',
      ]
      return execFileSync('sh', ['-c', `(${fake.join('\n')}\n${text}) || true`], { encoding: 'utf8' })
    }
    expect(ran('fdt\\ list*')).toContain('booti')
    expect(ran('fdt\\ list*|tftpboot*Image')).not.toContain('booti')
    expect(ran('fdt\\ list*|tftpboot*Image')).toContain('Image was not transferred')
    expect(ran('nothing')).toContain('reset it')
    expect(ran('nothing')).not.toContain('tftpboot')
  })

  it('for people says what a line is for that must fail', () => {
    expect(typedText(lines({ ...phram, tree: { source: 'loader' } }))).toMatch(
      /# if this prints a node: .*reset it/,
    )
  })
})

describe('a boot.json', () => {
  const placed = place(phram)
  const file = {
    format: 1,
    device: 'board',
    loader,
    baudRate: 115_200,
    network: { server: '192.0.2.1', board: '192.0.2.2', netmask: '255.255.255.0' },
    memory: board.memory,
    regions: placed.layout.regions,
    lines: [{ stage: 'transfer', text: 'tftpboot 0x40400000 rootfs.squashfs', file: 'rootfs.squashfs' }],
  }

  it('is read as it was written', () => {
    expect(parseBootFile(JSON.stringify(file))).toEqual({ ok: true, value: file })
  })

  it('is refused where two regions overlap, or a transfer goes to none', () => {
    const regions = file.regions.map((region) =>
      region.name === 'kernel' ? { ...region, address: 0x4040_0000 } : region,
    )
    expect(parseBootFile(JSON.stringify({ ...file, regions }))).toMatchObject({
      error: {
        message: expect.stringMatching(
          /root \(0x40400000\+0x4c5000\) and kernel \(0x40400000|kernel.* and root/,
        ),
      },
    })
    const lines = [{ stage: 'transfer', text: 'tftpboot 0x40401000 rootfs.squashfs' }]
    expect(parseBootFile(JSON.stringify({ ...file, lines }))).toMatchObject({
      error: { message: expect.stringContaining('no region') },
    })
  })

  it('that is damaged is refused, with the place', () => {
    const messageOf = (text: string): string => {
      const read = parseBootFile(text)
      return read.ok ? '' : read.error.message
    }
    expect(messageOf('{"format": 1,')).toContain('it is not JSON')
    for (const nothing of ['null', '[]', '"boot"', '{"format": 2}'])
      expect(messageOf(nothing)).toContain('no boot.json of this version')
    for (const field of Object.keys(file).filter((name) => name !== 'format')) {
      expect(messageOf(JSON.stringify({ ...file, [field]: undefined }))).not.toBe('')
      expect(messageOf(JSON.stringify({ ...file, [field]: null }))).not.toBe('')
    }
    const [line] = file.lines
    expect(messageOf(JSON.stringify({ ...file, lines: [{ ...line, stage: 'later' }] }))).toContain(
      'lines.0.stage',
    )
  })
})

describe('how the root travels', () => {
  const config = (...entries: readonly string[]) =>
    new Map(entries.map((entry) => entry.split('=') as [string, string]))
  const squashfs = ['SQUASHFS=y', 'SQUASHFS_XZ=y', 'BLK_DEV_INITRD=y', 'BLK_DEV_LOOP=m', 'DEVTMPFS_MOUNT=y']

  it('is phram where the kernel has it, without an initramfs where nothing else can be the first flash', () => {
    const all = [...squashfs, 'MTD_PHRAM=y', 'MTD_BLOCK=y']
    expect(chooseTransport(config(...all))).toMatchObject({ value: { transport: 'phram', direct: true } })
    expect(chooseTransport(config(...all, 'MTD_SPI_NOR=y'))).toMatchObject({ value: { direct: false } })
    expect(chooseTransport(config(...squashfs, 'MTD_PHRAM=m', 'MTD_BLOCK=y'))).toMatchObject({
      value: { transport: 'phram', direct: false },
    })
  })

  it('is the initramfs where the kernel has no phram, and it says so', () => {
    const chosen = chooseTransport(config(...squashfs, 'MTD_PHRAM=n'))
    expect(chosen).toMatchObject({ value: { transport: 'initramfs', direct: false } })
    expect(chosen.ok && chosen.value.why).toContain('CONFIG_MTD_PHRAM')
  })

  it('can be forced, where the kernel can', () => {
    expect(chooseTransport(config(...squashfs), 'cpio')).toMatchObject({ value: { transport: 'cpio' } })
    expect(chooseTransport(config(...squashfs), 'phram')).toMatchObject({
      ok: false,
      error: { missing: ['CONFIG_MTD_PHRAM', 'CONFIG_MTD_BLOCK'] },
    })
    expect(chooseTransport(config())).toMatchObject({ ok: false })
  })
})

describe('a kernel program', () => {
  it('that is damaged is read or refused, and has places or none: 20,000 of them', () => {
    const samples = [sampleArm64(), sampleZImage(), sampleMips()]
    for (const { bytes, architecture } of samples) {
      expect(readKernelProgram(bytes, architecture)).toMatchObject({ ok: true })
    }
    const done = verifyKernelMutations(samples, board, 1, 20_000)
    expect(done.failures).toEqual([])
    expect(done.refused).toBeGreaterThan(5_000)
    expect(done.refused).toBeLessThan(15_000)
  })

  it('takes a tree behind itself where it looks for one, with room to work on it', () => {
    const { bytes } = sampleZImage()
    const read = readKernelProgram(Buffer.concat([bytes, Buffer.alloc(8)]), 'armhf')
    if (!read.ok) throw new Error(read.error.message)
    const tree = Buffer.alloc(0x6000, 1)
    const joined = appendTree(read.value, tree, new Map([['ARM_APPENDED_DTB', 'y']]))
    if (!joined.ok) throw new Error(joined.error.message)
    // Right where the zImage says that it ends.
    expect(Buffer.from(joined.value.content)).toEqual(Buffer.concat([bytes, tree]))
    const ram = { start: 0x4000_0000, end: 0x5000_0000 }
    const size = (program: KernelProgram) => programNeeds(program, ram, []).movable[0]?.sizeBytes ?? 0
    // 0x6000 and half of it: 36 KiB, and eight bytes for the rounding.
    expect(size(joined.value.program) - size(read.value.program)).toBe(tree.length - 8 + 0x9008)
    expect(appendTree(read.value, tree, new Map())).toMatchObject({
      error: { message: expect.stringContaining('CONFIG_ARM_APPENDED_DTB') },
    })
  })

  it('takes no tree behind itself on arm64, nor a large one on MIPS', () => {
    const config = new Map([['MIPS_RAW_APPENDED_DTB', 'y']])
    const [arm64, mips] = [sampleArm64(), sampleMips()].map(({ bytes, architecture }) => {
      const read = readKernelProgram(bytes, architecture)
      if (!read.ok) throw new Error(read.error.message)
      return read.value
    })
    if (arm64 === undefined || mips === undefined) throw new Error('there are two')
    expect(appendTree(arm64, Buffer.alloc(9), config)).toMatchObject({ error: { type: 'wrong-kernel' } })
    expect(appendTree(mips, Buffer.alloc(MIB + 1), config)).toMatchObject({ error: { type: 'wrong-kernel' } })
    expect(appendTree(mips, Buffer.alloc(9), config)).toMatchObject({ ok: true })
  })

  it('is refused where its header is not one, or its place is not free to choose', () => {
    expect(readKernelProgram(new Uint8Array(4096), 'arm64')).toMatchObject({
      error: { type: 'wrong-kernel' },
    })
    expect(readKernelProgram(new Uint8Array(4096), 'armhf')).toMatchObject({
      error: { type: 'wrong-kernel' },
    })
    const old = Buffer.alloc(4096)
    old.write('ARM\x64', 56, 'latin1')
    old.writeBigUInt64LE(0x100_0000n, 16)
    expect(readKernelProgram(old, 'arm64')).toMatchObject({
      error: { type: 'wrong-kernel', message: expect.stringContaining('4.6') },
    })
  })
})
