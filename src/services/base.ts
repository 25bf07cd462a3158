import type { Origin } from '../diagnostics/index.ts'
import type { Longrun, Oneshot } from './service.ts'
import { quote } from './shell.ts'

/*
 * The services that nearly every system has. The file systems in memory are not among them: init.sh mounts those
 * before there is a service manager.
 */

/** The log: a ring buffer in memory, read with `logread`. Phase sysinit, so that every later service can log. */
export function syslogService(options: { readonly sizeKiB?: number; readonly origin: Origin }): Longrun {
  return {
    kind: 'longrun',
    name: 'syslog',
    description: 'System log in memory',
    command: ['/sbin/syslogd', '-n', `-C${options.sizeKiB ?? 128}`],
    output: 'discard',
    // It asks for the hostname once.
    after: [{ kind: 'service', name: 'hostname' }],
    // What starts after it may log with its first breath. The socket is there before the buffer is, which a kernel may refuse.
    readiness: { check: ['logread'], timeoutSeconds: 5 },
    cleanup: [['rm', '-f', '/dev/log']],
    phase: 'sysinit',
    origin: options.origin,
  }
}

/** Copies the kernel's messages into the log. */
export function kernelLogService(options: { readonly origin: Origin }): Longrun {
  return {
    kind: 'longrun',
    name: 'klog',
    description: 'Kernel messages into the log',
    command: ['/sbin/klogd', '-n'],
    output: 'discard',
    requires: [{ kind: 'service', name: 'syslog' }],
    phase: 'sysinit',
    origin: options.origin,
  }
}

export function hostnameService(options: { readonly hostname: string; readonly origin: Origin }): Oneshot {
  return {
    kind: 'oneshot',
    name: 'hostname',
    description: `Name of this machine: ${options.hostname}`,
    up: `echo ${quote(options.hostname)} >/proc/sys/kernel/hostname`,
    phase: 'sysinit',
    origin: options.origin,
  }
}

/** The loopback interface; the kernel gives it 127.0.0.1 and ::1 by itself. */
export function loopbackService(options: { readonly origin: Origin }): Oneshot {
  return {
    kind: 'oneshot',
    name: 'loopback',
    description: 'Loopback network interface',
    up: ['ifconfig', 'lo', 'up'],
    phase: 'boot',
    origin: options.origin,
  }
}

/** Kernel settings, `net.ipv4.ip_forward` → `1`. A `/` stands for itself: `net/ipv4/conf/eth0.1/rp_filter`. */
export function sysctlService(options: {
  readonly values: Readonly<Record<string, string | number>>
  readonly origin: Origin
}): Oneshot {
  const writes = Object.entries(options.values)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => {
      const path = key.includes('/') ? key : key.replaceAll('.', '/')
      return `printf '%s\\n' ${quote(String(value))} >${quote(`/proc/sys/${path}`)}`
    })
  return {
    kind: 'oneshot',
    name: 'sysctl',
    description: 'Kernel settings',
    up: writes.join('\n'),
    phase: 'boot',
    origin: options.origin,
  }
}

/**
 * Carries randomness over a power cycle (OpenRC's seedrng: the new seed is made before the old one is used, so
 * that none is used twice).
 */
export function entropyService(options: { readonly origin: Origin }): Oneshot {
  return {
    kind: 'oneshot',
    name: 'entropy',
    description: 'Seed of the random number generator',
    up: '/usr/lib/rc/sbin/seedrng >/dev/null',
    down: '/usr/lib/rc/sbin/seedrng >/dev/null',
    state: [{ path: '/var/lib/seedrng', what: 'the seed of the random number generator', mode: 0o700 }],
    phase: 'boot',
    origin: options.origin,
  }
}

/**
 * Sees that time does not run backwards on a machine whose clock does not survive a power cycle: at boot it is at
 * least `notBefore`, and at least what it was when the machine was last switched off.
 */
export function clockService(options: { readonly notBefore: Date; readonly origin: Origin }): Oneshot {
  const file = '/var/lib/clock/last'
  return {
    kind: 'oneshot',
    name: 'clock',
    description: 'A clock that never goes backwards',
    up: `earliest=${Math.floor(options.notBefore.getTime() / 1000)} last=
[ ! -r ${file} ] || read -r last <${file} || :
case $last in *[!0-9]* | '') ;; *) [ "$last" -le $earliest ] || earliest=$last ;; esac
[ "$(date +%s)" -ge "$earliest" ] || date -s "@$earliest" >/dev/null`,
    down: `date +%s >${file}`,
    state: [{ path: '/var/lib/clock', what: 'the time, where no clock keeps it' }],
    phase: 'boot',
    origin: options.origin,
  }
}
