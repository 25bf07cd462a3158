/** How the kernel's own make is told of an architecture, and what it then makes. */
export interface BuildTarget {
  /** make's ARCH, and the folder below arch/ */
  readonly arch: string
  readonly srcarch: string
  /** what the names of the compiler and its companions begin with: Debian's cross compilers */
  readonly toolPrefix: string
  /** the target of make that is the bootable image, and where it lies then */
  readonly image: string
  readonly imagePath: string
  /** headers of the host that programs of the build are compiled with, and the packages that have them */
  readonly headers: Readonly<Record<string, string>>
  /** it has device trees to compile */
  readonly deviceTrees: boolean
}

/** By Debian's name of the architecture. */
const targets: Readonly<Record<string, BuildTarget>> = {
  arm64: {
    arch: 'arm64',
    srcarch: 'arm64',
    toolPrefix: 'aarch64-linux-gnu-',
    image: 'Image',
    imagePath: 'arch/arm64/boot/Image',
    headers: {},
    deviceTrees: true,
  },
  amd64: {
    arch: 'x86_64',
    srcarch: 'x86',
    toolPrefix: 'x86_64-linux-gnu-',
    image: 'bzImage',
    imagePath: 'arch/x86/boot/bzImage',
    // objtool looks at every object of a 64-bit kernel (arch/x86/Kconfig selects OBJTOOL).
    headers: { '/usr/include/gelf.h': 'libelf-dev' },
    deviceTrees: false,
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
