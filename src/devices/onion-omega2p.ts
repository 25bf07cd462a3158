import { yes } from '../kernel/index.ts'
import type { Device } from '../system/index.ts'
import { readLoaderFile } from './loader-file.ts'
import { ralinkSymbols } from './ralink-symbols.ts'

/**
 * Onion Omega2+ (MediaTek MT7688AN, one MIPS 24KEc), with 128 MiB of memory. Boots over the network by the U-Boot 1.1.3 that
 * it is sold with: keep the reset button pressed while it is powered on, and its menu comes; nothing is written to it. The
 * device tree goes behind the kernel, since that U-Boot hands none over. The loader needs Ethernet, which is on a dock.
 *
 * Debian has no kernel for it: take `linuxSource({ package: 'linux-source-6.1' })`. Not Linux 6.12, which stops with "Failed to
 * find system controller node" before there is a console: mtmips_sysc_match in its arch/mips/ralink/of.c does not have
 * ralink,mt7620a-sysc, which is what its own mt7628a.dtsi calls that node. The tree has the serial ports, and
 * neither Ethernet nor radio: for those take a tree of your own, `deviceTree: { source: 'file', … }`.
 *
 * Not tried on the board itself: what is said here is from the sources that are named.
 */
export const onionOmega2p: Device = {
  name: 'onion-omega2p',
  description: 'Onion Omega2+, booted over the network',
  // mt7628a.dtsi of the kernel: one cpu node, mti,mips24KEc; RALINK is SYS_SUPPORTS_LITTLE_ENDIAN alone.
  architecture: 'mipsel',
  // arch/mips/boot/dts/ralink/ of Linux 6.1.
  deviceTree: { source: 'kernel', file: 'ralink/omega2p.dtb' },
  // bootargs of that tree: console=ttyS0,115200.
  console: { tty: 'ttyS0', baudRate: 115_200 },
  kernelParameters: ['console=ttyS0,115200'],
  kernelSymbols: [
    ...ralinkSymbols,
    yes('SOC_MT7620', 'its chip, as the kernel calls the MT7620 and what came of it'),
    // The dtb is made for this symbol alone (arch/mips/boot/dts/ralink/Makefile); the one that it builds in is looked at
    // after the one that is appended.
    yes('DTB_OMEGA2P', 'its device tree'),
    // pinctrl-0 of uartlite@c00 in mt7628a.dtsi: pinmux@60, which is pinctrl-single.
    yes('PINCTRL_SINGLE', 'the pins of its serial port'),
  ],
  storageModules: [],
  // mt7628a.dtsi has no Ethernet.
  networkModules: [],
  defaultOutput: 'tftpboot',
  networkBoot: {
    loader: readLoaderFile('onion-omega2p'),
    // memory@0 of that tree: 0x8000000 bytes from 0.
    memory: [{ start: 0, end: 0x800_0000 }],
    reserved: [],
    // Above a kernel, which is linked to the start of the memory (arch/mips/ralink/Platform): that of npm run verify boards
    // takes 6.6 MiB, the room for the tree among them.
    rootAddress: 0x200_0000,
    format: 'uimage-lzma',
    // Examples (RFC 5737): a system says its own under boot: { network }.
    network: { server: '192.0.2.1', board: '192.0.2.2', netmask: '255.255.255.0' },
  },
}
