import { type Diagnostic, nearNames, UserError } from '../diagnostics/index.ts'
import type { Entry, FileTree } from '../filetree/index.ts'
import { appletPath } from '../services/index.ts'
import type { Asked } from './merge.ts'

/**
 * The links that make applets of busybox callable by name.
 *
 * @param known the applets of the busybox that comes into the image
 * @throws UserError naming who asked for an applet that it does not have
 */
export function appletLinks(asked: readonly Asked<string>[], known: readonly string[]): FileTree {
  const names = new Set(known)
  const problems: Diagnostic[] = asked
    .filter(({ value }) => !names.has(value))
    .map(({ value, origins }) => {
      const near = nearNames(value, known)
      return {
        what: `this busybox has no applet ${value}`,
        where: origins,
        fix: near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'take a program of a package instead',
      }
    })
  if (problems.length > 0) throw new UserError(...problems)
  const links = new Map<string, Entry>()
  for (const { value, origins } of asked) {
    const path = appletPath(value)
    const present = links.get(path)
    links.set(path, {
      type: 'symlink',
      target: path.startsWith('/usr/sbin/') ? '../bin/busybox' : 'busybox',
      uid: 0,
      gid: 0,
      origins: [...(present?.origins ?? []), ...origins],
    })
  }
  return links
}
