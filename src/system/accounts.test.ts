import { describe, expect, it } from 'vitest'
import { accountFiles } from './accounts.ts'

const origin = { file: '/project/system.ts', line: 1 }
const text = (files: ReturnType<typeof accountFiles>, path: string): string => {
  const entry = files.get(path)
  return entry?.type === 'file' && entry.content.type === 'text' ? entry.content.text : ''
}

describe('accounts of the target', () => {
  it('lets nobody in by password unless a hash was given', () => {
    const files = accountFiles([], undefined, origin)
    expect(text(files, '/etc/shadow')).toBe('root:*:::::::\nnobody:*:::::::\n')
    expect(files.get('/etc/shadow')).toMatchObject({ mode: 0o600 })
    expect(text(accountFiles([], '$6$salt$hash', origin), '/etc/shadow')).toContain('root:$6$salt$hash:')
  })

  it('gives each user a group', () => {
    const user = { name: 'dnsmasq', uid: 101, gid: 101 }
    const files = accountFiles([{ value: user, origins: [origin] }], undefined, origin)
    expect(text(files, '/etc/passwd')).toContain('dnsmasq:x:101:101::/:/usr/sbin/nologin\n')
    expect(text(files, '/etc/group')).toContain('dnsmasq:x:101:\n')
  })

  it('refuses a number that two users share', () => {
    const users = ['a', 'b'].map((name) => ({
      value: { name, uid: 100, gid: 100, group: 'x' },
      origins: [origin],
    }))
    expect(() => accountFiles(users, undefined, origin)).toThrow('users a and b share')
  })

  it('refuses a group number that another group has', () => {
    const user = { name: 'a', uid: 100, gid: 0 }
    expect(() => accountFiles([{ value: user, origins: [origin] }], undefined, origin)).toThrow(
      'group a of user a',
    )
  })
})
