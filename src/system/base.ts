import type { Origin } from '../diagnostics/index.ts'
import { type Entry, type FileTree, imageTimeSeconds, type Node } from '../filetree/index.ts'
import {
  appletsOf,
  baseServiceApplets,
  busyboxApplets,
  clockService,
  entropyService,
  hostnameService,
  kernelLogService,
  loginApplets,
  loopbackService,
  openRcFiles,
  type Service,
  seedrngFile,
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

/** Files of packages that the service manager and the base services call by name. */
export const baseProgramFiles: readonly { readonly package: string; readonly path: string }[] = [
  { package: basePackages.busybox, path: '/bin/busybox' },
  ...[...openRcFiles, seedrngFile].map((path) => ({ package: 'openrc', path })),
]

/** Applets that the service manager, and these services as they are rendered, call. */
export function baseApplets(services: readonly Service[]): readonly string[] {
  const called = services.flatMap(({ name }) => baseServiceApplets[name] ?? [])
  return [...new Set([...busyboxApplets, ...loginApplets, ...appletsOf(services), ...called])].sort()
}
