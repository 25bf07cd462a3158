import { UserError } from '../diagnostics/index.ts'
import { type KmodSource, openKmodFolder } from '../kmod/index.ts'

/** @throws UserError when there is no such folder */
export function openModules(folder: string): KmodSource {
  const source = openKmodFolder(folder)
  if (source.ok) return source.value
  throw new UserError({
    what: `${folder} is no folder of kernel modules`,
    why: source.error.message,
    fix: 'name a lib/modules/VERSION folder',
  })
}
