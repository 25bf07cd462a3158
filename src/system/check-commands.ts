import { dirname } from 'node:path/posix'
import { type Diagnostic, nearNames, UserError } from '../diagnostics/index.ts'
import { canonicalPath, type FileTree } from '../filetree/index.ts'
import type { Service } from '../services/index.ts'

/**
 * Proves that the program of every long-running service is on the target: one that is not would be restarted there for
 * ever.
 *
 * @throws UserError naming every service whose program is missing
 */
export function checkCommands(services: readonly Service[], rootTree: FileTree): void {
  const problems = services.flatMap((service): readonly Diagnostic[] => {
    if (service.kind !== 'longrun') return []
    const [program] = service.command
    if (isThere(canonicalPath(program), rootTree)) return []
    const near = nearNames(program, rootTree.keys())
    return [
      {
        what: `the service ${service.name} runs ${program}, which is not on the target`,
        where: [service.origin],
        fix: `refer to it: system.packages.file(PACKAGE, '${program}')${near.length === 0 ? '' : `; or did you mean ${near.join(' or ')}?`}`,
      },
    ]
  })
  if (problems.length > 0) throw new UserError(...problems)
}

/** What lies below a symbolic link is given the benefit of the doubt: where that leads, the running system decides. */
function isThere(path: string, tree: FileTree): boolean {
  for (let place = path; place !== '/'; place = dirname(place)) {
    const entry = tree.get(place)
    if (entry !== undefined && (place === path || entry.type === 'symlink')) return entry.type !== 'directory'
  }
  return false
}
