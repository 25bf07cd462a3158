/**
 * Outputs: what a system can be built into, one file each. Adding one is adding a file and naming it here.
 */
import { initramfs } from './initramfs.ts'
import { kernel } from './kernel.ts'
import { kernelHeaders } from './kernel-headers.ts'
import type { Output } from './output.ts'
import { rootfs } from './rootfs.ts'
import { tftpboot } from './tftpboot.ts'
import { vm } from './vm.ts'

export type { Output, OutputContents } from './output.ts'
export { type NetworkBootPlan, planNetworkBoot } from './tftpboot/plan.ts'
export { type WrittenOutput, writeOutput } from './write.ts'
export { initramfs, kernel, kernelHeaders, rootfs, tftpboot, vm }

/** Every output, in the order in which they are shown. */
export const outputs: readonly Output[] = [vm, tftpboot, rootfs, initramfs, kernel, kernelHeaders]
