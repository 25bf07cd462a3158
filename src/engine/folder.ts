import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { errorCode } from './failure.ts'

/**
 * Makes a folder and those above it. Where a file system is mounted read-only, Node 20 says ENOENT of the parent
 * instead of EROFS: the topmost missing folder is then tried alone, and tells the reason.
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true })
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
    let missing = path
    while (!existsSync(dirname(missing))) missing = dirname(missing)
    mkdirSync(missing)
    mkdirSync(path, { recursive: true })
  }
}
