/**
 * ccache before the compiler: what one make has compiled, a later one need not. make, its decisions and everything that
 * is compared stay as they are; ccache hands out an object for the same preprocessed source and the same command only.
 */
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { cacheFolder } from '../../test/cache.ts'

/** Runs `work` with every compiler of that name that this process starts behind ccache. */
export async function withCompilerCache<T>(compiler: string, work: () => Promise<T>): Promise<T> {
  const folder = join(cacheFolder, 'ccache')
  const programs = join(folder, 'bin')
  mkdirSync(programs, { recursive: true })
  // ccache is told by its own name which compiler it stands before.
  const link = join(programs, compiler)
  if (!existsSync(link)) symlinkSync('/usr/bin/ccache', link)
  const { PATH, CCACHE_DIR } = process.env
  Object.assign(process.env, { PATH: `${programs}${delimiter}${PATH}`, CCACHE_DIR: folder })
  try {
    return await work()
  } finally {
    process.env.PATH = PATH
    if (CCACHE_DIR === undefined) delete process.env.CCACHE_DIR
    else process.env.CCACHE_DIR = CCACHE_DIR
  }
}
