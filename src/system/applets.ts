import { canonicalPath, type Entry, type FileTree } from '../filetree/index.ts'
import { requireApplets } from '../packages/index.ts'
import { appletPath } from '../services/index.ts'
import type { Asked } from './merge.ts'

/**
 * The links that make applets of busybox callable by name. A program of a package that is asked for by path is there in
 * the place of an applet of its name.
 *
 * @param known the applets of the busybox that comes into the image
 * @param programs paths of what is asked for of packages
 * @throws UserError naming who asked for an applet that it does not have
 */
export function appletLinks(
  asked: readonly Asked<string>[],
  known: readonly string[],
  programs: readonly string[],
): FileTree {
  requireApplets(
    known,
    asked.flatMap(({ value, origins }) => origins.map((origin) => ({ applet: value, origin }))),
  )
  const taken = new Set(programs.map(canonicalPath))
  const links = new Map<string, Entry>()
  for (const { value, origins } of asked) {
    const path = appletPath(value)
    if (taken.has(path)) continue
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
