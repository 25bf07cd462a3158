import { yes } from '../kernel/index.ts'
import type { Device } from '../system/index.ts'
import { readLoaderFile } from './loader-file.ts'

/**
 * OpenWrt One (MediaTek MT7981B, two Cortex-A53), with 1 GiB of memory. Boots over the network by the U-Boot that it is sold
 * with, from NAND or NOR, whose menu is left with ctrl-c; nothing is written to it. Its device tree came with Linux 6.9:
 * take `release: 'trixie'`, or a kernel from source.
 *
 * The tree of Linux 6.12 has memory, processors, clocks and pins, and nothing that is on the board: no network card, no
 * flash, and the serial ports are switched off. What is laid over it here is the console and the memory of the firmware. For
 * the network take a tree of your own, `deviceTree: { source: 'file', … }`.
 *
 * Not tried on the board itself: what is said here is from the sources that are named.
 */
export const openwrtOne: Device = {
  name: 'openwrt-one',
  description: 'OpenWrt One, booted over the network',
  // mt7981b.dtsi of the kernel: two cpu nodes, arm,cortex-a53.
  architecture: 'arm64',
  deviceTree: {
    source: 'kernel',
    // arch/arm64/boot/dts/mediatek/ of Linux 6.12.
    file: 'mediatek/mt7981b-openwrt-one.dtb',
    overlays: [
      {
        // serial0, stdout-path and &uart0 of OpenWrt's mt7981b-openwrt-one.dts, uart0 being serial@11002000; and of its
        // mt7981.dtsi, "192 KiB reserved for ARM Trusted Firmware (BL31)".
        text: `/dts-v1/;
/plugin/;
&{/} {
	aliases {
		serial0 = "/soc/serial@11002000";
	};
	chosen {
		stdout-path = "serial0:115200n8";
	};
	reserved-memory {
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;
		secmon@43000000 {
			reg = <0 0x43000000 0 0x30000>;
			no-map;
		};
	};
};
&{/soc/serial@11002000} {
	status = "okay";
};
`,
      },
    ],
  },
  // stdout-path of OpenWrt's mt7981b-openwrt-one.dts: serial0:115200n8.
  console: { tty: 'ttyS0', baudRate: 115_200 },
  kernelParameters: ['console=ttyS0,115200'],
  kernelSymbols: [
    yes('ARCH_MEDIATEK', 'its chip, an MT7981B'),
    // clocks of serial@11002000 in mt7981b.dtsi: infracfg, whose driver is clk-mt7981-infracfg.c.
    yes('COMMON_CLK_MT7981', 'the clocks of its serial port'),
    yes('SERIAL_8250', 'its serial port, ttyS0'),
    yes('SERIAL_8250_CONSOLE', 'as a console'),
    // serial@11002000 of mt7981b.dtsi is mediatek,mt6577-uart, which 8250_mtk.c drives.
    yes('SERIAL_8250_MT6577', 'in the form that this chip has'),
  ],
  storageModules: [],
  // Linux 6.12's tree has no Ethernet for it.
  networkModules: [],
  defaultOutput: 'tftpboot',
  networkBoot: {
    loader: readLoaderFile('openwrt-one'),
    // memory@40000000 of that tree: 0x40000000 bytes.
    memory: [{ start: 0x4000_0000, end: 0x8000_0000 }],
    // secmon@43000000 comes from the tree.
    reserved: [],
    // CONFIG_SYS_LOAD_ADDR of configs/mt7981_openwrt-one-spi-nand_defconfig, see the loader's file.
    rootAddress: 0x4600_0000,
    format: 'image',
    // Examples (RFC 5737): a system says its own under boot: { network }.
    network: { server: '192.0.2.1', board: '192.0.2.2', netmask: '255.255.255.0' },
  },
}
