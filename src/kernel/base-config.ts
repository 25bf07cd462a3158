/** One line of a configuration, for a kernel that is built from source. */
export interface KernelSymbol {
  readonly symbol: string
  readonly value: string
  /** Why it is there. */
  readonly why: string
}

/** A symbol with the value `y`. */
export const yes = (symbol: string, why: string): KernelSymbol => ({ symbol, value: 'y', why })

/**
 * What a kernel built from source has whatever the system asks for, on any hardware: what user space as our images have
 * it wants (busybox init, OpenRC, shell scripts, a read-only root). A configuration starts from every question answered
 * with no; the device adds what the hardware takes, and resolving finds what else that needs.
 */
export const baseConfig: readonly KernelSymbol[] = [
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
  yes('SYSVIPC', 'shared memory: the log of busybox is kept in it'),
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
