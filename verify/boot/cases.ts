/** The ways to boot an emulated board over the network that its loader and its kernel have. */
import type { Packing, RootTransport } from '../../src/boot/index.ts'
import { boardSystem } from '../../test/boot/board-system.ts'

export interface Case {
  readonly device: 'qemuAarch64' | 'qemuArmv7l' | 'qemuMipsel'
  /** `platform`: the loader's; `emulator`: ours, as QEMU makes it; `built-in`: the kernel's. */
  readonly tree: 'platform' | 'emulator' | 'built-in'
  readonly format: string
  readonly root: RootTransport
  readonly mebibytes: number
  readonly kernel: 'debian' | 'phram'
  /** The loader takes no initramfs as it is: it travels in an image of its own. */
  readonly wrapped?: boolean
  /** The device tree goes behind the kernel, in one file with it. */
  readonly appended?: boolean
  /** What carries the root is transferred so compressed, and expanded by the loader. */
  readonly compressed?: Packing
}

const FORMATS = {
  qemuAarch64: ['image', 'image-compressed', 'uimage-none', 'uimage-gzip', 'fit'],
  qemuArmv7l: ['zimage', 'uimage-none', 'fit'],
} as const

const ARM = ['qemuAarch64', 'qemuArmv7l'] as const
const TREES = ['platform', 'emulator'] as const

/** With Debian's kernels: every format and every tree; on Arm, the other ways and amounts of memory once for each tree. */
export function debianCases(): readonly Case[] {
  const arm = ARM.flatMap((device) => {
    const usual = {
      device,
      format: FORMATS[device][0],
      root: 'initramfs',
      mebibytes: 512,
      kernel: 'debian',
    } as const
    return TREES.flatMap((tree): readonly Case[] => [
      ...FORMATS[device].map((format) => ({ ...usual, tree, format })),
      { ...usual, tree, root: 'cpio' },
      { ...usual, tree, wrapped: true },
      { ...usual, tree, mebibytes: 128 },
      { ...usual, tree, mebibytes: 2048 },
    ])
  })
  const malta = (['uimage-none', 'uimage-gzip'] as const).flatMap((format) =>
    (['phram', 'initramfs', 'cpio'] as const).map(
      (root): Case => ({
        device: 'qemuMipsel',
        tree: 'built-in',
        format,
        root,
        mebibytes: 256,
        kernel: 'debian',
      }),
    ),
  )
  return [...arm, ...malta]
}

/** With kernels that have the phram driver, the root where it was loaded: every format and every tree. */
export function phramCases(): readonly Case[] {
  return ARM.flatMap((device) => {
    const usual = {
      device,
      format: FORMATS[device][0],
      root: 'phram',
      mebibytes: 512,
      kernel: 'phram',
    } as const
    return TREES.flatMap((tree): readonly Case[] => [
      ...FORMATS[device].map((format) => ({ ...usual, tree, format })),
      { ...usual, tree, mebibytes: 128 },
      { ...usual, tree, mebibytes: 2048 },
    ])
  })
}

/** A tree behind the kernel, and roots that the loader expands: where the loaders of emulated boards can. */
export function formCases(): readonly Case[] {
  const arm64 = { device: 'qemuAarch64', format: 'image', mebibytes: 512 } as const
  const armv7 = { device: 'qemuArmv7l', tree: 'emulator', mebibytes: 512, appended: true } as const
  return [
    { ...arm64, tree: 'platform', root: 'initramfs', kernel: 'debian', compressed: 'gzip' },
    { ...arm64, tree: 'emulator', root: 'initramfs', kernel: 'debian', compressed: 'lzma' },
    { ...arm64, tree: 'platform', root: 'cpio', kernel: 'debian', compressed: 'gzip' },
    { ...armv7, format: 'zimage', root: 'initramfs', kernel: 'debian' },
    { ...armv7, format: 'uimage-none', root: 'initramfs', kernel: 'debian' },
    { ...arm64, tree: 'platform', root: 'phram', kernel: 'phram', compressed: 'gzip' },
    { ...arm64, tree: 'emulator', root: 'phram', kernel: 'phram', compressed: 'lzma' },
    { ...armv7, format: 'zimage', root: 'phram', kernel: 'phram' },
  ]
}

/** The text of its system file. */
export function caseSystem(one: Case): string {
  const { device, tree, format, root, mebibytes, kernel, wrapped, appended, compressed } = one
  const sized = `withMemory(${device}, ${mebibytes})`
  const old = `networkBoot: { ...${sized}.networkBoot, loader: { ...${device}.networkBoot.loader, rawInitramfs: false } }`
  return boardSystem({
    device,
    expression: `{ ...${sized}, deviceTree: { source: '${tree}' }${wrapped === true ? `, ${old}` : ''} }`,
    boot: `{ format: '${format}', root: '${root}'${appended === true ? ', appendTree: true' : ''}${compressed === undefined ? '' : `, compressRoot: '${compressed}'`} }`,
    kernel,
    ...(appended === true ? { symbols: { ARM_APPENDED_DTB: 'y' } } : {}),
  })
}
