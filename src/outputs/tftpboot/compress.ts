import type { Packing } from '../../boot/index.ts'
import type { Engine, FileArtifact } from '../../engine/index.ts'

/**
 * A file in a form that a loader expands. An .lzma does not say how long it will be, as xz writes it, and has a marker at its
 * end. `lzmadec` needs it so: it does not know how long its input is, and with a size in the header looks for a marker behind
 * it, in more memory than there is (cmd/lzmadec.c and LzmaDec_TryDummy of lib/lzma/LzmaDec.c, U-Boot 2023.01).
 *
 * @param what for people
 */
export async function compress(
  engine: Engine,
  what: string,
  whole: FileArtifact,
  method: Packing,
): Promise<FileArtifact> {
  const [program, command] =
    method === 'lzma' ? (['xz', 'xz --format=lzma -9'] as const) : (['gzip', 'gzip -9 -n'] as const)
  const { packed } = await engine.build({
    kind: 'command',
    name: `compress ${what}`,
    argv: ['sh', '-c', `exec ${command} < whole > packed`],
    env: {},
    inputs: { whole },
    outputs: ['packed'],
    tools: [program],
  })
  if (packed?.kind !== 'file') throw new Error('the compressor left no file')
  return packed
}
