/**
 * What a kernel built from source has whatever the system asks for. It starts from every question answered with no;
 * each line says why it is there, and resolving finds what else it takes.
 */
export interface BaseSymbol {
  readonly symbol: string
  readonly value: string
  readonly why: string
}

const yes = (symbol: string, why: string): BaseSymbol => ({ symbol, value: 'y', why })

/** For user space as our images have it: busybox init, OpenRC, shell scripts, a read-only root. */
const common: readonly BaseSymbol[] = [
  yes('MODULES', 'drivers and protocols are loaded by the service that needs them'),
  yes('MODULE_UNLOAD', 'and unloaded when it goes down'),
  yes('BLK_DEV_INITRD', 'the initramfs mounts the root'),
  yes('RD_GZIP', 'it is compressed with gzip'),
  yes('BINFMT_ELF', 'programs'),
  yes('BINFMT_SCRIPT', 'scripts: /init of the initramfs is one'),
  yes('PRINTK', 'messages of the kernel'),
  yes('BUG', 'a broken assumption of the kernel is reported, not passed over'),
  yes('TTY', 'consoles'),
  yes('UNIX98_PTYS', 'terminals of ssh logins'),
  yes('PROC_FS', '/proc'),
  yes('PROC_SYSCTL', '/proc/sys, where services set sysctls'),
  yes('SYSFS', '/sys'),
  yes('DEVTMPFS', '/dev'),
  yes('TMPFS', '/run, /tmp and what else is written on a read-only root'),
  yes('SHMEM', 'tmpfs with pages of its own, without which a tmpfs has no size limit'),
  yes('FUTEX', 'locks of the C library'),
  yes('EPOLL', 'daemons wait with it'),
  yes('SIGNALFD', 'daemons receive signals with it'),
  yes('TIMERFD', 'daemons wait for times with it'),
  yes('EVENTFD', 'daemons wake their threads with it'),
  yes('INOTIFY_USER', 'daemons watch their configuration with it'),
  yes('POSIX_TIMERS', 'timer_create(2), clock_nanosleep(2)'),
  yes('FILE_LOCKING', 'flock(2): the shell layer of services and nftables lock files'),
  yes('MULTIUSER', 'daemons run as users of their own'),
  yes('HIGH_RES_TIMERS', 'waits shorter than a timer tick'),
  yes('NO_HZ_IDLE', 'an idle processor sleeps'),
  yes('BLOCK', 'disks'),
  yes('SQUASHFS_XZ', 'the root is compressed with xz'),
  yes('NET', 'sockets'),
  yes('UNIX', 'sockets between programs: syslog, control of daemons'),
  yes('INET', 'IPv4'),
  yes('IPV6', 'IPv6; tables of nftables that filter both have to have it'),
]

/** For QEMU's machines: docs of QEMU, "virt generic virtual platform" and "i440fx/q35 PC". */
const ofArchitecture: Readonly<Record<string, readonly BaseSymbol[]>> = {
  arm64: [
    yes('SERIAL_AMBA_PL011', 'the serial port of the virt board, ttyAMA0'),
    yes('SERIAL_AMBA_PL011_CONSOLE', 'as a console'),
    yes('PCI', 'its virtio cards are on PCI'),
    yes('PCI_HOST_GENERIC', 'its PCI host is a generic ECAM one'),
    yes('RTC_CLASS', 'its clock'),
    yes('RTC_DRV_PL031', 'which is a PL031'),
  ],
  amd64: [
    yes('64BIT', 'a 64-bit kernel'),
    yes('SMP', 'more than one processor'),
    yes('ACPI', 'the machine describes itself through ACPI, and is switched off by it'),
    yes('PCI', 'its virtio cards are on PCI'),
    yes('PCI_MSI', 'whose queues interrupt by messages'),
    yes('SERIAL_8250', 'the serial port of a PC, ttyS0'),
    yes('SERIAL_8250_CONSOLE', 'as a console'),
    yes('RTC_CLASS', 'its clock'),
    yes('RTC_DRV_CMOS', 'which is a PC’s'),
  ],
}

export function baseConfig(architecture: string): readonly BaseSymbol[] {
  return [...common, ...(ofArchitecture[architecture] ?? [])]
}
