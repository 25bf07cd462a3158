import type { Service } from './service.ts'

/*
 * What the rendered files call on the target, measured by booting: nothing here can be left out, and nothing else
 * is needed. Package names are Debian's; paths are usr-merged.
 */

/** Files of package `openrc`. Its own init.sh, gendepends.sh and openrc-run.sh must not be there: ours are. */
export const openRcFiles: readonly string[] = [
  '/usr/bin/rc-status',
  '/usr/sbin/openrc',
  '/usr/sbin/openrc-run',
  '/usr/sbin/rc-service',
  '/usr/sbin/supervise-daemon',
]

/** The program of {@link entropyService}, of package `openrc` as well. */
export const seedrngFile = '/usr/lib/rc/sbin/seedrng'

const systemApplets = new Set(
  'findfs getty halt ifconfig init insmod klogd poweroff reboot rmmod start-stop-daemon syslogd'.split(' '),
)

/** Where the link for an applet belongs: rendered files name some by their path. */
export function appletPath(applet: string): string {
  return `/usr/${systemApplets.has(applet) ? 'sbin' : 'bin'}/${applet}`
}

/** busybox applets that the root needs for any set of services. */
export const busyboxApplets: readonly string[] = [
  'chmod',
  'date',
  'halt',
  'init',
  'ln',
  'mkdir',
  'mkfifo',
  'mount',
  'poweroff',
  'reboot',
  'sh',
  'sleep',
]

/** The applets that only some services need, as rendered; what a service's own commands call is its own affair. */
export function appletsOf(services: readonly Service[]): readonly string[] {
  const applets = new Set<string>()
  for (const service of services) {
    const { kmods = [], state = [] } = service
    if (kmods.length > 0)
      for (const name of ['grep', 'dmesg', 'insmod', 'rm', 'rmdir', 'rmmod', 'tail']) applets.add(name)
    if (state.some(({ owner }) => owner !== undefined)) applets.add('chown')
    if (service.kind === 'longrun' && service.output !== 'discard') applets.add('logger')
    if (service.kind === 'longrun' && service.user !== undefined) applets.add('start-stop-daemon')
  }
  return [...applets].sort()
}

/** Applets of a console with a login. */
export const loginApplets: readonly string[] = ['getty', 'login']

/** Applets that the base services call, by the name of the service. */
export const baseServiceApplets: Readonly<Record<string, readonly string[]>> = {
  clock: [],
  entropy: [],
  hostname: [],
  klog: ['klogd'],
  loopback: ['ifconfig'],
  state: ['findfs', 'rm', 'sync', 'umount'],
  sysctl: [],
  syslog: ['logread', 'rm', 'syslogd'],
}

/** Applets of the static busybox in an initramfs; it is called as `/bin/busybox APPLET`, so no links are needed. */
export const initramfsApplets: readonly string[] = [
  'cttyhack',
  'dd',
  'dmesg',
  'grep',
  'insmod',
  'losetup',
  'mount',
  'od',
  'reboot',
  'setsid',
  'sh',
  'sleep',
  'switch_root',
  'tail',
  'tr',
]

/** Lines that /etc/group must have: the group that owns terminals, by the number that /etc/fstab gives to devpts. */
export const terminalGroup = { name: 'tty', gid: 5 } as const
