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

const configuration = '/etc/openntpd/ntpd.conf'
const keeper = '/usr/lib/firmwright/ntp'

/** Runs openntpd; its complaint is that of 6.2p3 (ntpd.c, SETTIME_TIMEOUT). */
const script = (ntpd: string): string => `#!/bin/sh
# openntpd sets the clock if a server answers in the first 15 s of its life, and never later. A network may take longer
# than that: it is started again until a server did.
said=/run/openntpd/said
[ -p $said ] || mkfifo -m 600 $said
trap 'kill $ntpd; wait $ntpd; exit 0' TERM
while :; do
	again=
	${ntpd} -d -s -f ${configuration} > $said 2>&1 &
	ntpd=$!
	while read -r line; do
		echo "$line"
		case $line in *'skipping initial time setting'*) again=yes && kill $ntpd ;; esac
	done < $said
	wait $ntpd
	status=$?
	[ -n "$again" ] || exit $status
done
`

/**
 * Keeps the clock right (openntpd): set at once when the first servers answer, whenever that is, and kept in step from
 * then on. openntpd 6.2p3, which Debian 12 and 13 have, takes no date from 2030 on for true (ntp.h, JAN_2030).
 *
 * ```ts
 * ntp(system, { servers: ['0.debian.pool.ntp.org'] })
 * ```
 */
export const ntp = defineFeature('ntp', options, (system, { servers }) => {
  const ntpd = system.packages.file('openntpd', '/usr/sbin/ntpd')
  // openntpd asks the C library for the port of the service "ntp".
  system.packages.file('netbase', '/etc/services')
  system.applets('mkdir', 'mkfifo')
  system.users.add(user)
  system.files.text(configuration, `${servers.map((server) => `servers ${server}`).join('\n')}\n`)
  system.files.text(keeper, script(ntpd), { mode: 0o755 })
  return system.services.longrun({
    name: 'ntp',
    description: 'network time',
    command: [keeper],
    // Without the folders of its control socket and its drift file it ends at once.
    prepare: ['mkdir -p -m 755 /run/openntpd /var/lib/openntpd/db /var/lib/openntpd/run'],
    state: [{ path: '/var/lib/openntpd', what: 'the drift of the clock' }],
  })
})
