import { yes } from '../kernel/index.ts'
import type { Device } from '../system/index.ts'

/**
 * QEMU's 64-bit PC (`q35`), for trying a system at full speed where KVM works, and emulated elsewhere.
 *
 * The machine describes itself (ACPI), so no output carries a device tree. Facts: QEMU's documentation, "i440fx/q35
 * PC"; the serial port is the PC's first, `ttyS0`.
 */
export const qemuX86_64: Device = {
  name: 'qemu-x86_64',
  description: "QEMU's 64-bit PC, under KVM where that works",
  architecture: 'amd64',
  deviceTree: { source: 'platform' },
  console: { tty: 'ttyS0', baudRate: 115_200 },
  kernelParameters: ['console=ttyS0,115200'],
  kernelSymbols: [
    yes('SMP', 'more than one processor'),
    yes('ACPI', 'it describes itself through ACPI, and is switched off by it'),
    yes('PCI', 'its virtio cards are on PCI'),
    yes('PCI_MSI', 'whose queues interrupt by messages'),
    yes('SERIAL_8250', 'its serial port, ttyS0'),
    yes('SERIAL_8250_CONSOLE', 'as a console'),
    yes('RTC_CLASS', 'its clock'),
    yes('RTC_DRV_CMOS', 'which is a PC’s'),
    yes('RTC_HCTOSYS', 'the time is set from it, before anything runs'),
  ],
  storageModules: ['virtio_pci', 'virtio_blk'],
  networkModules: ['virtio_pci', 'virtio_net'],
  disks: { root: '/dev/vda', state: '/dev/vdb' },
  defaultOutput: 'vm',
  emulator: {
    program: 'qemu-system-x86_64',
    machine: 'q35',
    cpu: 'max',
    memoryMebibytes: 256,
    kvm: true,
    networkCard: 'virtio-net-pci',
    disk: 'virtio-blk-pci',
  },
}
