import { defineSystem } from 'firmwright'
import { consoleLogin, dhcpClient, networkInterface } from 'firmwright/features'
import { device } from './parameters.ts'

// A machine in the network behind a router. It serves a page that only its neighbours should see.
export default defineSystem({
  device,
  hostname: 'client',
  setup(system) {
    const net = networkInterface(system, { name: 'eth0' })
    dhcpClient(system, { interface: net })
    system.files.text('/srv/www/index.html', 'private\n')
    system.services.longrun({
      name: 'web',
      description: 'web server for the neighbours',
      command: [system.applet('httpd'), '-f', '-h', '/srv/www'],
    })
    system.packages.file('libc-bin', '/usr/bin/getent')
    system.applets('timeout', 'wget')
    consoleLogin(system, { login: { type: 'open' } })
  },
})
