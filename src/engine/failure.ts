import { UserError } from '../diagnostics/index.ts'

/** The `errno` name of a system error (`ENOSPC`), or undefined for any other value. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code } = error as NodeJS.ErrnoException
  return typeof code === 'string' ? code : undefined
}

/**
 * What to throw for something that went wrong below `folder`, which a person knows as `what` ("The store",
 * "The folder"). System errors that the user can do something about become a `UserError`; anything else
 * is handed back as it is.
 */
export function diskFailure(error: unknown, what: string, folder: string): unknown {
  const { path } = error instanceof Error ? (error as NodeJS.ErrnoException) : {}
  const place = path ?? folder
  switch (errorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return diskFull(folder)
    case 'EROFS':
      return new UserError({
        what: `${what} ${folder} cannot be written`,
        why: `${place} lies on a file system that is mounted read-only`,
        fix: 'choose a folder on a file system that can be written',
      })
    case 'EACCES':
    case 'EPERM':
      return new UserError({
        what: `${what} ${folder} cannot be written`,
        why: `permission denied: ${place}`,
        fix: 'give yourself the right to write there, or choose another folder',
      })
    case 'ENOTDIR':
    case 'EEXIST':
      return new UserError({
        what: `${what} ${folder} cannot be used`,
        why: `${place} is not a folder, or a file is where a folder is needed`,
        fix: 'move the file away, or choose another folder',
      })
    case 'EMFILE':
    case 'ENFILE':
      return new UserError({
        what: 'Too many files are open',
        why: 'the limit on open files of this process or machine is reached',
        fix: 'raise it (ulimit -n)',
      })
    case 'EIO':
      return new UserError({
        what: `${what} ${folder} cannot be read or written`,
        why: `the device reports an error (EIO)${path === undefined ? '' : ` at ${path}`}`,
        fix: 'check the disk',
      })
    default:
      return error
  }
}

export function diskFull(folder: string, why?: string): UserError {
  return new UserError({
    what: `The disk is full: no space left for ${folder}`,
    ...(why === undefined ? {} : { why }),
    fix: 'free some space (`firmwright store gc` removes what no output refers to), or choose another folder',
  })
}
