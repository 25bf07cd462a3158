import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { errorCode } from './failure.ts'

/**
 * Makes a folder and those above it, one at a time: what cannot be made tells its own reason. Node's own `recursive` is
 * no help here: on a read-only disk Node 20 says ENOENT instead of EROFS, and where a folder exists and yet nothing can
 * be made in it (/proc) it tries for ever.
 */
export function makeFolder(path: string): void {
  const missing: string[] = []
  for (let folder = path; !isThere(folder); folder = dirname(folder)) missing.push(folder)
  for (const folder of missing.reverse()) {
    try {
      mkdirSync(folder)
    } catch (error) {
      const code = errorCode(error)
      // Another process may have been faster.
      if (code === 'EEXIST' && isThere(folder)) continue
      // The folder above is there: a file system that takes no folders from anybody.
      if (code === 'ENOENT') throw systemError('EPERM', folder)
      throw error
    }
  }
}

/** Whether it is a folder. Throws where something else is in its place, or in that of a folder above it. */
function isThere(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found !== undefined && !found.isDirectory()) {
    throw systemError('EEXIST', path)
  }
  return found !== undefined
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code, path })
}
