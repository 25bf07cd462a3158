import type { Device } from '../system/index.ts'

/**
 * QEMU's generic 64-bit Arm board (`virt`), emulated: a system can be tried, and tested, without hardware.
 *
 * The machine hands the kernel its own device tree, so no output carries one. Kernel and initramfs are loaded by
 * QEMU itself. Facts: QEMU's documentation, "virt generic virtual platform (virt)".
 */
export const qemuAarch64: Device = {
  name: 'qemu-aarch64',
  description: "QEMU's generic 64-bit Arm board, emulated",
  architecture: 'arm64',
  deviceTree: { source: 'platform' },
  console: { tty: 'ttyAMA0', baudRate: 115_200 },
  kernelParameters: ['console=ttyAMA0,115200'],
  storageModules: ['virtio_pci', 'virtio_blk'],
  networkModules: ['virtio_pci', 'virtio_net'],
  disks: { root: '/dev/vda', state: '/dev/vdb' },
  defaultOutput: 'vm',
  emulator: {
    program: 'qemu-system-aarch64',
    machine: 'virt',
    cpu: 'cortex-a53',
    memoryMebibytes: 256,
    kvm: false,
    networkCard: 'virtio-net-pci',
    disk: 'virtio-blk-pci',
  },
}
