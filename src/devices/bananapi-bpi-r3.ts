import { yes } from '../kernel/index.ts'
import type { Device } from '../system/index.ts'
import { readLoaderFile } from './loader-file.ts'

/**
 * Sinovoip Banana Pi BPI-R3 (MediaTek MT7986A, four Cortex-A53), with 2 GiB of memory. Boots over the network by U-Boot as
 * its own project has it for this board, from an SD card or the eMMC; nothing is written to it. Its device tree came with
 * Linux 6.4: take `release: 'trixie'`, or a kernel from source. Its Ethernet driver asks for firmware of the radio's offload
 * engines (`mediatek/mt7986_wo_0.bin` and others), which wired Ethernet does without: `system.kernel.waiveFirmware(…)`.
 *
 * Not tried on the board itself: what is said here is from the sources that are named.
 */
export const bananapiBpiR3: Device = {
  name: 'bananapi-bpi-r3',
  description: 'Sinovoip Banana Pi BPI-R3, booted over the network',
  // mt7986a.dtsi of the kernel: four cpu nodes, arm,cortex-a53.
  architecture: 'arm64',
  // arch/arm64/boot/dts/mediatek/ of Linux 6.12.
  deviceTree: { source: 'kernel', file: 'mediatek/mt7986a-bananapi-bpi-r3.dtb' },
  // stdout-path of that tree: serial0:115200n8.
  console: { tty: 'ttyS0', baudRate: 115_200 },
  kernelParameters: ['console=ttyS0,115200'],
  kernelSymbols: [
    yes('ARCH_MEDIATEK', 'its chip, an MT7986A'),
    // clocks of serial@11002000 in mt7986a.dtsi: infracfg, whose driver is clk-mt7986-infracfg.c.
    yes('COMMON_CLK_MT7986', 'the clocks of its serial port'),
    yes('SERIAL_8250', 'its serial port, ttyS0'),
    yes('SERIAL_8250_CONSOLE', 'as a console'),
    // serial@11002000 of mt7986a.dtsi is mediatek,mt6577-uart, which 8250_mtk.c drives.
    yes('SERIAL_8250_MT6577', 'in the form that this chip has'),
  ],
  storageModules: [],
  // ethernet@15100000 of that tree is mediatek,mt7986-eth, its switch@1f mediatek,mt7531 on MDIO.
  networkModules: ['mtk_eth', 'mt7530_mdio'],
  defaultOutput: 'tftpboot',
  networkBoot: {
    loader: readLoaderFile('bananapi-bpi-r3'),
    // arch/arm/mach-mediatek/mt7986/init.c of U-Boot 2023.01: RAM begins at 0x40000000, and up to 2 GiB of it are looked
    // for; the board has them (wiki of Banana Pi, "BPI-R3": 2 GB DDR). U-Boot tells the kernel, whose tree says nothing.
    memory: [{ start: 0x4000_0000, end: 0xc000_0000 }],
    // secmon@43000000 and those of the radio from 0x4fc00000 on come from the tree itself.
    reserved: [],
    // CONFIG_SYS_LOAD_ADDR of configs/mt7986a_bpir3_sd_defconfig in U-Boot 2023.01.
    rootAddress: 0x4600_0000,
    format: 'image',
    // Examples (RFC 5737): a system says its own under boot: { network }.
    network: { server: '192.0.2.1', board: '192.0.2.2', netmask: '255.255.255.0' },
  },
}
