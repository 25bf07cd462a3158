import type { Board, BootNetwork } from '../boot/index.ts'
import type { KernelSymbol } from '../kernel/index.ts'
import type { KernelFormat } from '../uboot/index.ts'

/**
 * The hardware a system is made for. A device is plain data: one file under `devices/` each.
 */

/** Debian's name of the architecture; decides packages, kernel and emulator. */
export type Architecture = 'arm64' | 'amd64' | 'armhf' | 'i386' | 'mips' | 'mipsel' | 'riscv64'

/** How QEMU plays this device; absent for hardware that it cannot play. */
export interface Emulator {
  /** The program, for example `qemu-system-aarch64`. */
  readonly program: string
  /** `-M` */
  readonly machine: string
  /** `-cpu` under emulation; under KVM the host's own is used. */
  readonly cpu: string
  readonly memoryMebibytes: number
  /** May use KVM where a probe shows that a guest really runs. */
  readonly kvm: boolean
  /** QEMU device model of a network card. */
  readonly networkCard: string
  /** QEMU device model of a disk. */
  readonly disk: string
  /** The boot loader that QEMU starts for `tftpboot`, where it plays one. */
  readonly firmware?: Firmware
}

export interface Firmware {
  /** On the machine that runs QEMU. */
  readonly file: string
  /** Debian package that has it. */
  readonly package: string
  /** The flash that QEMU wants a picture of instead of the file as it is. */
  readonly flash?: {
    readonly sizeBytes: number
    /** Every 32-bit word has its bytes the other way around. */
    readonly swapped: boolean
  }
}

/** How a boot loader on the board takes a kernel and a root over the network. */
export interface NetworkBoot extends Board {
  /** Unless the system asks for another. */
  readonly format: KernelFormat
  /** Unless the system says otherwise. */
  readonly network: BootNetwork
}

export interface Device {
  /** What `--help`, manifests and messages call it: `qemu-aarch64`. */
  readonly name: string
  /** One sentence: what it is and who would use it. */
  readonly description: string
  readonly architecture: Architecture
  readonly deviceTree: DeviceTreeSource
  readonly console: { readonly tty: string; readonly baudRate: number }
  /** Kernel command line that the hardware itself calls for, the console included. */
  readonly kernelParameters: readonly string[]
  /** For a kernel that is built from source: what it must have for this hardware to start, each with the reason. */
  readonly kernelSymbols: readonly KernelSymbol[]
  /** Kernel modules (or built-in drivers) without which the root cannot be reached. */
  readonly storageModules: readonly string[]
  /** Kernel modules (or built-in drivers) of its network cards. */
  readonly networkModules: readonly string[]
  /** Block devices as the kernel names them; absent where a root or state on a disk is not provided for. */
  readonly disks?: { readonly root: string; readonly state: string }
  /** Output that `firmwright build` makes when none is named. */
  readonly defaultOutput: string
  readonly emulator?: Emulator
  /** Absent where no boot loader takes anything from a network. */
  readonly networkBoot?: NetworkBoot
}

/** Where the kernel's description of the hardware comes from. */
export type DeviceTreeSource =
  | TreeOfOthers
  /** Ours to hand over, with whatever is laid over it. */
  | (TreeOfOurs & { readonly overlays?: readonly DeviceTreeText[] })

/** Source text, or the absolute name of a file: a source (`.dts`, `.dtso`) or a compiled tree (`.dtb`, `.dtbo`). */
export type DeviceTreeText =
  | { readonly text: string }
  | {
      readonly file: string
      /** Folders that its `#include` and `/include/` look into, beside its own. */
      readonly includes?: readonly string[]
    }

type TreeOfOthers =
  /** The machine, its firmware or its boot loader hands one over; no output carries a dtb of ours. */
  | { readonly source: 'platform' }
  /**
   * The kernel has one built in, and takes no other: what a loader would write into it (memory, initramfs, the root's
   * memory) travels on the command line.
   */
  | { readonly source: 'built-in' }

type TreeOfOurs =
  /** One of the kernel's own: `mediatek/mt7986a-bananapi-bpi-r3.dtb`, without the vendor's folder on armhf of Debian 12. */
  | { readonly source: 'kernel'; readonly file: string }
  /** A file of one's own. */
  | ({ readonly source: 'file' } & Extract<DeviceTreeText, { file: string }>)
  /** What QEMU makes for the board, written down at build time. */
  | { readonly source: 'emulator' }
