import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type BootLine,
  type BootParts,
  bootScript,
  type Packing,
  placeBoot,
  scriptText,
} from '../../src/boot/index.ts'
import { openEngine } from '../../src/engine/index.ts'
import { compress } from '../../src/outputs/tftpboot/compress.ts'
import { writeFit, writeScriptImage } from '../../src/uboot/index.ts'
import { type LoaderBoard, loader, memory, network, rootAddress, startLoader } from './loader.ts'

let folder = ''
let board: LoaderBoard | undefined

/** Lines that transfer, add the root to the loader's tree, and boot: the kernel has no header, and is refused. */
function phramLines(): readonly BootLine[] {
  const image = { textOffsetBytes: 0, imageSizeBytes: 0x10_0000, anywhere: true, bigEndian: false }
  const parts: BootParts = {
    format: 'image',
    program: { type: 'arm64-image', image, sizeBytes: 4096 },
    kernelFileBytes: 4096,
    rootBytes: 5000,
    tree: { source: 'loader' },
  }
  const placement = placeBoot({ loader, memory, reserved: [], rootAddress }, parts)
  if (!placement.ok) throw new Error(placement.error.message)
  const lines = bootScript({
    loader,
    parts,
    placement: placement.value,
    files: { kernel: 'Image', root: 'rootfs.squashfs' },
    commandLine: 'console=ttyAMA0 root=/dev/mtdblock0',
    network,
  })
  if (!lines.ok) throw new Error(lines.error.message)
  return lines.value
}

/** Lines that fetch a file, after those that tell the loader where it is. */
function fetching(file: string, ...more: readonly string[]): readonly BootLine[] {
  return [
    {
      stage: 'network',
      text: `setenv serverip ${network.server}; setenv ipaddr ${network.board}; setenv autoload no`,
    },
    { stage: 'transfer', text: `tftpboot 0x42000000 ${file}`, file },
    ...more.map((text): BootLine => ({ stage: 'boot', text })),
  ]
}

