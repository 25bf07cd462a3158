/**
 * Debian's U-Boot in QEMU and nothing else: what the driver makes of a real loader, without a kernel. QEMU's own TFTP server
 * serves the files.
 */
import { spawn } from 'node:child_process'
import type { BootFile, BootLine } from '../../src/boot/index.ts'
import { qemuAarch64 } from '../../src/devices/index.ts'
import { bootBoard, type PromptResult } from '../../src/driver/index.ts'
import { openSerialLine, type SerialLine } from '../../src/machine/index.ts'
import type { Loader } from '../../src/uboot/index.ts'

const { networkBoot, emulator } = qemuAarch64
if (networkBoot === undefined || emulator?.firmware === undefined)
  throw new Error('qemu-aarch64 has a loader')
const { firmware } = emulator

/** What QEMU's server and its board are called. */
export const network = { server: '10.0.2.2', board: '10.0.2.15', netmask: '255.255.255.0' }
export const { loader, memory, rootAddress } = networkBoot

export interface LoaderBoard {
  readonly line: SerialLine
  /** Boots by lines of its own, from power-on or from the prompt. */
  boot(lines: readonly BootLine[], about?: Partial<Loader>): Promise<PromptResult<undefined>>
  kill(): void
}

/** Powers a board on. `folder` is served; without one it has no network card. */
export function startLoader(folder: string | undefined): LoaderBoard {
  const card =
    folder === undefined
      ? []
      : ['-netdev', `user,id=n0,tftp=${folder}`, '-device', 'virtio-net-pci,netdev=n0']
  const machine = ['-M', 'virt', '-accel', 'tcg', '-cpu', 'cortex-a53', '-m', '256', '-bios', firmware.file]
  const rest = ['-nic', 'none', ...card, '-display', 'none', '-monitor', 'none', '-serial', 'stdio']
  const child = spawn('qemu-system-aarch64', [...machine, ...rest], { stdio: ['pipe', 'pipe', 'ignore'] })
  const line = openSerialLine((text) => void child.stdin.write(text))
  child.stdin.on('error', () => {})
  child.stdout.on('data', (bytes: Uint8Array) => line.receive(bytes))
  child.on('exit', () => line.end('QEMU has ended'))
  return {
    line,
    kill: () => void child.kill('SIGKILL'),
    boot(lines, about = {}) {
      const plan: BootFile = {
        format: 1,
        device: qemuAarch64.name,
        loader: { ...loader, ...about },
        baudRate: 115_200,
        network,
        memory,
        regions: [],
        lines,
      }
      return bootBoard({ plan, line, powerOnMs: 120_000 })
    },
  }
}
