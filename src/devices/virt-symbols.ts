import { type KernelSymbol, yes } from '../kernel/index.ts'

/** What a kernel takes for QEMU's `virt` boards for Arm, whatever their processor (hw/arm/virt.c). */
export const virtSymbols: readonly KernelSymbol[] = [
  yes('SERIAL_AMBA_PL011', 'its serial port, ttyAMA0'),
  yes('SERIAL_AMBA_PL011_CONSOLE', 'as a console'),
  yes('PCI', 'its virtio cards are on PCI'),
  yes('PCI_HOST_GENERIC', 'its PCI host is a generic ECAM one'),
  yes('RTC_CLASS', 'its clock'),
  yes('RTC_DRV_PL031', 'which is a PL031'),
  yes('RTC_HCTOSYS', 'the time is set from it, before anything runs'),
]
