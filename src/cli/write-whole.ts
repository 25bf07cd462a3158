import { chmodSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { UserError } from '../diagnostics/index.ts'

/**
 * Writes what the user named: whoever reads the file meanwhile sees the old content or the new one. Links are followed, the
 * mode stays, and what is no file (a terminal, a pipe) is written to as it is.
 *
 * @throws UserError where it cannot be written; then all is as it was.
 */
export function writeWhole(file: string, content: string | Uint8Array): void {
  try {
    const before = statSync(file, { throwIfNoEntry: false })
    if (before === undefined) replace(file, content)
    else if (before.isFile()) replace(realpathSync(file), content, before.mode & 0o7777)
    else writeFileSync(file, content)
  } catch (error) {
    throw new UserError({
      what: `${file} cannot be written`,
      why: error instanceof Error ? error.message : String(error),
      fix: 'check the path, and that it is yours',
    })
  }
}

function replace(file: string, content: string | Uint8Array, mode?: number): void {
  const temporary = `${file}.${process.pid}.tmp`
  try {
    writeFileSync(temporary, content)
    if (mode !== undefined) chmodSync(temporary, mode)
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}
