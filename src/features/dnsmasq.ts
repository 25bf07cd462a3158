import type { ServiceHandle } from '../services/index.ts'
import type { SystemBuilder } from '../system/index.ts'

const user = { name: 'dnsmasq', uid: 101, gid: 101, group: 'dnsmasq' }

/** Options that every dnsmasq of ours runs with; what it serves stands in the files of its folder. */
const basics = [
  `user=${user.name}`,
  `group=${user.group}`,
  'bind-dynamic',
  'except-interface=lo',
  'no-hosts',
  'resolv-file=/run/resolv.conf',
]

/**
 * One running dnsmasq, called `name`, that reads every file in `/etc/dnsmasq/NAME`. Asking for the same one twice
 * gives the same service, so that features may share it.
 */
export function dnsmasqInstance(system: SystemBuilder, name: string): ServiceHandle {
  const dnsmasq = system.packages.file('dnsmasq-base', '/usr/sbin/dnsmasq')
  system.users.add(user)
  system.files.text(
    `/etc/dnsmasq/${name}.conf`,
    `${[...basics, `conf-dir=/etc/dnsmasq/${name}`].join('\n')}\n`,
  )
  return system.services.longrun({
    name,
    description: `dnsmasq (${name})`,
    command: [
      dnsmasq,
      '--keep-in-foreground',
      '--log-facility=-',
      `--conf-file=/etc/dnsmasq/${name}.conf`,
      `--dhcp-leasefile=/var/lib/dnsmasq/${name}.leases`,
      '--pid-file',
    ],
    state: [{ path: '/var/lib/dnsmasq', what: 'DHCP leases', owner: `${user.name}:${user.group}` }],
  })
}

/** Lines of a dnsmasq configuration file. */
export function dnsmasqFile(
  system: SystemBuilder,
  name: string,
  file: string,
  lines: readonly string[],
): void {
  system.files.text(`/etc/dnsmasq/${name}/${file}`, `${lines.join('\n')}\n`)
}
