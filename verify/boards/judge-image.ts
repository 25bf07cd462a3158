/** The kernel's file and the other images, as mkimage, dumpimage, file, xz and binutils read them. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { type Built, physical } from './built.ts'

export interface JudgedImages {
  readonly wrong: readonly string[]
  /** What the judge says that the kernel's file is. */
  readonly kernel: string
  /** The tree within it, where it is appended. */
  readonly tree?: string
}

const BINUTILS = 'mipsel-linux-gnu-'
const FDT_MAGIC = Buffer.from('d00dfeed', 'hex')

export async function judgeImages(built: Built, work: string): Promise<JudgedImages> {
  const wrong: string[] = []
  const { folder, device, transfers } = built
  const script = await listed(join(folder, 'boot.scr'))
  if (!/^Image Type: +(AArch64|ARM|MIPS) Linux Script \(uncompressed\)$/m.test(script))
    wrong.push('mkimage knows boot.scr for no script')
  const initramfs = transfers.find(({ file }) => file === 'initramfs.img')
  if (initramfs !== undefined && device.networkBoot?.loader.rawInitramfs === false) {
    const image = await listed(join(folder, initramfs.file))
    if (!/^Image Type: .*RAMDisk Image/m.test(image)) wrong.push('mkimage knows initramfs.img for no ramdisk')
  }
  const kernel = transfers.at(-1)
  if (kernel === undefined) return { wrong: [...wrong, 'nothing is transferred'], kernel: 'none' }
  const file = join(folder, kernel.file)
  const judged = kernel.file.startsWith('uImage')
    ? await judgeMipsImage(built, file, work)
    : await judgeBareKernel(built, file, physical(device, kernel.address))
  return { ...judged, wrong: [...wrong, ...judged.wrong] }
}

async function listed(file: string): Promise<string> {
  return (await execa('mkimage', ['-l', file])).stdout
}

/** An Image or a zImage: loaded and started where it lies. */
async function judgeBareKernel({ regions }: Built, file: string, address: number): Promise<JudgedImages> {
  const { stdout } = await execa('file', ['--brief', file])
  const [kernel = ''] = stdout.split(',')
  const wrong: string[] = []
  if (/ARM64 boot executable Image/.test(kernel)) {
    // Documentation/arch/arm64/booting.rst: image_size at 16, of all that the kernel takes from its beginning on.
    const taken = Number((await readFile(file)).readBigUInt64LE(16))
    const region = regions.find((each) => each.address === address)
    if (address % 2 ** 21 !== 0) wrong.push('the Image is not on 2 MiB')
    if (region === undefined || region.sizeBytes < taken) wrong.push('the Image takes more than its region')
  } else if (!/ARM boot executable zImage/.test(kernel)) wrong.push('the kernel is neither Image nor zImage')
  return { wrong, kernel }
}

/** A uImage of a MIPS kernel with its tree behind it: header, stream and content, each against its own judge. */
async function judgeMipsImage(
  { vmlinux, regions, device }: Built,
  file: string,
  work: string,
): Promise<JudgedImages> {
  if (vmlinux === undefined) throw new Error('a MIPS board has its kernel from source')
  const wrong: string[] = []
  const header = await listed(file)
  const field = (name: string): string => new RegExp(`^${name}: +(.*)$`, 'm').exec(header)?.[1] ?? ''
  const [load, entry] = [field('Load Address'), field('Entry Point')].map((each) => Number.parseInt(each, 16))
  const kernel = field('Image Type')
  if (kernel !== 'MIPS Linux Kernel Image (lzma compressed)') wrong.push(`the kernel is "${kernel}"`)
  const symbols = await symbolsOf(vmlinux)
  const elf = (await execa(`${BINUTILS}readelf`, ['--file-header', '--program-headers', '--wide', vmlinux]))
    .stdout
  const entryOfElf = Number.parseInt(/Entry point address: +0x([0-9a-f]+)/.exec(elf)?.[1] ?? '', 16)
  const segment = Number.parseInt(/^ +LOAD +0x[0-9a-f]+ 0x([0-9a-f]+)/m.exec(elf)?.[1] ?? '', 16)
  if (load !== segment) wrong.push('the kernel is not loaded where it is linked to')
  if (entry !== entryOfElf) wrong.push('the kernel is not entered where its ELF file says')
  // Header taken off by dumpimage, unpacked by xz, the kernel in it as objcopy makes it.
  const stream = join(work, 'stream.lzma')
  await execa('dumpimage', ['-T', 'kernel', '-p', '0', '-o', stream, file])
  const stated = (await readFile(stream)).readBigUInt64LE(5)
  const unpacked = await execa('xz', ['--format=lzma', '--decompress', '--stdout', stream], {
    encoding: 'buffer',
    stripFinalNewline: false,
    maxBuffer: 2 ** 28,
  })
  const content = Buffer.from(unpacked.stdout)
  if (stated !== BigInt(content.length)) wrong.push('the stream does not say how long it will be')
  const flat = join(work, 'vmlinux.bin')
  await execa(`${BINUTILS}objcopy`, ['-O', 'binary', vmlinux, flat])
  const bare = await readFile(flat)
  if (!content.subarray(0, bare.length).equals(bare)) wrong.push('the kernel is not what objcopy makes of it')
  const appended = (symbols.get('__appended_dtb') ?? Number.NaN) - segment
  const behind = content.subarray(appended)
  if (appended !== bare.length || !behind.subarray(0, 4).equals(FDT_MAGIC))
    wrong.push('the tree is not where the kernel looks for it')
  const end = physical(device, symbols.get('_end') ?? Number.NaN)
  const region = regions.find(({ name }) => name === 'kernel')
  if (region === undefined || end > region.address + region.sizeBytes)
    wrong.push('the kernel ends beyond its region')
  const tree = join(work, 'appended.dtb')
  await writeFile(tree, behind)
  return { wrong, kernel, tree }
}

/** Addresses of 32 bits. */
async function symbolsOf(vmlinux: string): Promise<ReadonlyMap<string, number>> {
  const { stdout } = await execa(`${BINUTILS}nm`, [vmlinux], { maxBuffer: 2 ** 28 })
  return new Map(
    [...stdout.matchAll(/^([0-9a-f]{8,16}) \w (\S+)$/gm)].map(([, address = '', name = '']) => [
      name,
      Number.parseInt(address.slice(-8), 16),
    ]),
  )
}
