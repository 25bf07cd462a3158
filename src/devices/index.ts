/**
 * The devices that Firmwright knows, one file each. Adding one is adding a file and naming it here; the doc comment
 * of the file is its manual page.
 */
export { bananapiBpiR3 } from './bananapi-bpi-r3.ts'
export { onionOmega2p } from './onion-omega2p.ts'
export { openwrtOne } from './openwrt-one.ts'
export { qemuAarch64 } from './qemu-aarch64.ts'
export { qemuArmv7l } from './qemu-armv7l.ts'
export { qemuMipsel } from './qemu-mipsel.ts'
export { qemuX86_64 } from './qemu-x86-64.ts'
export { tplinkHc220G5 } from './tplink-hc220-g5.ts'
export { turrisMox } from './turris-mox.ts'
export { turrisOmnia } from './turris-omnia.ts'
export { withMemory } from './with-memory.ts'
