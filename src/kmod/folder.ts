import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from './decompress.ts'
import type { KmodError, KmodResult } from './error.ts'
import { rememberKmods } from './memory.ts'
import { packModinfos } from './modinfo-files.ts'
import { isKmodPath } from './name.ts'
import { createKmodSource, type KmodSource } from './source.ts'
import { visitFiles } from './visit.ts'

/**
 * The modules of a `lib/modules/VERSION` folder on disk. Of a plain module only the parts that are asked for are read;
 * compressed ones are unpacked in memory, many at a time where all are needed. depmod's indices are not used, and need
 * not be there.
 *
 * With an `index`, a folder of our own, what was read of all modules is kept there for the next time; memory.ts says
 * what makes it the same next time.
 */
export function openKmodFolder(
  folder: string,
  { index }: { readonly index?: string } = {},
): KmodResult<KmodSource> {
  try {
    const paths = listKmodPaths(folder)
    return {
      ok: true,
      value: createKmodSource({
        paths,
        ...(index === undefined ? {} : { memory: () => rememberKmods(folder, paths, index) }),
        builtin: readIfThere(join(folder, 'modules.builtin')).toString('utf8'),
        builtinModinfo: readIfThere(join(folder, 'modules.builtin.modinfo')),
        read: (path) => readFileSync(join(folder, path)),
        readAll: (paths, receive) =>
          visitFiles(
            Array.from(paths, (path) => `${folder}/${path}`),
            (path, content) => receive(path.slice(folder.length + 1), content),
          ),
        packModinfos: (paths, packer, failed) => packModinfos(folder, paths, packer, failed),
      }),
    }
  } catch (error) {
    return unreadable(error)
  }
}

/** Paths of all modules below a folder, relative to it, in no particular order. Throws what reading a folder throws. */
function listKmodPaths(folder: string): readonly string[] {
  const paths: string[] = []
  const walk = (relative: string): void => {
    for (const entry of readdirSync(`${folder}/${relative}`, { withFileTypes: true })) {
      // `build` and `source` are links to where the kernel was built, and no part of its modules.
      if (entry.isDirectory()) walk(`${relative}${entry.name}/`)
      else if (isKmodPath(entry.name)) paths.push(relative + entry.name)
    }
  }
  walk('')
  return paths
}

function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}

function unreadable(error: unknown): { ok: false; error: KmodError } {
  return { ok: false, error: { type: 'unreadable', message: messageOf(error) } }
}
