/** Opening a file that a stranger named, and nothing outside of the folder. */
import { constants, realpathSync, statSync } from 'node:fs'
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { ERROR_CODES, type ErrorCode } from './packet.ts'

export interface OpenFile {
  readonly handle: FileHandle
  readonly sizeBytes: number
}

export interface Refusal {
  readonly code: ErrorCode
  readonly message: string
}

export type Opened =
  | { readonly ok: true; readonly value: OpenFile }
  | { readonly ok: false; readonly error: Refusal }

function refuse(code: ErrorCode, message: string): Opened {
  return { ok: false, error: { code, message } }
}

/** The folder's own path without symbolic links; throws where there is no such folder. */
export function realFolder(folder: string): string {
  const path = realpathSync(folder)
  if (!statSync(path).isDirectory()) throw new Error(`${folder} is no folder`)
  return path
}

/**
 * Opens a file below `folder` (a path without symbolic links, see `realFolder`) for reading. Refused are absolute
 * names, `..`, links that lead outside, and whatever is not a regular file. Links that stay inside are followed.
 */
export async function openConfined(folder: string, name: string): Promise<Opened> {
  const parts = name.split('/')
  if (name === '' || name.includes('\0')) return refuse(ERROR_CODES.accessViolation, 'not a file name')
  if (name.startsWith('/')) return refuse(ERROR_CODES.accessViolation, 'absolute names are refused')
  if (parts.includes('..')) return refuse(ERROR_CODES.accessViolation, 'names with ".." are refused')
  let handle: FileHandle | undefined
  try {
    const path = await realpath(join(folder, name))
    if (!isInside(folder, path))
      return refuse(ERROR_CODES.accessViolation, 'the file is outside of the folder')
    // Not blocking, or a named pipe would hold us; not following, since the path had no links a moment ago.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const stats = await handle.stat()
    const inside = stats.isFile() && isInside(folder, await openedPath(handle, path))
    if (inside) {
      const opened: Opened = { ok: true, value: { handle, sizeBytes: stats.size } }
      handle = undefined
      return opened
    }
    return refuse(ERROR_CODES.accessViolation, 'not a regular file of the folder')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EACCES' || code === 'EPERM')
      return refuse(ERROR_CODES.accessViolation, 'the file cannot be read')
    if (
      code === 'ENOENT' ||
      code === 'ENOTDIR' ||
      code === 'ENAMETOOLONG' ||
      code === 'ELOOP' ||
      code === 'ENXIO'
    ) {
      return refuse(ERROR_CODES.notFound, 'there is no such file')
    }
    return refuse(ERROR_CODES.undefined, 'the file cannot be opened')
  } finally {
    await handle?.close()
  }
}

/**
 * Where the open file really is: a folder on the way may have been exchanged for a link since its path was looked up.
 * Only Linux tells; elsewhere the path that was looked up has to do.
 */
async function openedPath(handle: FileHandle, path: string): Promise<string> {
  try {
    return await readlink(`/proc/self/fd/${handle.fd}`)
  } catch {
    return path
  }
}

function isInside(folder: string, path: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}
