import { join } from 'node:path'
import type { Engine } from '../engine/index.ts'
import type { AssembledSystem } from '../system/index.ts'
import { buildManifest } from './manifest.ts'
import type { Output } from './output.ts'

/** An output that lies on disk. */
export interface WrittenOutput {
  readonly output: Output
  readonly folder: string
  /** File name to size. */
  readonly sizesBytes: Readonly<Record<string, number>>
}

/**
 * Builds an output and writes it to `FOLDER/NAME/`. Every file is replaced whole, the manifest last; files that are
 * not of this output (a virtual machine's state, say) are left alone.
 */
export async function writeOutput(
  engine: Engine,
  system: AssembledSystem,
  output: Output,
  folder: string,
): Promise<WrittenOutput> {
  const contents = await output.build(engine, system)
  const manifest = await buildManifest(engine, output, system, contents)
  const target = join(folder, output.name)
  for (const [name, artifact] of Object.entries(contents.files))
    await engine.export(artifact, join(target, name))
  const manifestFile = join(target, 'manifest.json')
  await engine.export(manifest, manifestFile)
  await engine.keep(manifestFile)
  const sizesBytes = Object.fromEntries(
    Object.entries(contents.files).map(([name, { digest }]) => [name, digest.sizeBytes]),
  )
  return { output, folder: target, sizesBytes }
}
