import { type BootFile, scriptText, typedText } from '../boot/index.ts'
import type { Engine, FileArtifact } from '../engine/index.ts'
import { imageTimeSeconds } from '../filetree/index.ts'
import { drawSvg, drawTable } from '../layout/index.ts'
import type { AssembledSystem } from '../system/index.ts'
import { writeScriptImage } from '../uboot/index.ts'
import type { Output } from './output.ts'
import { FIRMWARE_FILE, flashPicture } from './tftpboot/firmware.ts'
import { type NetworkBootPlan, planNetworkBoot } from './tftpboot/plan.ts'
import { qemuScript } from './tftpboot/qemu-script.ts'

/**
 * A folder to serve over TFTP, from which a board's U-Boot boots without its flash being touched. For whoever brings
 * up a board; `firmwright boot` serves it and types the commands.
 *
 * Kernel, root (`rootfs.squashfs`, or within `initramfs.img`), `boot.scr` for U-Boot's `source`, the same commands to
 * type in `boot.txt`, the memory map as `memory-map.txt` and `memory-map.svg`, and `boot.json`, all of it as data. For an
 * emulated board also `qemu.sh`, which powers it on.
 */
export const tftpboot: Output = {
  name: 'tftpboot',
  description: 'a folder from which a boot loader boots over the network',
  async build(engine, system) {
    const plan = await planNetworkBoot(engine, system)
    const { choice, format, commandLine, rootParts, lines } = plan
    const title = `${system.requirements.hostname.value} on ${system.definition.device.name}`
    return {
      files: {
        ...plan.files,
        ...(await qemuFile(engine, system)),
        'boot.scr': await engine.put(scriptImage(plan, title)),
        'boot.txt': await engine.put(typedText(lines)),
        'boot.json': await engine.put(`${JSON.stringify(bootFile(plan, system), undefined, 1)}\n`),
        'memory-map.txt': await engine.put(drawTable(plan.placement.layout)),
        'memory-map.svg': await engine.put(drawSvg(plan.placement.layout, title)),
      },
      targets: rootParts.targets,
      about: {
        commandLine,
        loadPlans: rootParts.loadPlans,
        boot: {
          loader: plan.board.loader.name,
          format,
          root: choice,
          regions: plan.placement.layout.regions,
        },
      },
    }
  },
}

function bootFile(plan: NetworkBootPlan, system: AssembledSystem): BootFile {
  const { device } = system.definition
  return {
    format: 1,
    device: device.name,
    loader: plan.board.loader,
    baudRate: device.console.baudRate,
    network: plan.network,
    memory: plan.board.memory,
    regions: plan.placement.layout.regions,
    lines: plan.lines,
  }
}

function scriptImage({ lines, board }: NetworkBootPlan, title: string): Uint8Array {
  const written = writeScriptImage(scriptText(lines, board.loader), {
    architecture: board.loader.architecture,
    name: title.slice(0, 32),
    timeSeconds: imageTimeSeconds,
  })
  if (!written.ok) throw new Error(written.error.message)
  return written.value
}

async function qemuFile(
  engine: Engine,
  system: AssembledSystem,
): Promise<Readonly<Record<string, FileArtifact>>> {
  const { emulator } = system.definition.device
  if (emulator?.firmware === undefined) return {}
  const text = qemuScript(system, emulator, emulator.firmware)
  const picture = await flashPicture(engine, emulator.firmware)
  return {
    'qemu.sh': await engine.put(text, { executable: true }),
    ...(picture === undefined ? {} : { [FIRMWARE_FILE]: picture }),
  }
}
