import type { Engine, FileArtifact } from '../../engine/index.ts'
import type { Firmware } from '../../system/index.ts'

/** Name in the folder, where QEMU does not take the loader's own file. */
export const FIRMWARE_FILE = 'firmware.bin'

/** A picture of the flash with the loader in it; undefined where QEMU takes the loader's own file. */
export async function flashPicture(
  engine: Engine,
  { file, flash }: Firmware,
): Promise<FileArtifact | undefined> {
  if (flash === undefined) return undefined
  const loader = await engine.import(file)
  if (loader.kind !== 'file') throw new Error(`${file} is no file`)
  return engine.compute({
    kind: 'function',
    name: 'put the boot loader into a flash',
    function: { id: 'outputs/flash-picture', version: 1 },
    input: { loader, sizeBytes: flash.sizeBytes, swapped: flash.swapped },
    run: async (context) => {
      const bytes = await context.read(loader)
      if (bytes.length > flash.sizeBytes) throw new Error(`${file} is longer than its flash`)
      const picture = Buffer.alloc(flash.sizeBytes, 0xff)
      picture.set(bytes)
      return context.put(flash.swapped ? picture.swap32() : picture)
    },
  })
}
