import { yes } from '../kernel/index.ts'
import type { Device } from '../system/index.ts'
import { readLoaderFile } from './loader-file.ts'

/**
 * MIPS's development board Malta, little-endian, as QEMU emulates it: a system for MIPS routers can be tried, and tested,
 * without hardware.
 *
 * The kernel has its device tree built in and takes no other. In `vm`, kernel and initramfs are loaded by QEMU itself; in
 * `tftpboot`, by Debian's U-Boot for this board (maltael). Facts: QEMU's hw/mips/malta.c.
 */
export const qemuMipsel: Device = {
  name: 'qemu-mipsel',
  description: "MIPS's development board Malta, emulated",
  architecture: 'mipsel',
  deviceTree: { source: 'built-in' },
  console: { tty: 'ttyS0', baudRate: 115_200 },
  kernelParameters: ['console=ttyS0,115200'],
  kernelSymbols: [
    yes('MIPS_MALTA', 'the board'),
    yes('CPU_MIPS32_R2', 'its processor, a 24Kf'),
    yes('PCI', 'its cards are on PCI'),
    yes('SERIAL_8250', 'its serial port, ttyS0'),
    yes('SERIAL_8250_CONSOLE', 'as a console'),
    yes('RTC_CLASS', 'its clock'),
    yes('RTC_DRV_CMOS', 'which is that of a PC'),
    yes('RTC_HCTOSYS', 'the time is set from it, before anything runs'),
  ],
  storageModules: ['virtio_pci', 'virtio_blk'],
  networkModules: ['pcnet32'],
  disks: { root: '/dev/vda', state: '/dev/vdb' },
  defaultOutput: 'vm',
  emulator: {
    program: 'qemu-system-mipsel',
    machine: 'malta',
    cpu: '24Kf',
    memoryMebibytes: 256,
    kvm: false,
    networkCard: 'pcnet',
    disk: 'virtio-blk-pci',
    firmware: {
      file: '/usr/lib/u-boot/maltael/u-boot.bin',
      package: 'u-boot-qemu',
      // hw/mips/malta.c: 4 MiB of flash, and every word of a -bios file is swapped on a little-endian board, which suits
      // firmware that is made for either byte order; U-Boot's is not.
      flash: { sizeBytes: 4 << 20, swapped: true },
    },
  },
  networkBoot: {
    loader: readLoaderFile('qemu-malta'),
    // hw/mips/malta.c: the first 256 MiB are at 0; the board's devices come after them.
    memory: [{ start: 0, end: 0x1000_0000 }],
    reserved: [],
    // Above what Debian's kernel takes: the vmlinuz unpacks itself below 17 MiB, and itself ends below 28.
    rootAddress: 0x400_0000,
    format: 'uimage-gzip',
    // QEMU's user network has 10.0.2.0/24 and answers port 69 of 10.0.2.2 itself; 192.0.2.0/24 is nobody's (RFC 5737).
    network: { server: '192.0.2.1', board: '10.0.2.15', netmask: '255.255.255.0', gateway: '10.0.2.2' },
  },
}
