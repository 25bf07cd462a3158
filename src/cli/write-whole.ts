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
    if (before !== undefined && !before.isFile()) {
      writeFileSync(file, content)
      return
    }
    const target = before === undefined ? file : realpathSync(file)
    const temporary = `${target}.${process.pid}.tmp`
    try {
      writeFileSync(temporary, content)
      if (before !== undefined) chmodSync(temporary, before.mode & 0o7777)
      renameSync(temporary, target)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw error
    }
  } catch (error) {
    throw new UserError({
      what: `${file} cannot be written`,
      why: error instanceof Error ? error.message : String(error),
      fix: 'check the path, and that it is yours',
    })
  }
}
