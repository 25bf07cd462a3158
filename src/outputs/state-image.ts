import type { Engine, FileArtifact } from '../engine/index.ts'
import { imageTimeSeconds } from '../filetree/index.ts'

/** Fixed, so that the image's bytes do not depend on chance; one device has one state partition. */
const uuid = '6669726d-7772-4967-8874-737461746500'

/** An empty ext4 file system for a device's state. */
export async function stateImage(engine: Engine, sizeMebibytes: number): Promise<FileArtifact> {
  const made = await engine.build({
    kind: 'command',
    name: 'make the state partition',
    argv: [
      'mke2fs',
      '-q',
      '-t',
      'ext4',
      '-L',
      'state',
      '-U',
      uuid,
      '-m',
      '0',
      '-E',
      `hash_seed=${uuid},lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0`,
      'state.ext4',
      `${sizeMebibytes}M`,
    ],
    // What mke2fs takes for the present time (misc/mke2fs.c).
    env: { E2FSPROGS_FAKE_TIME: String(imageTimeSeconds), SOURCE_DATE_EPOCH: String(imageTimeSeconds) },
    inputs: {},
    outputs: ['state.ext4'],
  })
  const image = made['state.ext4']
  if (image?.kind !== 'file') throw new Error('mke2fs left no file')
  return image
}
