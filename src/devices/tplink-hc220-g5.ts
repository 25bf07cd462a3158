import { yes } from '../kernel/index.ts'
import type { Device } from '../system/index.ts'
import { readLoaderFile } from './loader-file.ts'
import { ralinkSymbols } from './ralink-symbols.ts'

/**
 * TP-Link HC220-G5 v1 (MediaTek MT7621, two cores), with 128 MiB of memory. Boots over the network by TP-Link's old U-Boot,
 * stopped with the key t; nothing is written to it. The device tree, which came with Linux 6.5, goes behind the kernel, since
 * that U-Boot hands none over.
 *
 * Debian has no kernel for it, and Debian 13 no mipsel: take a kernel from source of Linux 6.5 or later, for
 * example `linuxSource({ tarball, sha256 })` with what trixie's package linux-source-6.12 has in /usr/src.
 *
 * Not tried on the board itself, and no log of its loader is published: what is said here is from the sources that are named,
 * of its chip and of another board of TP-Link's.
 */
export const tplinkHc220G5: Device = {
  name: 'tplink-hc220-g5',
  description: 'TP-Link HC220-G5 v1, booted over the network',
  // mt7621.dtsi of the kernel: two cpu nodes, mips,mips1004Kc; RALINK is SYS_SUPPORTS_LITTLE_ENDIAN alone.
  architecture: 'mipsel',
  // arch/mips/boot/dts/ralink/ of Linux 6.12.
  deviceTree: { source: 'kernel', file: 'ralink/mt7621-tplink-hc220-g5-v1.dtb' },
  // bootargs of that tree: console=ttyS0,115200.
  console: { tty: 'ttyS0', baudRate: 115_200 },
  kernelParameters: ['console=ttyS0,115200'],
  kernelSymbols: [
    ...ralinkSymbols,
    yes('SOC_MT7621', 'its chip'),
    // clocks and pinctrl-0 of serial@c00 in mt7621.dtsi: syscon@0 and pinctrl.
    yes('CLK_MT7621', 'the clocks of its serial port'),
    yes('PINCTRL_MT7621', 'and the pins'),
    // mt7621.dtsi has mti,gic and mti,mips-cpc; register_cps_smp_ops() in arch/mips/ralink/mt7621.c.
    yes('MIPS_CPS', 'with two cores'),
  ],
  storageModules: [],
  // ethernet@1e100000 of mt7621.dtsi is mediatek,mt7621-eth, its switch@1f mediatek,mt7621 on MDIO.
  networkModules: ['mtk_eth', 'mt7530_mdio'],
  defaultOutput: 'tftpboot',
  networkBoot: {
    loader: readLoaderFile('tplink-hc220-g5'),
    // memory@0 of that tree: 0x8000000 bytes from 0.
    memory: [{ start: 0, end: 0x800_0000 }],
    reserved: [],
    // Above what a kernel of a few MB takes, which is linked to the start of the memory (arch/mips/ralink/Platform).
    rootAddress: 0x200_0000,
    format: 'uimage-lzma',
    // Examples (RFC 5737): a system says its own under boot: { network }.
    network: { server: '192.0.2.1', board: '192.0.2.2', netmask: '255.255.255.0' },
  },
}
