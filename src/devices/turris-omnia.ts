import { yes } from '../kernel/index.ts'
import type { Device } from '../system/index.ts'
import { readLoaderFile } from './loader-file.ts'

/**
 * CZ.NIC Turris Omnia (Armada 385, two Cortex-A9), with 1 GiB of memory; the one with 2 GiB is
 * `withMemory(turrisOmnia, 2048)`. Boots over the network by its U-Boot; nothing is written to it.
 *
 * Not tried on the board itself: what is said here is from the sources that are named.
 */
export const turrisOmnia: Device = {
  name: 'turris-omnia',
  description: 'CZ.NIC Turris Omnia, booted over the network',
  // armada-385.dtsi of the kernel: arm,cortex-a9.
  architecture: 'armhf',
  // arch/arm/boot/dts/ of Linux 6.1; from 6.5 on in the folder marvell/.
  deviceTree: { source: 'kernel', file: 'armada-385-turris-omnia.dtb' },
  // console=ttyS0,115200 in include/configs/turris_omnia.h of U-Boot 2023.01.
  console: { tty: 'ttyS0', baudRate: 115_200 },
  kernelParameters: ['console=ttyS0,115200'],
  kernelSymbols: [
    yes('ARCH_MULTI_V7', 'its processor is an ARMv7 one'),
    yes('ARCH_MVEBU', 'its chip is of this family'),
    yes('MACH_ARMADA_38X', 'an Armada 385'),
    yes('SMP', 'with two processors'),
    yes('HIGHMEM', 'all of its memory, of which a kernel without it maps 760 MiB'),
    yes('SERIAL_8250', 'its serial port, ttyS0'),
    yes('SERIAL_8250_CONSOLE', 'as a console'),
    // serial@12000 of armada-38x.dtsi is marvell,armada-38x-uart, which 8250_dw.c drives.
    yes('SERIAL_8250_DW', 'in the form that this chip has'),
  ],
  storageModules: [],
  // eth0 to eth2 of that tree are marvell,armada-370-neta; the PHY of the WAN is Marvell's, the switch an mv88e6176.
  networkModules: ['mvneta', 'marvell', 'mv88e6xxx'],
  defaultOutput: 'tftpboot',
  networkBoot: {
    loader: readLoaderFile('turris-omnia'),
    // memory of that tree: 0x40000000 bytes from 0.
    memory: [{ start: 0, end: 0x4000_0000 }],
    reserved: [],
    // Above what Debian's kernel unpacks to: 21 MB from 2 MiB on (the size table of its zImage).
    rootAddress: 0x200_0000,
    format: 'zimage',
    // Examples (RFC 5737): a system says its own under boot: { network }.
    network: { server: '192.0.2.1', board: '192.0.2.2', netmask: '255.255.255.0' },
  },
}
