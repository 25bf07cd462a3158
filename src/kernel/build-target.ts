import { type KernelSymbol, yes } from './base-config.ts'

/** How the kernel's own make is told of an architecture, and what it then makes. */
export interface BuildTarget {
  /** make's ARCH, and the folder below arch/ */
  readonly arch: string
  readonly srcarch: string
  /** what the names of the compiler and its companions begin with: Debian's cross compilers */
  readonly toolPrefix: string
  /** the target of make that is the bootable image, where it lies then, and what Debian calls it in /boot */
  readonly image: string
  readonly imagePath: string
  readonly imageName: 'vmlinuz' | 'vmlinux'
  /** headers of the host that programs of the build are compiled with, and the packages that have them */
  readonly headers: Readonly<Record<string, string>>
  /** it has device trees to compile */
  readonly deviceTrees: boolean
  /** what tells this architecture from others of the same ARCH */
  readonly symbols: readonly KernelSymbol[]
}

/** On a 32-bit processor. */
const time32 = yes('COMPAT_32BIT_TIME', "Debian's programs, and its C library, count time in 32 bits")

const arm64: BuildTarget = {
  arch: 'arm64',
  srcarch: 'arm64',
  toolPrefix: 'aarch64-linux-gnu-',
  image: 'Image',
  imagePath: 'arch/arm64/boot/Image',
  imageName: 'vmlinuz',
  headers: {},
  deviceTrees: true,
  symbols: [],
}

const amd64: BuildTarget = {
  arch: 'x86_64',
  srcarch: 'x86',
  toolPrefix: 'x86_64-linux-gnu-',
  image: 'bzImage',
  imagePath: 'arch/x86/boot/bzImage',
  imageName: 'vmlinuz',
  // objtool looks at every object of a 64-bit kernel (arch/x86/Kconfig selects OBJTOOL).
  headers: { '/usr/include/gelf.h': 'libelf-dev' },
  deviceTrees: false,
  symbols: [yes('64BIT', 'a 64-bit kernel')],
}

/** The ELF file itself is what loaders of MIPS boards and QEMU take, or are given a uImage of. */
const mipsel: BuildTarget = {
  arch: 'mips',
  srcarch: 'mips',
  toolPrefix: 'mipsel-linux-gnu-',
  image: 'vmlinux',
  imagePath: 'vmlinux',
  imageName: 'vmlinux',
  headers: {},
  deviceTrees: true,
  symbols: [yes('CPU_LITTLE_ENDIAN', 'mipsel has the low byte first'), time32],
}

/** By Debian's name of the architecture. */
const targets: Readonly<Record<string, BuildTarget>> = {
  amd64,
  arm64,
  armhf: {
    ...arm64,
    arch: 'arm',
    srcarch: 'arm',
    toolPrefix: 'arm-linux-gnueabihf-',
    image: 'zImage',
    imagePath: 'arch/arm/boot/zImage',
    symbols: [
      yes('AEABI', 'programs of armhf call the kernel by this convention'),
      yes('VFP', 'and compute with the floating point unit'),
      time32,
    ],
  },
  i386: { ...amd64, arch: 'i386', toolPrefix: 'i686-linux-gnu-', headers: {}, symbols: [time32] },
  mips: {
    ...mipsel,
    toolPrefix: 'mips-linux-gnu-',
    symbols: [yes('CPU_BIG_ENDIAN', 'mips has the high byte first'), time32],
  },
  mipsel,
  riscv64: {
    ...arm64,
    arch: 'riscv',
    srcarch: 'riscv',
    toolPrefix: 'riscv64-linux-gnu-',
    imagePath: 'arch/riscv/boot/Image',
    symbols: [yes('FPU', 'programs of riscv64 compute with the floating point unit')],
  },
}

export const buildTargetOf = (architecture: string): BuildTarget | undefined => targets[architecture]

export const buildableArchitectures: readonly string[] = Object.keys(targets)

/** The variables that both configuration and build are run with, so that they see the same compiler. */
export function makeVariables({ arch, toolPrefix }: BuildTarget): Readonly<Record<string, string>> {
  return {
    ARCH: arch,
    CROSS_COMPILE: toolPrefix,
    // Found in some PATHs and not in others, and the configuration says whether.
    PAHOLE: 'no-pahole',
    RUSTC: 'no-rustc',
    BINDGEN: 'no-bindgen',
  }
}
