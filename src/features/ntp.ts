import { z } from 'zod'
import { defineFeature } from '../system/index.ts'

const options = z.strictObject({
  /** Time servers; a name that stands for several is used with all of them. */
  servers: z
    .array(z.string().regex(/^[A-Za-z0-9.:-]+$/, 'not a host name or address'))
    .min(1)
    .default(['pool.ntp.org']),
})

/** Debian's openntpd drops its privileges to this user and locks itself into the user's home folder. */
const user = { name: 'ntpd', uid: 102, gid: 102, group: 'ntpd', home: '/run/openntpd' }

/**
 * Keeps the clock right (openntpd): set at once when the first servers answer, and kept in step from then on.
 *
 * ```ts
 * ntp(system, { servers: ['0.debian.pool.ntp.org'] })
 * ```
 */
export const ntp = defineFeature('ntp', options, (system, { servers }) => {
  const ntpd = system.packages.file('openntpd', '/usr/sbin/ntpd')
  // openntpd asks the C library for the port of the service "ntp".
  system.packages.file('netbase', '/etc/services')
  system.applets('mkdir')
  system.users.add(user)
  system.files.text('/etc/openntpd/ntpd.conf', `${servers.map((server) => `servers ${server}`).join('\n')}\n`)
  return system.services.longrun({
    name: 'ntp',
    description: 'network time',
    command: [ntpd, '-d', '-s', '-f', '/etc/openntpd/ntpd.conf'],
    // Without the folders of its control socket and its drift file it ends at once.
    prepare: ['mkdir -p -m 755 /run/openntpd /var/lib/openntpd/db /var/lib/openntpd/run'],
    state: [{ path: '/var/lib/openntpd', what: 'the drift of the clock' }],
  })
})
