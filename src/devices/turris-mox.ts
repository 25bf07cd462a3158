import { yes } from '../kernel/index.ts'
import type { Device } from '../system/index.ts'
import { readLoaderFile } from './loader-file.ts'

/**
 * CZ.NIC Turris MOX, the modular router (Armada 3720, two Cortex-A53), with 512 MiB of memory; the one with 1 GiB is
 * `withMemory(turrisMox, 1024)`. Boots over the network by its U-Boot; nothing is written to it.
 *
 * Not tried on the board itself: what is said here is from the sources that are named.
 */
export const turrisMox: Device = {
  name: 'turris-mox',
  description: 'CZ.NIC Turris MOX, booted over the network',
  // armada-372x.dtsi of the kernel: two cpu nodes, arm,cortex-a53.
  architecture: 'arm64',
  // arch/arm64/boot/dts/marvell/ of Linux 6.1 and 6.12.
  deviceTree: { source: 'kernel', file: 'marvell/armada-3720-turris-mox.dtb' },
  // stdout-path of that tree: serial0, 115200n8; MVEBU_UART's console is ttyMV (drivers/tty/serial/mvebu-uart.c).
  console: { tty: 'ttyMV0', baudRate: 115_200 },
  kernelParameters: ['console=ttyMV0,115200'],
  kernelSymbols: [
    yes('ARCH_MVEBU', 'its chip, an Armada 3720'),
    yes('SERIAL_MVEBU_UART', 'its serial port, ttyMV0'),
    yes('SERIAL_MVEBU_CONSOLE', 'as a console'),
  ],
  storageModules: [],
  // eth0 and eth1 of that tree are marvell,armada-3700-neta; its PHYs are Marvell's, the switches on modules mv88e6xxx.
  networkModules: ['mvneta', 'marvell', 'mv88e6xxx'],
  defaultOutput: 'tftpboot',
  networkBoot: {
    loader: readLoaderFile('turris-mox'),
    // memory@0 of that tree: 0x20000000 bytes from 0.
    memory: [{ start: 0, end: 0x2000_0000 }],
    // psci-area@4000000 comes from the tree itself.
    reserved: [],
    // kernel_addr_r of include/configs/turris_mox.h in U-Boot 2023.01: where it expects to load to, above the firmware.
    rootAddress: 0x500_0000,
    format: 'image',
    // Examples (RFC 5737): a system says its own under boot: { network }.
    network: { server: '192.0.2.1', board: '192.0.2.2', netmask: '255.255.255.0' },
  },
}
