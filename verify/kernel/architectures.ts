/**
 * A kernel for each architecture that can be built for, with one module, started in QEMU: its banner, and how far it
 * comes without a root. What the files are is asked of readelf.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { qemuAarch64, qemuArmv7l, qemuMipsel, qemuX86_64 } from '../../src/devices/index.ts'
import { type Engine, openEngine } from '../../src/engine/index.ts'
import { readContent } from '../../src/filetree/index.ts'
import { buildLinux, type Kernel, type KernelSymbol, linuxSource, yes } from '../../src/kernel/index.ts'
import type { Packages } from '../../src/packages/index.ts'
import { cacheFolder } from '../../test/cache.ts'
import { linuxSource as sourceTree } from '../../test/material.ts'
import type { VerifyContext } from '../verification.ts'

interface Case {
  readonly architecture: string
  readonly symbols: readonly KernelSymbol[]
  /** What readelf says of a module. */
  readonly elf: RegExp
  /** A machine of QEMU that starts the kernel; the image follows as `-kernel`. */
  readonly qemu: readonly string[]
  readonly console: string
}

const cases: readonly Case[] = [
  {
    architecture: 'arm64',
    symbols: qemuAarch64.kernelSymbols,
    elf: /ELF64[\s\S]*little endian[\s\S]*AArch64/,
    qemu: ['qemu-system-aarch64', '-M', 'virt', '-cpu', 'cortex-a53'],
    console: 'ttyAMA0',
  },
  {
    architecture: 'armhf',
    symbols: qemuArmv7l.kernelSymbols,
    elf: /ELF32[\s\S]*little endian[\s\S]*ARM/,
    qemu: ['qemu-system-arm', '-M', 'virt', '-cpu', 'cortex-a15'],
    console: 'ttyAMA0',
  },
  {
    architecture: 'amd64',
    symbols: qemuX86_64.kernelSymbols,
    elf: /ELF64[\s\S]*little endian[\s\S]*X86-64/,
    qemu: ['qemu-system-x86_64', '-M', 'q35', '-cpu', 'max'],
    console: 'ttyS0',
  },
  {
    architecture: 'i386',
    symbols: qemuX86_64.kernelSymbols,
    elf: /ELF32[\s\S]*little endian[\s\S]*80386/,
    qemu: ['qemu-system-i386', '-M', 'q35', '-cpu', 'max'],
    console: 'ttyS0',
  },
  {
    architecture: 'mipsel',
    symbols: qemuMipsel.kernelSymbols,
    elf: /ELF32[\s\S]*little endian[\s\S]*MIPS/,
    qemu: ['qemu-system-mipsel', '-M', 'malta', '-cpu', '24Kf'],
    console: 'ttyS0',
  },
  {
    architecture: 'mips',
    symbols: qemuMipsel.kernelSymbols,
    elf: /ELF32[\s\S]*big endian[\s\S]*MIPS/,
    qemu: ['qemu-system-mips', '-M', 'malta', '-cpu', '24Kf'],
    console: 'ttyS0',
  },
  {
    architecture: 'riscv64',
    symbols: [
      yes('SOC_VIRT', 'the board'),
      yes('MMU', 'its processor has one'),
      yes('SERIAL_8250', 'its serial port'),
      yes('SERIAL_8250_CONSOLE', 'as a console'),
      yes('SERIAL_OF_PLATFORM', 'named in the device tree'),
    ],
    elf: /ELF64[\s\S]*little endian[\s\S]*RISC-V/,
    qemu: ['qemu-system-riscv64', '-M', 'virt'],
    console: 'ttyS0',
  },
]

/** The module that each kernel is asked for. */
const asked = { name: 'tun', origins: [] }

/** What it has: beside that one, what reads a root compressed with xz, which no kernel of ours is without. */
const expected = 'squashfs tun xz_dec'

export async function architectures({ folder, progress }: VerifyContext) {
  const directory = await sourceTree('6.1')
  const engine = await openEngine({ storeFolder: join(cacheFolder, 'store') })
  try {
    const rows: (string | number)[][] = []
    let failures = 0
    for (const each of cases) {
      progress(`${each.architecture}: build`)
      const kernel = await buildLinux(engine, {} as Packages, {
        source: linuxSource({ directory }),
        architecture: each.architecture,
        deviceSymbols: each.symbols,
        folder,
        demands: { symbols: [], modules: [asked], conditional: [] },
      })
      progress(`${each.architecture}: start`)
      const made = await look(engine, kernel, each, mkdtempSync(join(folder, 'kernel-')))
      const right = made.modules === expected && made.elf && made.banner && made.mounting
      if (!right) failures++
      rows.push([
        each.architecture,
        kernel.release,
        made.imageBytes,
        made.modules,
        made.elf ? 'yes' : 'NO',
        made.banner ? 'yes' : 'NO',
        made.mounting ? 'yes' : 'NO',
      ])
    }
    return {
      columns: [
        'architecture',
        'release',
        'image, bytes',
        'modules',
        'of its kind (readelf)',
        'says its version in QEMU',
        'comes to mounting the root',
      ],
      rows,
      failures,
      notes: [
        'Kernel: Debian’s linux-source-6.1. There is no root: the kernel has to say that it found none.',
      ],
    }
  } finally {
    await engine.close()
  }
}

async function look(engine: Engine, kernel: Kernel, each: Case, folder: string) {
  const image = await readContent(engine, kernel.image)
  const imageFile = join(folder, 'image')
  writeFileSync(imageFile, image)
  const paths = [...kernel.modules.names.values()]
  mkdirSync(join(folder, 'modules'))
  const kinds = await Promise.all(
    paths.map(async (path, index) => {
      const file = join(folder, 'modules', `${index}.ko`)
      writeFileSync(file, await readContent(engine, kernel.moduleContent(path)))
      return (await execa('readelf', ['-h', file])).stdout
    }),
  )
  const [program = '', ...machine] = each.qemu
  const { stdout } = await execa(
    program,
    [
      ...machine,
      ...['-m', '256', '-nographic', '-no-reboot', '-net', 'none', '-kernel', imageFile],
      ...['-append', `console=${each.console} panic=-1`],
    ],
    { stdin: 'ignore', timeout: 300_000, reject: false },
  )
  return {
    imageBytes: image.length,
    modules: [...kernel.modules.names.keys()].sort().join(' '),
    elf: kinds.length > 0 && kinds.every((kind) => each.elf.test(kind)),
    banner: stdout.includes(`Linux version ${kernel.release} (firmwright@firmwright)`),
    mounting: stdout.includes('VFS: Unable to mount root fs'),
  }
}
