import { join } from 'node:path'
import { UserError } from '../diagnostics/index.ts'
import { type KmodSource, openKmodFolder } from '../kmod/index.ts'
import { cacheFolder } from './session.ts'

export interface ModulesOptions {
  readonly modules: string
  /** Whether what was read of all modules is kept for the next time. */
  readonly index: boolean
}

/** @throws UserError when there is no such folder */
export function openModules({ modules: folder, index }: ModulesOptions): KmodSource {
  const source = openKmodFolder(folder, index ? { index: join(cacheFolder(), 'kmod') } : {})
  if (source.ok) return source.value
  throw new UserError({
    what: `${folder} is no folder of kernel modules`,
    why: source.error.message,
    fix: 'name a lib/modules/VERSION folder',
  })
}
