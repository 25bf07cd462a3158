/**
 * The devices that Firmwright knows, one file each. Adding one is adding a file and naming it here; the doc comment
 * of the file is its manual page.
 */
export { qemuAarch64 } from './qemu-aarch64.ts'
export { qemuArmv7l } from './qemu-armv7l.ts'
export { qemuMipsel } from './qemu-mipsel.ts'
export { qemuX86_64 } from './qemu-x86-64.ts'
export { turrisMox } from './turris-mox.ts'
export { turrisOmnia } from './turris-omnia.ts'
export { withMemory } from './with-memory.ts'
