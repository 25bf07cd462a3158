import { defineSystem } from 'firmwright'
import { consoleLogin, dhcpServer, dns, networkInterface } from 'firmwright/features'
import { device } from './parameters.ts'

// An IPv4 visitor is called [::ffff:1.2.3.4].
const visitor = `#!/bin/sh
address=\${REMOTE_ADDR##*:}
echo Content-Type: text/plain
echo
echo "visited by \${address%]}"
`

// The outside, as a router sees it: a provider with addresses and names, a web server, and a time server whose clock
// is years ahead (of the year in which this was written; the router's starts in 2001).
export default defineSystem({
  device,
  hostname: 'world',
  setup(system) {
    const net = networkInterface(system, { name: 'eth0', address: '203.0.113.1/24' })
    const names = dns(system, { interfaces: [net], domain: 'example', hosts: { www: '203.0.113.1' } })
    dhcpServer(system, { interface: net, range: ['203.0.113.100', '203.0.113.199'], dns: names })
    // The second line: it has no IPv6 address, which is not the same as nobody knowing.
    system.files.text('/etc/dnsmasq/dns/time.conf', 'host-record=pool.ntp.org,203.0.113.1\nlocal=/ntp.org/\n')
    system.files.text('/srv/www/cgi-bin/visitor', visitor, { mode: 0o755 })
    system.services.longrun({
      name: 'web',
      description: 'web server that tells visitors their address',
      command: [system.applet('httpd'), '-f', '-h', '/srv/www'],
      requires: [net.service],
    })
    system.files.text('/etc/chrony.conf', 'local stratum 1\nallow\ncmdport 0\npidfile /run/chronyd.pid\n')
    system.services.longrun({
      name: 'time',
      description: 'time server of a world in 2029',
      command: [
        system.packages.file('chrony', '/usr/sbin/chronyd'),
        ...['-d', '-x', '-u', 'root', '-f', '/etc/chrony.conf'],
      ],
      prepare: ['date -s 2029-05-05', 'mkdir -p -m 750 /run/chrony'],
      requires: [net.service],
    })
    system.applets('nc', 'timeout', 'wget')
    consoleLogin(system, { login: { type: 'open' } })
  },
})
