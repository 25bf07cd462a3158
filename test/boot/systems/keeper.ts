import { defineSystem } from 'firmwright'
import { consoleLogin, dhcpClient, dhcpServer, networkInterface, ssh } from 'firmwright/features'
import { device } from './parameters.ts'

// Keeps what it learns: a host key, and a lease that it gives to itself when both cards share a wire.
export default defineSystem({
  device,
  hostname: 'keeper',
  state: { sizeMebibytes: 16 },
  setup(system) {
    const asking = networkInterface(system, { name: 'eth0' })
    const giving = networkInterface(system, { name: 'eth1', address: '192.168.8.1/24' })
    dhcpClient(system, { interface: asking })
    dhcpServer(system, { interface: giving, range: ['192.168.8.100', '192.168.8.199'] })
    ssh(system, { authorizedKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA nobody'] })
    // Two names of one file in their package.
    system.packages.file('openntpd', '/usr/sbin/ntpd')
    system.packages.file('openntpd', '/usr/sbin/ntpctl')
    system.packages.file('dropbear-bin', '/usr/bin/dbclient')
    consoleLogin(system, { login: { type: 'open' } })
  },
})
