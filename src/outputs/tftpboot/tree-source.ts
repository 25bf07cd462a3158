/** Device trees and overlays from source, compiled as the kernel does it: cpp, then dtc. */
import { basename, dirname } from 'node:path'
import type { Artifact, Engine, FileArtifact } from '../../engine/index.ts'
import type { DeviceTreeText } from '../../system/index.ts'

/**
 * The flattened tree of a source; of a file that is one already, itself. `#include` and `/include/` look beside the file,
 * then in `includes`, in order.
 */
export async function compiledTree(engine: Engine, source: DeviceTreeText): Promise<FileArtifact> {
  if ('file' in source && /\.dtbo?$/.test(source.file)) {
    const file = await engine.import(source.file)
    if (file.kind !== 'file') throw new Error(`${source.file} is no file`)
    return file
  }
  const inputs: Record<string, Artifact> = {}
  const folders: string[] = []
  const add = async (name: string, folder: string): Promise<void> => {
    inputs[name] = await engine.import(folder)
    folders.push(name)
  }
  let main = 'tree.dts'
  if ('text' in source) inputs[main] = await engine.put(source.text)
  else {
    await add('beside', dirname(source.file))
    main = `beside/${basename(source.file)}`
    for (const [index, folder] of (source.includes ?? []).entries()) await add(`include${index}`, folder)
  }
  // As in scripts/Makefile.lib of the kernel. File names go in as arguments: the shell reads none of them.
  const includes = folders.map((folder) => ` -I ${folder}`).join('')
  const made = await engine.build({
    kind: 'command',
    name: `compile ${'file' in source ? basename(source.file) : 'an overlay'}`,
    argv: [
      'sh',
      '-euc',
      `cpp -nostdinc -undef -D__DTS__ -x assembler-with-cpp${includes} -o tree.i "$1"
dtc -q -@ -I dts -O dtb${includes.replaceAll(' -I ', ' -i ')} -o tree.dtb tree.i`,
      'sh',
      main,
    ],
    env: {},
    inputs,
    outputs: ['tree.dtb'],
    tools: ['cpp', 'dtc'],
  })
  const tree = made['tree.dtb']
  if (tree?.kind !== 'file') throw new Error('dtc left no tree')
  return tree
}
