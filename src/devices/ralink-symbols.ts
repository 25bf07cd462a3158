import { type KernelSymbol, yes } from '../kernel/index.ts'

/** What a kernel takes for boards with a MIPS chip of Ralink's or MediaTek's, under the loader of MediaTek's SDK. */
export const ralinkSymbols: readonly KernelSymbol[] = [
  // arch/mips/Kconfig of Linux 6.1 and 6.12.
  yes('RALINK', 'its chip is of this family'),
  yes('CPU_MIPS32_R2', 'its processor is one of these'),
  // The serial ports of mt7621.dtsi and mt7628a.dtsi are ns16550a, which 8250_of.c drives.
  yes('SERIAL_8250', 'its serial port, ttyS0'),
  yes('SERIAL_8250_CONSOLE', 'as a console'),
  yes('SERIAL_OF_PLATFORM', 'as the device tree describes it'),
  // get_fdt() of arch/mips/include/asm/bootinfo.h; the loader hands none over.
  yes('MIPS_RAW_APPENDED_DTB', 'its device tree comes behind the kernel'),
]
