import { z } from 'zod'
import { defineFeature, type KmodTarget } from '../system/index.ts'

const word = z.string().regex(/^[\w.+=:,@%/-]+$/, 'letters, digits and . + = : , @ % / - are allowed')

const options = z.strictObject({
  /** What is mounted: `/dev/sda1`, or what the file system takes in its place. */
  device: word,
  /** Where: a folder that the feature makes, or one below /run, /tmp or /var, which is made when the service starts. */
  path: z.string().regex(/^(\/[\w.-]+)+$/, 'an absolute path'),
  /** As mount(8) takes it: `btrfs`, `vfat`, `nfs`. */
  type: z.string().regex(/^[\w.-]+$/, 'the name of a file system'),
  /** As mount(8) takes them. */
  options: word.default('defaults'),
})

/** Mounted over at boot: a folder of the image below these would not be seen. */
const madeAtStart = /^\/(run|tmp|var)(\/|$)/

/**
 * The kernel modules of a file system, by the alias under which `mount` would have the kernel ask for them: `fs-btrfs`
 * (include/linux/fs.h, MODULE_ALIAS_FS). What it takes for its checksums comes with it, by its softdeps.
 */
export function fileSystemModules(type: string, options: string): readonly KmodTarget[] {
  // Some modules are older than the alias.
  const own = { what: `the file system ${type}`, anyOf: [`fs-${type}`, type] }
  if (type !== 'vfat') return [own]
  // fs/fat/inode.c, `fat_fill_super`, asks for two character sets as nls_NAME, and no softdep says so. The defaults are
  // Debian's (CONFIG_FAT_DEFAULT_CODEPAGE, CONFIG_FAT_DEFAULT_IOCHARSET).
  const option = (name: string, otherwise: string): string =>
    new RegExp(`(?:^|,)${name}=([^,]+)`).exec(options)?.[1] ?? otherwise
  return [
    own,
    { what: 'the code page of short file names', anyOf: [`nls_cp${option('codepage', '437')}`] },
    { what: 'the character set of long file names', anyOf: [`nls_${option('iocharset', 'ascii')}`] },
  ]
}

/**
 * Mounts a file system, with the kernel modules that it takes.
 *
 * ```ts
 * const data = mount(system, { device: '/dev/sda1', path: '/data', type: 'btrfs', options: 'noatime' })
 * ```
 */
export const mount = defineFeature('mount', options, (system, { device, path, type, options }) => {
  system.applets('mount', 'umount', ...(madeAtStart.test(path) ? ['mkdir'] : []))
  if (!madeAtStart.test(path)) system.files.directory(path)
  return system.services.oneshot({
    name: `mount${path.replaceAll('/', '-')}`,
    description: `${type} of ${device} on ${path}`,
    kmods: fileSystemModules(type, options),
    up: `${madeAtStart.test(path) ? `mkdir -p ${path} && ` : ''}mount -t ${type} -o ${options} ${device} ${path}`,
    down: `umount ${path}`,
  })
})
