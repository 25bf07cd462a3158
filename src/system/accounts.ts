import { type Diagnostic, type Origin, UserError } from '../diagnostics/index.ts'
import type { Entry, FileTree } from '../filetree/index.ts'
import type { User } from './contributions.ts'
import type { Asked } from './merge.ts'

/** Groups that exist on every target; `tty` owns terminals (the gid of devpts), `uucp` OpenRC's lock folder. */
const baseGroups: readonly (readonly [string, number])[] = [
  ['root', 0],
  ['tty', 5],
  ['uucp', 10],
  ['nogroup', 65_534],
]

const baseUsers: readonly User[] = [
  { name: 'root', uid: 0, gid: 0, group: 'root', home: '/root', shell: '/bin/sh' },
  { name: 'nobody', uid: 65_534, gid: 65_534, group: 'nogroup' },
]

/**
 * `/etc/passwd`, `/etc/group` and `/etc/shadow` (passwd(5), group(5), shadow(5)). A user without a password hash has
 * `*` there: no password is right.
 *
 * @param rootPassword crypt(3) text for root
 * @throws UserError when two users share a number, or two groups do
 */
export function accountFiles(
  users: readonly Asked<User>[],
  rootPassword: string | undefined,
  origin: Origin,
): FileTree {
  const base = baseUsers.map((user): Asked<User> => ({ value: user, origins: [origin] }))
  const all = [...base, ...users].sort((a, b) => a.value.uid - b.value.uid)
  const conflicts = [...sharedNumbers(all)]
  const groups = new Map(baseGroups)
  for (const { value, origins } of all) {
    const name = value.group ?? value.name
    const taken = [...groups].find(([group, gid]) => (group === name) !== (gid === value.gid))
    if (taken === undefined) groups.set(name, value.gid)
    else {
      conflicts.push({
        what: `group ${name} of user ${value.name} is to have the number ${value.gid}, and ${taken[0]} has ${taken[1]}`,
        where: origins,
        fix: 'choose another number or another name',
      })
    }
  }
  if (conflicts.length > 0) throw new UserError(...conflicts)
  const origins = [origin, ...users.flatMap((user) => user.origins)]
  const file = (mode: number, lines: readonly string[]): Entry => ({
    type: 'file',
    mode,
    uid: 0,
    gid: 0,
    content: { type: 'text', text: `${lines.join('\n')}\n` },
    origins,
  })
  const accounts = all.map(({ value }) => value)
  const hash = (user: User): string => (user.uid === 0 ? rootPassword : user.passwordHash) ?? '*'
  return new Map([
    [
      '/etc/passwd',
      file(
        0o644,
        accounts.map(({ name, uid, gid, home = '/', shell = '/usr/sbin/nologin' }) =>
          [name, 'x', uid, gid, '', home, shell].join(':'),
        ),
      ),
    ],
    [
      '/etc/group',
      file(
        0o644,
        [...groups].sort(([, a], [, b]) => a - b).map(([name, gid]) => `${name}:x:${gid}:`),
      ),
    ],
    [
      '/etc/shadow',
      file(
        0o600,
        accounts.map((user) => `${user.name}:${hash(user)}:::::::`),
      ),
    ],
  ])
}

function* sharedNumbers(all: readonly Asked<User>[]): Generator<Diagnostic> {
  for (const [index, { value, origins }] of all.entries()) {
    const other = all.findIndex((user) => user.value.uid === value.uid || user.value.name === value.name)
    const first = all[other]
    if (other === index || first === undefined) continue
    yield {
      what: `users ${first.value.name} and ${value.name} share a name or the number ${value.uid}`,
      where: [...first.origins, ...origins],
      fix: 'give each its own',
    }
  }
}
