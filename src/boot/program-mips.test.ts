import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseLoader } from '../uboot/index.ts'
import { builtInTreeParameters, phramParameter, stayingParameters } from './parameters.ts'
import { type Board, type BootParts, placeBoot } from './plan.ts'
import { readKernelProgram } from './program.ts'
import { readMipsKernel } from './program-mips.ts'
import { bootScript } from './script.ts'

const LAST = 'the end of the data'
const CODE = `
.section .text
.globl __start
nop
__start: jr $31
.section .data
.ascii "${LAST}"
.section .bss
.space 0x5000
`
const PLACES = `
SECTIONS {
  . = 0x80100000;
  .text : { *(.text) }
  .data : { *(.data) }
  .bss : { *(.bss) }
  /DISCARD/ : { *(.reginfo) *(.MIPS.abiflags) *(.pdr) }
}
`
let folder = ''
let elf = Buffer.alloc(0)

function tool(name: string, ...args: readonly string[]): void {
  execFileSync(`mipsel-linux-gnu-${name}`, args, { cwd: folder })
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mips-kernel-'))
  writeFileSync(join(folder, 'kernel.s'), CODE)
  tool('as', '-o', 'kernel.o', 'kernel.s')
  writeFileSync(join(folder, 'kernel.lds'), PLACES)
  tool('ld', '-n', '-e', '__start', '-T', 'kernel.lds', '-o', 'kernel', 'kernel.o')
  elf = readFileSync(join(folder, 'kernel'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function read(bytes: Uint8Array = elf) {
  const kernel = readMipsKernel(bytes)
  if (!kernel.ok) throw new Error(kernel.error.message)
  return kernel.value
}

describe('a MIPS kernel', () => {
  it('is in memory as objcopy has it, and takes its bss behind that', () => {
    const { kernel, content } = read()
    tool('objcopy', '-O', 'binary', 'kernel', 'kernel.bin')
    expect(Buffer.from(content)).toEqual(readFileSync(join(folder, 'kernel.bin')))
    expect(kernel.memoryBytes).toBeGreaterThanOrEqual(content.length + 0x5000)
    expect(kernel.memoryBytes).toBeLessThan(content.length + 0x6000)
  })

  it('is linked to KSEG0, and placed at the physical address', () => {
    const { kernel } = read()
    const header = execFileSync('mipsel-linux-gnu-readelf', ['-h', join(folder, 'kernel')]).toString()
    const entry = Number(/Entry point address: +(0x[0-9a-f]+)/.exec(header)?.[1])
    expect(kernel.entryPoint + 0x8000_0000).toBe(entry)
    expect(kernel.loadAddress).toBe(0x10_0000)
  })

  it('is refused for the other byte order, another machine, and when it is cut', () => {
    expect(readKernelProgram(elf, 'mipsel')).toMatchObject({ ok: true })
    expect(readKernelProgram(elf, 'mips')).toMatchObject({
      error: { message: expect.stringContaining('order') },
    })
    const other = Buffer.from(elf)
    other.writeUInt16LE(40, 18)
    expect(readMipsKernel(other)).toMatchObject({ error: { message: expect.stringContaining('40') } })
    const end = elf.indexOf(LAST) + LAST.length
    for (let length = 0; length < end; length += 1 + Math.floor(length / 100)) {
      expect(readMipsKernel(elf.subarray(0, length))).toMatchObject({ ok: false })
    }
  })

  it('is kept where it is, or refused, when it would move itself', () => {
    const program = { type: 'mips', kernel: read().kernel, sizeBytes: 1 } as const
    const moving = new Map([['RELOCATABLE', 'y']])
    expect(stayingParameters(program, new Map())).toEqual({ ok: true, value: [] })
    expect(stayingParameters(program, moving)).toMatchObject({ error: { type: 'wrong-kernel' } })
    expect(stayingParameters(program, new Map([...moving, ['RANDOMIZE_BASE', 'y']]))).toEqual({
      ok: true,
      value: ['nokaslr'],
    })
  })
})

describe('a boot with the tree that is built into the kernel', () => {
  const parsed = parseLoader(
    JSON.parse(readFileSync(new URL('../devices/loaders/qemu-malta.json', import.meta.url), 'utf8')),
  )
  if (!parsed.ok) throw new Error(parsed.error.message)
  const loader = parsed.value
  const board: Board = {
    loader,
    memory: [{ start: 0, end: 0x2000_0000 }],
    reserved: [],
    rootAddress: 0x400_0000,
  }
  const kernel = { loadAddress: 0x10f_0000, entryPoint: 0x10f_0000, memoryBytes: 0x9a_db80, bigEndian: false }
  const parts: BootParts = {
    format: 'uimage-gzip',
    program: { type: 'mips', kernel, sizeBytes: 0x4a_b770 },
    kernelFileBytes: 0x4a_acd7,
    rootBytes: 0x18_b001,
    initramfsBytes: 0xf_a470,
    tree: { source: 'none' },
  }
  const placed = placeBoot(board, parts)
  if (!placed.ok) throw new Error(placed.error.message)

  it('tells the kernel of memory, root and initramfs as it sees them', () => {
    const { root = 0, initramfs = 0 } = placed.value.addresses
    expect(builtInTreeParameters(board, parts, placed.value.addresses)).toEqual([
      `memsize=${0x1000_0000}`,
      `memmap=0x18c000$0x${root.toString(16)}`,
      `rd_start=0x${(initramfs + 0x8000_0000).toString(16)}`,
      'rd_size=0xfa470',
    ])
    expect(phramParameter(root, 0x18_b001)).toBe('phram=rootfs,0x4000000,0x18c000')
  })

  it('loads through KSEG0, hands nothing but the kernel over, and takes lines of 255 characters', () => {
    const script = bootScript({
      loader,
      parts,
      placement: placed.value,
      files: { kernel: 'uImage', root: 'rootfs.squashfs', initramfs: 'initramfs.img' },
      commandLine: `console=ttyS0 ${'word '.repeat(80)}memmap=0x1000$0x4000000`,
      network: { server: '192.0.2.1', board: '10.0.2.15', netmask: '255.255.255.0' },
    })
    if (!script.ok) throw new Error(script.error.message)
    const lines = script.value.map(({ text }) => text)
    expect(lines).toContain('tftpboot 0x84000000 rootfs.squashfs')
    expect(lines.at(-1)).toBe(`bootm 0x${(placed.value.addresses.kernelFile + 0x8000_0000).toString(16)}`)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(255)
  })

  it('is refused where the kernel would unpack itself over the root', () => {
    const low = placeBoot({ ...board, rootAddress: 0x100_0000 }, parts)
    expect(low).toMatchObject({ ok: false, error: { type: 'no-layout' } })
  })
})
