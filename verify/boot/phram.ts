/**
 * Boots whose root stays where it was loaded. Debian's arm64 kernel has no phram, so a small kernel is built that has;
 * the system asks for no modules, and so fits it.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { qemuAarch64, withMemory } from '../../src/devices/index.ts'
import { openEngine } from '../../src/engine/index.ts'
import { consoleLogin } from '../../src/features/index.ts'
import { type Kernel, parseConfigFile } from '../../src/kernel/index.ts'
import { createKmodSource } from '../../src/kmod/index.ts'
import { tftpboot, writeOutput } from '../../src/outputs/index.ts'
import {
  assemble,
  type BootOptions,
  type Device,
  defineSystem,
  evaluateSystem,
} from '../../src/system/index.ts'
import { type Board, outputFolder } from '../../test/boot/board.ts'
import { cacheFolder } from '../../test/cache.ts'
import { linuxSource } from '../../test/material.ts'

/** Built in, all of it, on top of allnoconfig. */
const SYMBOLS = `
EXPERT SMP PRINTK BUG MULTIUSER FUTEX EPOLL SIGNALFD TIMERFD EVENTFD SHMEM AIO POSIX_TIMERS FHANDLE FILE_LOCKING
INOTIFY_USER BINFMT_ELF BINFMT_SCRIPT UNIX98_PTYS MODULES MODULE_UNLOAD BLK_DEV_INITRD RD_GZIP RD_ZSTD TTY
SERIAL_AMBA_PL011 SERIAL_AMBA_PL011_CONSOLE PCI PCI_HOST_GENERIC VIRTIO_MENU VIRTIO_PCI BLOCK BLK_DEV BLK_DEV_LOOP
MTD MTD_BLOCK MTD_PHRAM MISC_FILESYSTEMS SQUASHFS SQUASHFS_XZ DEVTMPFS DEVTMPFS_MOUNT TMPFS PROC_FS PROC_SYSCTL SYSFS
NET UNIX INET PACKET HW_RANDOM RTC_CLASS RTC_DRV_PL031 ARM_PSCI_FW POWER_RESET MEMBARRIER KALLSYMS ADVISE_SYSCALLS
CGROUPS`.split(/\s+/)

export interface BuiltKernel {
  /** Files. */
  readonly image: string
  readonly config: string
}

/**
 * What is wrong with a board whose root is at an address; undefined where the kernel has a flash device of it, leaves
 * the memory out of its own, has the node in its tree, and the root is the same after all free memory was written to.
 */
export async function judgePhram(
  board: Board,
  folder: string,
  rootAddress: number,
): Promise<string | undefined> {
  const file = await readFile(join(folder, outputFolder, 'rootfs.squashfs'))
  const regionBytes = Math.ceil(file.length / 4096) * 4096
  const hex = (number: number): string => number.toString(16).padStart(8, '0')
  const mtd = await board.run('cat /proc/mtd')
  if (!mtd.includes(`mtd0: ${hex(regionBytes)} 00001000 "rootfs"`))
    return `/proc/mtd has another root:\n${mtd}`
  const mounts = await board.run('cat /proc/mounts')
  if (!/^(\/dev\/root|\/dev\/mtdblock0) \/ squashfs ro\b/m.test(mounts))
    return `the root is elsewhere:\n${mounts}`
  const memory = await board.run('cat /proc/iomem')
  const reserved = `${hex(rootAddress)}-${hex(rootAddress + regionBytes - 1)} : reserved`
  if (!memory.split('\n').includes(reserved)) return `/proc/iomem has no "${reserved}":\n${memory}`
  const node = `/sys/firmware/devicetree/base/reserved-memory/rootfs@${rootAddress.toString(16)}`
  await board.run(`ls ${node}/no-map`)
  const sum = `head -c ${file.length} /dev/mtd0 | sha256sum | cut -d ' ' -f 1`
  const expected = createHash('sha256').update(file).digest('hex')
  const before = await board.run(sum)
  if (before !== expected) return `the root has another checksum before anything was written: ${before}`
  const fill =
    'mkdir /tmp/fill && mount -t tmpfs -o size=80% tmpfs /tmp/fill && { dd if=/dev/urandom of=/tmp/fill/all bs=1M 2> /dev/null; stat -c %s /tmp/fill/all; }'
  const filledBytes = Number(await board.run(fill))
  if (filledBytes < 300e6) return `only ${filledBytes} bytes of memory could be filled`
  const after = await board.run(sum)
  return after === expected ? undefined : `the root has another checksum after memory was filled: ${after}`
}

/** Minutes of work. */
export async function buildKernel(folder: string): Promise<BuiltKernel> {
  const output = join(folder, 'kernel')
  await mkdir(output)
  const make = async (...targets: readonly string[]) => {
    const settings = ['ARCH=arm64', 'CROSS_COMPILE=aarch64-linux-gnu-', `O=${output}`]
    await execa('make', ['-s', '-C', await linuxSource('6.1'), ...settings, ...targets])
  }
  await make('allnoconfig')
  const config = join(output, '.config')
  const symbols = SYMBOLS.filter((symbol) => symbol !== '').map((symbol) => `CONFIG_${symbol}=y\n`)
  await writeFile(config, `${await readFile(config, 'utf8')}${symbols.join('')}`)
  await make('olddefconfig')
  await make('-j2', 'Image')
  return { image: join(output, 'arch/arm64/boot/Image'), config }
}

/** Builds `tftpboot` of a system with such a kernel into a folder. */
export async function buildPhramSystem(
  folder: string,
  built: BuiltKernel,
  device: Partial<Device>,
  boot: BootOptions,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  const definition = defineSystem({
    device: { ...withMemory(qemuAarch64, 512), ...device },
    hostname: 'board',
    boot,
    setup(system) {
      system.applets('cat', 'cut', 'dd', 'head', 'ls', 'mkdir', 'mount', 'sha256sum', 'stat')
      consoleLogin(system, { login: { type: 'open' } })
    },
  })
  const engine = await openEngine({ storeFolder: join(cacheFolder, 'store') })
  try {
    const system = await assemble(engine, await evaluateSystem(definition), {
      file: join(folder, 'system.ts'),
      lockFile: join(folder, 'firmwright.lock'),
      lockSet: 'system',
      aptFolder: join(cacheFolder, 'apt'),
      offline: false,
    })
    const image = await engine.import(built.image)
    const configFile = await engine.import(built.config)
    if (image.kind !== 'file' || configFile.kind !== 'file') throw new Error('a kernel is a file')
    const kernel: Kernel = {
      name: 'a small kernel with phram',
      release: system.kernel.release,
      image: { type: 'artifact', artifact: image },
      configFile: { type: 'artifact', artifact: configFile },
      config: parseConfigFile(await readFile(built.config, 'utf8')),
      modules: createKmodSource({ paths: [], read: () => Promise.reject(new Error('it has no modules')) }),
      moduleContent: () => {
        throw new Error('it has no modules')
      },
      origin: definition.origin,
    }
    await writeOutput(engine, { ...system, kernel }, tftpboot, join(folder, 'build'))
  } finally {
    await engine.close()
  }
}
