import { defineSystem } from 'firmwright'
import { consoleLogin } from 'firmwright/features'
import { device } from './parameters.ts'

// What is done here by hand needs modules that nothing loads but the kernel's own requests, and the devices' uevents.
export default defineSystem({
  device,
  hostname: 'autoload',
  setup(system) {
    system.kernel.autoload('nf_tables', 'nft_ct', 'nft_limit', 'nft-chain-2-nat')
    system.kernel.autoload('fs-overlay', 'tty-ldisc-1')
    system.kernel.autoload('net-pf-16-proto-6', 'xfrm-type-2-50')
    system.kernel.autoload('crypto-authenc', 'crypto-des3_ede', 'crypto-echainiv')
    // Initialization vectors are drawn at random, by these (crypto/echainiv.c, crypto/drbg.c).
    system.kernel.autoload('crypto-stdrng', 'crypto-sha512', 'crypto-jitterentropy_rng')
    system.kernel.hotplug('xhci_pci', 'usbhid')
    system.packages.file('nftables', '/usr/sbin/nft')
    system.packages.file('iproute2', '/bin/ip')
    system.packages.file('util-linux', '/usr/sbin/ldattach')
    system.applets('awk', 'lsmod', 'mkdir', 'mount', 'wc')
    consoleLogin(system, { login: { type: 'open' } })
  },
})
