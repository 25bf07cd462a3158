/**
 * Features: what a system can be told to do, one file each. A feature is a typed function that contributes kernel
 * requirements, package files, configuration and services; the doc comment of each is its manual page.
 */
export { consoleLogin } from './console.ts'
export { dhcpClient } from './dhcp-client.ts'
export { dhcpServer } from './dhcp-server.ts'
export { type DnsHandle, dns } from './dns.ts'
export { firewall } from './firewall.ts'
export { type KernelRequests, kernelRequests } from './kernel-requests.ts'
export { mount } from './mount.ts'
export { type InterfaceHandle, networkInterface } from './network-interface.ts'
export { ntp } from './ntp.ts'
export { ssh } from './ssh.ts'
