/** The proof that modules of another build load into the kernel that is flashed. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkKmods, createKmodSource } from '../kmod/index.ts'
import type { BuildFolder } from './build-folder.ts'
import { signModules } from './signing.ts'

/**
 * Signs them where that kernel takes no others, and holds every import, checksum, namespace, licence and vermagic of all modules of `folder` against what the flashed
 * kernel exports, by the Module.symvers of its own build.
 *
 * @param modules paths of .ko files; those that are to be loaded into that kernel, old and new
 * @param made those of them that are new or made again
 * @returns what stands against it, a sentence each; nothing where it is proved
 */
export async function proveModules(
  build: BuildFolder,
  folder: string,
  modules: readonly string[],
  made: readonly string[],
): Promise<readonly string[]> {
  const signatureForced = build.config.get('MODULE_SIG_FORCE') === 'y'
  const unsigned = signatureForced ? await signModules(build, folder, made) : []
  const source = createKmodSource({ paths: modules, read: (path) => readFileSync(join(folder, path)) })
  const flashed = new Map([...build.symvers].filter(([, { exporter }]) => exporter === 'vmlinux'))
  const { findings } = await checkKmods(source, { symvers: flashed, release: build.release })
  const problems = findings.filter(({ severity }) => severity !== 'warning').map(({ message }) => message)
  return [...unsigned, ...problems]
}
