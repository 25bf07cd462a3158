/**
 * The environment that a tree's own make gives to its configuration tool, without make. Kconfig files refer to it
 * (`$(SRCARCH)`, `$(CC)`, `$(KERNELVERSION)`), and so do the compiler probes they run.
 */

export interface EnvironmentInput {
  /** top folder of the tree */
  readonly srctree: string
  /** what make's ARCH takes: `arm64`, `x86`, `i386`, `x86_64`, …; undefined: that of this machine */
  readonly arch?: string | undefined
  /** what the user's environment says; CC, LD, CROSS_COMPILE, LLVM, … are taken from it as make would */
  readonly base: Readonly<Record<string, string | undefined>>
  /** the machine as `uname -m` calls it */
  readonly machine: string
  readFile(path: string): string | undefined
}

/** Values that need a command to be run, as name and command. Its output goes into the environment. */
export interface KconfigEnvironment {
  readonly variables: Readonly<Record<string, string>>
  readonly commands: Readonly<Record<string, string>>
}

/** make's ARCH for the machine that it runs on. */
export function archOfMachine(machine: string): string {
  if (/^i.86$/.test(machine) || machine === 'x86_64') return 'x86'
  if (machine === 'sun4u') return 'sparc64'
  if (/^(arm64|aarch64)/.test(machine)) return 'arm64'
  if (/^arm|^sa110/.test(machine)) return 'arm'
  if (machine === 's390x') return 's390'
  if (/^ppc/.test(machine)) return 'powerpc'
  if (/^mips/.test(machine)) return 'mips'
  if (/^sh[234]/.test(machine)) return 'sh'
  if (/^riscv/.test(machine)) return 'riscv'
  if (/^loongarch/.test(machine)) return 'loongarch'
  if (/^parisc/.test(machine)) return 'parisc'
  return machine
}

/** The folder below `arch/` that an ARCH is configured from. */
export function sourceArchitecture(arch: string): string {
  if (arch === 'i386' || arch === 'x86_64') return 'x86'
  if (arch === 'sparc32' || arch === 'sparc64') return 'sparc'
  if (arch === 'parisc64') return 'parisc'
  return arch
}

export function kconfigEnvironment(input: EnvironmentInput): KconfigEnvironment {
  const { base, srctree } = input
  const makefile = input.readFile('Makefile') ?? ''
  const setting = (name: string): string =>
    new RegExp(`^${name}[ \\t]*:?=[ \\t]*(.*?)[ \\t]*$`, 'm').exec(makefile)?.[1] ?? ''
  const version = [setting('VERSION'), setting('PATCHLEVEL'), setting('SUBLEVEL')].filter(
    (part) => part !== '',
  )
  const arch = input.arch ?? base.ARCH ?? archOfMachine(input.machine)
  const cross = base.CROSS_COMPILE ?? ''
  const llvm = base.LLVM ?? ''
  // LLVM=1 takes the tools from PATH, LLVM=/dir/ from there, LLVM=-15 with that suffix.
  const llvmPrefix = llvm.endsWith('/') ? llvm : ''
  const llvmSuffix = llvm.startsWith('-') ? llvm : ''
  const tool = (gnu: string, clang: string): string =>
    llvm === '' ? `${cross}${gnu}` : `${llvmPrefix}${clang}${llvmSuffix}`
  const host = (gnu: string, clang: string): string =>
    llvm === '' ? gnu : `${llvmPrefix}${clang}${llvmSuffix}`
  const defaults: Record<string, string> = {
    CC: tool('gcc', 'clang'),
    LD: tool('ld', 'ld.lld'),
    AR: tool('ar', 'llvm-ar'),
    NM: tool('nm', 'llvm-nm'),
    OBJCOPY: tool('objcopy', 'llvm-objcopy'),
    OBJDUMP: tool('objdump', 'llvm-objdump'),
    READELF: tool('readelf', 'llvm-readelf'),
    STRIP: tool('strip', 'llvm-strip'),
    HOSTCC: host('gcc', 'clang'),
    HOSTCXX: host('g++', 'clang++'),
    RUSTC: 'rustc',
    BINDGEN: 'bindgen',
    PAHOLE: 'pahole',
    PYTHON3: 'python3',
    PERL: 'perl',
    AWK: 'awk',
    CONFIG_SHELL: 'sh',
  }
  const variables: Record<string, string> = {}
  for (const [name, value] of Object.entries(base)) if (value !== undefined) variables[name] = value
  for (const [name, value] of Object.entries(defaults)) variables[name] = base[name] ?? value
  const sourceArch = sourceArchitecture(arch)
  Object.assign(variables, {
    ARCH: arch,
    SRCARCH: sourceArch,
    UTS_MACHINE: arch,
    srctree,
    CROSS_COMPILE: cross,
    RUSTC_BOOTSTRAP: '1',
    VERSION: setting('VERSION'),
    PATCHLEVEL: setting('PATCHLEVEL'),
    SUBLEVEL: setting('SUBLEVEL'),
    KERNELVERSION: version.join('.') + setting('EXTRAVERSION'),
    // make sets these so that no probe speaks another language
    LC_COLLATE: 'C',
    LC_NUMERIC: 'C',
  })
  delete variables.LC_ALL
  if (/clang/.test(variables.CC ?? '')) {
    const triples: Readonly<Record<string, string>> = {
      arm: 'arm-linux-gnueabi',
      arm64: 'aarch64-linux-gnu',
      mips: 'mipsel-linux-gnu',
      powerpc: 'powerpc64le-linux-gnu',
      riscv: 'riscv64-linux-gnu',
      s390: 's390x-linux-gnu',
      x86: 'x86_64-linux-gnu',
    }
    const triple = triples[sourceArch]
    const flags = triple === undefined ? [] : [`--target=${triple}`]
    flags.push(base.LLVM_IAS === '0' ? '-fno-integrated-as' : '-fintegrated-as')
    flags.push('-Werror=unknown-warning-option', '-Werror=ignored-optimization-argument')
    flags.push('-Werror=option-ignored', '-Werror=unused-command-line-argument')
    variables.CLANG_FLAGS = flags.join(' ')
  }
  const commands: Record<string, string> = {
    CC_VERSION_TEXT: `LC_ALL=C ${variables.CC} --version 2>/dev/null | head -n 1`,
  }
  // U-Boot's name for it.
  if (makefile.includes('UBOOTVERSION')) variables.UBOOTVERSION = variables.KERNELVERSION ?? ''
  if (makefile.includes('RUSTC_VERSION_TEXT'))
    commands.RUSTC_VERSION_TEXT = `${variables.RUSTC} --version 2>/dev/null`
  return { variables, commands }
}
