import { yes } from '../kernel/index.ts'
import type { Device } from '../system/index.ts'
import { readLoaderFile } from './loader-file.ts'
import { virtSymbols } from './virt-symbols.ts'

/**
 * QEMU's generic 32-bit Arm board (`virt` with a Cortex-A15), emulated.
 *
 * The machine hands the kernel its own device tree, so no output carries one, unless a system takes the device with
 * `deviceTree: { source: 'emulator' }`. In `vm`, kernel and initramfs are loaded by QEMU itself; in `tftpboot`, by
 * Debian's U-Boot for this board. Facts: QEMU's documentation, "virt generic virtual platform (virt)".
 */
export const qemuArmv7l: Device = {
  name: 'qemu-armv7l',
  description: "QEMU's generic 32-bit Arm board, emulated",
  architecture: 'armhf',
  deviceTree: { source: 'platform' },
  console: { tty: 'ttyAMA0', baudRate: 115_200 },
  kernelParameters: ['console=ttyAMA0,115200'],
  kernelSymbols: [
    yes('ARCH_MULTI_V7', 'its processor is an ARMv7 one'),
    yes('ARCH_VIRT', 'the board'),
    yes('SMP', 'more than one processor'),
    yes('HIGHMEM', 'all of its memory, where it is given more than 760 MiB'),
    ...virtSymbols,
  ],
  storageModules: ['virtio_pci', 'virtio_blk'],
  networkModules: ['virtio_pci', 'virtio_net'],
  disks: { root: '/dev/vda', state: '/dev/vdb' },
  defaultOutput: 'vm',
  emulator: {
    program: 'qemu-system-arm',
    machine: 'virt',
    cpu: 'cortex-a15',
    memoryMebibytes: 256,
    kvm: false,
    networkCard: 'virtio-net-pci',
    disk: 'virtio-blk-pci',
    firmware: { file: '/usr/lib/u-boot/qemu_arm/u-boot.bin', package: 'u-boot-qemu' },
  },
  networkBoot: {
    loader: readLoaderFile('qemu-arm'),
    // hw/arm/virt.c: RAM begins at 1 GiB; as much of it as `memoryMebibytes`.
    memory: [{ start: 0x4000_0000, end: 0x5000_0000 }],
    reserved: [],
    // Above what Debian's kernel unpacks to: 21 MB from 2 MiB on (the size table of its zImage).
    rootAddress: 0x4200_0000,
    format: 'zimage',
    // QEMU's user network has 10.0.2.0/24 and answers port 69 of 10.0.2.2 itself; 192.0.2.0/24 is nobody's (RFC 5737).
    network: { server: '192.0.2.1', board: '10.0.2.15', netmask: '255.255.255.0', gateway: '10.0.2.2' },
  },
}
