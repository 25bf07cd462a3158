/** Which objects a kernel is linked from, as its own link says it. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * Objects that say when, where or with which configuration a kernel was built, and nothing else: kernel/configs.o holds
 * the .config (IKCONFIG).
 */
const tellOfTheBuild = new Set(['init/version.o', 'init/version-timestamp.o', 'kernel/configs.o'])

/**
 * Paths of all objects in the archives that vmlinux.o is linked from, relative to the folder, without those that only
 * tell of the build.
 *
 * @param toolPrefix of the `ar` that made the archives
 */
export async function linkedObjects(folder: string, toolPrefix: string): Promise<ReadonlySet<string>> {
  const command = readFileSync(join(folder, '.vmlinux.o.cmd'), 'utf8')
  const archives = [...new Set([...command.matchAll(/(?<=\s)\S+\.a(?=\s)/g)].map(([path]) => path))]
  const lists = await Promise.all(archives.map((archive) => members(folder, archive, toolPrefix)))
  return new Set(lists.flat().filter((path) => !tellOfTheBuild.has(path)))
}

async function members(folder: string, archive: string, toolPrefix: string): Promise<readonly string[]> {
  const options = { cwd: folder, maxBuffer: 1 << 26 }
  const { stdout } = await promisify(execFile)(`${toolPrefix}ar`, ['t', archive], options)
  return stdout.split('\n').filter((path) => path.endsWith('.o'))
}
