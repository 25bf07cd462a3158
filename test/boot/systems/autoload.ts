import { defineSystem } from 'firmwright'
import { consoleLogin } from 'firmwright/features'
import { device } from './parameters.ts'

// Rules are loaded by hand, and nothing loads their modules but the kernel's own requests.
export default defineSystem({
  device,
  hostname: 'autoload',
  setup(system) {
    system.kernel.autoload('nf_tables', 'nft_ct', 'nft_limit', 'nft-chain-2-nat')
    system.packages.file('nftables', '/usr/sbin/nft')
    system.applets('awk', 'lsmod', 'wc')
    consoleLogin(system, { login: { type: 'open' } })
  },
})
