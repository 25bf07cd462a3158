import type { Device } from '../system/index.ts'
import { readLoaderFile } from './loader-file.ts'
import { virtSymbols } from './virt-symbols.ts'

/**
 * QEMU's generic 64-bit Arm board (`virt`), emulated: a system can be tried, and tested, without hardware.
 *
 * The machine hands the kernel its own device tree, so no output carries one, unless a system takes the device with
 * `deviceTree: { source: 'emulator' }`. In `vm`, kernel and initramfs are loaded
 * by QEMU itself; in `tftpboot`, by Debian's U-Boot for this board. Facts: QEMU's documentation, "virt generic virtual
 * platform (virt)".
 */
export const qemuAarch64: Device = {
  name: 'qemu-aarch64',
  description: "QEMU's generic 64-bit Arm board, emulated",
  architecture: 'arm64',
  deviceTree: { source: 'platform' },
  console: { tty: 'ttyAMA0', baudRate: 115_200 },
  kernelParameters: ['console=ttyAMA0,115200'],
  kernelSymbols: virtSymbols,
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
    firmware: { file: '/usr/lib/u-boot/qemu_arm64/u-boot.bin', package: 'u-boot-qemu' },
  },
  networkBoot: {
    loader: readLoaderFile('qemu-arm64'),
    // hw/arm/virt.c: RAM begins at 1 GiB; as much of it as `memoryMebibytes`.
    memory: [{ start: 0x4000_0000, end: 0x5000_0000 }],
    reserved: [],
    // Above the tree that QEMU puts at the start of the RAM, and U-Boot's stack before it moves itself
    // (CONFIG_SYS_INIT_SP_ADDR 0x40200000).
    rootAddress: 0x4040_0000,
    format: 'image',
    // QEMU's user network has 10.0.2.0/24 and answers port 69 of 10.0.2.2 itself; 192.0.2.0/24 is nobody's (RFC 5737).
    network: { server: '192.0.2.1', board: '10.0.2.15', netmask: '255.255.255.0', gateway: '10.0.2.2' },
  },
}
