import { defineSystem, linuxSource } from 'firmwright'
import { qemuAarch64 } from 'firmwright/devices'
import {
  consoleLogin,
  dhcpClient,
  dhcpServer,
  dns,
  firewall,
  networkInterface,
  ntp,
  ssh,
} from 'firmwright/features'

// A home router: the outside on eth0, a network of its own on eth1. Its kernel is built from source, with the modules
// that the features below name and no others; that takes minutes, once.
export default defineSystem({
  device: qemuAarch64,
  kernel: linuxSource({ package: 'linux-source-6.1' }),
  hostname: 'edge',
  setup(system) {
    const wan = networkInterface(system, { name: 'eth0' })
    const lan = networkInterface(system, { name: 'eth1', address: '192.168.8.1/24' })
    dhcpClient(system, { interface: wan })
    firewall(system, { zones: { lan: [lan], wan: [wan] } })
    const names = dns(system, { interfaces: [lan], hosts: { router: '192.168.8.1' } })
    dhcpServer(system, { interface: lan, range: ['192.168.8.100', '192.168.8.199'], dns: names })
    ntp(system, { servers: ['pool.ntp.org'] })
    // Replace this key by your own: whoever holds its private half is root.
    ssh(system, {
      authorizedKeys: [
        'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA nobody',
      ],
    })
    consoleLogin(system, { login: { type: 'open' } })
  },
})