/** A FIT with something that is no kernel, to be put at an address. */
function kernelFit(loadAddress: number): Buffer {
  const image = writeFit({
    description: 'no kernel',
    timeSeconds: 0,
    images: [
      {
        type: 'kernel',
        name: 'kernel',
        description: 'no kernel',
        architecture: 'arm64',
        compression: 'gzip',
        loadAddress: BigInt(loadAddress),
        entryPoint: BigInt(loadAddress),
        data: gzipSync(randomBytes(0x2000)),
      },
    ],
    configurations: [{ name: 'default', description: 'no kernel', kernel: 'kernel' }],
  })
  if (!image.ok) throw new Error(image.error.message)
  return Buffer.from(image.value)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fw-loader-'))
  await writeFile(join(folder, 'rootfs.squashfs'), Buffer.alloc(5000, 7))
  await writeFile(join(folder, 'Image'), Buffer.alloc(4096))
  const script = writeScriptImage(scriptText(phramLines(), loader), {
    architecture: 'arm64',
    name: 'boot',
    timeSeconds: 0,
  })
  if (!script.ok) throw new Error(script.error.message)
  await writeFile(join(folder, 'boot.scr'), script.value)
  const damaged = kernelFit(0x4800_0000)
  damaged[0x1000] = 2
  await writeFile(join(folder, 'damaged'), damaged)
})
afterEach(() => {
  board?.kill()
  board = undefined
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function start(served: string | undefined = folder): LoaderBoard {
  board = startLoader(served)
  return board
}

describe("boot.scr, by Debian's U-Boot", () => {
  it('does by `source` what its lines do, and when run again says that the board must be reset', async () => {
    const { boot, line } = start()
    // It ends at the prompt: what booti is given is no kernel.
    const first = await boot(fetching('boot.scr', 'source 0x42000000'))
    expect(first).toMatchObject({ ok: false, error: { type: 'line-failed' } })
    line.send('fdt addr ${fdtcontroladdr}; fdt print /reserved-memory; source 0x42000000; echo over\n')
    await line.expect(/\nover\n/, 30_000)
    const said = line.transcript()
    expect(said).toMatch(/Bad Linux ARM64 Image magic/)
    expect(said).toMatch(
      /rootfs@40400000 \{[^}]*no-map;[^}]*reg = <0x00000000 0x40400000 0x00000000 0x00002000>;/,
    )
    expect(said).toMatch(
      /\nthese commands have run since the board was reset: reset it, and start again\s+over/,
    )
  })
})

describe("a root that Debian's U-Boot expands", () => {
  it.each([
    ['gzip', 'unzip', 0x4040_0000],
    ['lzma', 'lzmadec', 0x4080_0000],
  ] as const)('from %s by %s is what was compressed', async (method, command, address) => {
    const root = Buffer.concat([randomBytes(3000), Buffer.alloc(200_000, 'squashfs')])
    await writeFile(join(folder, method), await compressed(root, method))
    const { boot, line } = start()
    const at = `0x${address.toString(16)}`
    // The lines end at the prompt, which is no kernel that was started.
    await boot(
      fetching(
        method,
        `${command} 0x42000000 ${at}`,
        `crc32 ${at} 0x${root.length.toString(16)}`,
        'echo over',
      ),
    )
    expect(line.transcript()).toContain(`==> ${crc32(root).toString(16).padStart(8, '0')}`)
  })
})

/** What the output `tftpboot` would serve. */
async function compressed(root: Uint8Array, method: Packing): Promise<Uint8Array> {
  const engine = await openEngine({ storeFolder: join(folder, 'store') })
  try {
    return await engine.read(await compress(engine, 'the root', await engine.put(root), method))
  } finally {
    await engine.close()
  }
}

describe('a boot by a real U-Boot that fails', () => {
  it('has edited the tree before: the second run in one session says so, and transfers nothing', async () => {
    const { boot, line } = start()
    expect(await boot(phramLines())).toMatchObject({ ok: false, error: { type: 'line-failed' } })
    const before = line.transcript().length
    expect(await boot(phramLines())).toMatchObject({
      ok: false,
      error: { type: 'edited-before', advice: expect.stringContaining('reset the board') },
    })
    expect(line.transcript().slice(before)).not.toContain('tftpboot')
  })

  it('would load onto reserved memory', async () => {
    const { boot } = start()
    const lines = phramLines()
    const edited = lines.filter(({ stage }) => stage !== 'boot')
    const again = lines.filter(({ stage }) => stage === 'transfer')
    expect(await boot([...edited, ...again])).toMatchObject({ ok: false, error: { type: 'overwritten' } })
  })

  it('asks for a file that is not there', async () => {
    expect(await start().boot(fetching('nothing'))).toMatchObject({ ok: false, error: { type: 'no-file' } })
  })

  it('has received something damaged', async () => {
    const result = await start().boot(fetching('damaged', 'bootm 0x42000000#default', 'true'))
    expect(result).toMatchObject({ ok: false, error: { type: 'bad-checksum' } })
  })

  it('unpacks a kernel over itself', async () => {
    await writeFile(join(folder, 'over'), kernelFit(0x4200_0100))
    const result = await start().boot(fetching('over', 'bootm 0x42000000#default', 'true'))
    expect(result).toMatchObject({ ok: false, error: { type: 'overwritten' } })
  })

  it('has no network card', async () => {
    board = startLoader(undefined)
    expect(await board.boot(fetching('Image'))).toMatchObject({ ok: false, error: { type: 'no-link' } })
  })

  it('is at a board that starts anew', async () => {
    const lines: readonly BootLine[] = [
      { stage: 'check', text: 'reset' },
      { stage: 'boot', text: 'true' },
    ]
    expect(await start().boot(lines)).toMatchObject({ ok: false, error: { type: 'reset' } })
  })

  it('ends in an exception', async () => {
    const lines: readonly BootLine[] = [
      { stage: 'check', text: 'md.q 0xffffff8000000000 1' },
      { stage: 'boot', text: 'true' },
    ]
    expect(await start().boot(lines)).toMatchObject({ ok: false, error: { type: 'exception' } })
  })

  it('has a line that is longer than the loader takes', async () => {
    const lines: readonly BootLine[] = [{ stage: 'boot', text: `setenv bootargs ${'x'.repeat(600)}` }]
    expect(await start().boot(lines, { lineLimitBytes: 2000 })).toMatchObject({
      ok: false,
      error: { type: 'line-cut', message: expect.stringContaining('of the 616 characters') },
    })
  })

  it('has a server that does not answer', async () => {
    const lines: readonly BootLine[] = [
      // Nobody has this address in QEMU's network.
      { stage: 'network', text: 'setenv serverip 10.0.2.77; setenv ipaddr 10.0.2.15; setenv netretry no' },
      { stage: 'transfer', text: 'tftpboot 0x42000000 Image', file: 'Image' },
      { stage: 'boot', text: 'true' },
    ]
    expect(await start().boot(lines)).toMatchObject({ ok: false, error: { type: 'time-out' } })
  })
})
