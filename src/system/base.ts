import type { Origin } from '../diagnostics/index.ts'
import { type Entry, type FileTree, imageTimeSeconds, type Node } from '../filetree/index.ts'
import {
  clockService,
  entropyService,
  hostnameService,
  kernelLogService,
  loopbackService,
  type Service,
  sysctlService,
  syslogService,
} from '../services/index.ts'
import type { Requirements } from './merge.ts'

/**
 * What every system has, whatever its file says: the log, a name, loopback, randomness, a clock that does not run
 * backwards, and the files that the C library and the tools take for granted.
 */
export function baseServices(requirements: Requirements, origin: Origin): readonly Service[] {
  const sysctls = Object.fromEntries(requirements.sysctls.map(({ key, value }) => [key, value]))
  return [
    syslogService({ origin }),
    kernelLogService({ origin }),
    hostnameService({ hostname: requirements.hostname.value, origin }),
    loopbackService({ origin }),
    entropyService({ origin }),
    clockService({ notBefore: new Date(imageTimeSeconds * 1000), origin }),
    ...(requirements.sysctls.length === 0 ? [] : [sysctlService({ values: sysctls, origin })]),
  ]
}

/** Files of every system that belong to no service and no package. */
export function baseFiles(requirements: Requirements, origin: Origin): FileTree {
  const hostname = requirements.hostname.value
  const text = (value: string): Node => ({
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    content: { type: 'text', text: value },
  })
  const nodes: Readonly<Record<string, Node>> = {
    '/etc/hostname': text(`${hostname}\n`),
    '/etc/hosts': text(`127.0.0.1 localhost\n127.0.1.1 ${hostname}\n::1 localhost\n`),
    // A DHCP client writes it; /etc itself is read-only.
    '/etc/resolv.conf': { type: 'symlink', target: '../run/resolv.conf', uid: 0, gid: 0 },
    '/etc/nsswitch.conf': text('passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n'),
    '/etc/shells': text('/bin/sh\n'),
    '/etc/profile': text("PS1='\\h:\\w\\$ '\nexport PATH=/usr/sbin:/usr/bin\n"),
    '/etc/os-release': text('NAME="Firmwright"\nID=firmwright\nPRETTY_NAME="Firmwright"\n'),
    '/root': { type: 'directory', mode: 0o700, uid: 0, gid: 0 },
  }
  return new Map(
    Object.entries(nodes).map(([path, node]): [string, Entry] => [path, { ...node, origins: [origin] }]),
  )
}

/** The packages of every system. */
export const basePackages = { busybox: 'busybox', staticBusybox: 'busybox-static' } as const

/** What the service manager's files call by name: programs of packages, and applets of busybox. */
export const targetNeeds = {
  files: [
    { package: 'busybox', path: '/bin/busybox' },
    { package: 'openrc', path: '/sbin/openrc' },
    { package: 'openrc', path: '/sbin/openrc-run' },
    { package: 'openrc', path: '/sbin/rc-service' },
    { package: 'openrc', path: '/sbin/supervise-daemon' },
    { package: 'openrc', path: '/bin/rc-status' },
    { package: 'openrc', path: '/lib/rc/sbin/seedrng' },
    { package: 'openrc', path: '/lib/rc/version' },
  ],
  applets:
    `init sh ash cat echo mount umount mkdir ln ls rm rmdir mv cp chmod chown sleep kill ps grep sed awk cut head
    tail insmod rmmod lsmod syslogd klogd logger logread getty login poweroff reboot halt hostname ip ifconfig dmesg
    mkfifo touch env test true false printf date tr wc sort stty start-stop-daemon findfs sync id uptime free df`.split(
      /\s+/,
    ),
} as const
