import { expect, it } from 'vitest'
import { appletLinks } from './applets.ts'

it('gives way to a program of a package that is asked for', () => {
  const asked = ['ip', 'ls'].map((value) => ({ value, origins: [{ feature: 'test' }] }))
  expect([...appletLinks(asked, ['ip', 'ls'], []).keys()]).toEqual(['/usr/bin/ip', '/usr/bin/ls'])
  expect([...appletLinks(asked, ['ip', 'ls'], ['/bin/ip']).keys()]).toEqual(['/usr/bin/ls'])
})
