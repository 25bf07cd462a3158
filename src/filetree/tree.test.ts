import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalPath, completeTree, type Entry, mergeTrees, usrMergeLinks } from './index.ts'

const file = (text: string, line = 1): Entry => ({
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  content: { type: 'text', text },
  origins: [{ file: '/system.ts', line }],
})

describe('paths of a usr-merged target', () => {
  it('have one name each', () => {
    expect(canonicalPath('/bin/sh')).toBe('/usr/bin/sh')
    expect(canonicalPath('/lib/x86_64-linux-gnu/../y')).toBe('/usr/lib/y')
    expect(canonicalPath('/usr/lib//a/./b/')).toBe('/usr/lib/a/b')
    expect(canonicalPath('/binary')).toBe('/binary')
    expect(canonicalPath('/../../etc')).toBe('/etc')
    expect(canonicalPath('/')).toBe('/')
  })

  it('stay what they are when made canonical again, and never leave the root', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('..', '.', '', 'bin', 'lib', 'usr', 'etc', 'a b')), (parts) => {
        const path = canonicalPath(`/${parts.join('/')}`)
        expect(canonicalPath(path)).toBe(path)
        expect(path.startsWith('/')).toBe(true)
        expect(path.split('/')).not.toContain('..')
      }),
    )
  })

  it('get links for the merged folders in use', () => {
    const links = usrMergeLinks(new Map([['/usr/bin/sh', file('')]]), {})
    expect([...links].map(([path, entry]) => [path, entry.type === 'symlink' && entry.target])).toEqual([
      ['/bin', 'usr/bin'],
    ])
  })
})

describe('merging trees', () => {
  it('joins the origins of equal entries', () => {
    const merged = mergeTrees(new Map([['/a', file('x', 1)]]), new Map([['/a', file('x', 2)]]))
    expect(merged.get('/a')?.origins.map(({ line }) => line)).toEqual([1, 2])
  })

  it('refuses two different entries at one path', () => {
    const trees = [new Map([['/a', file('x', 1)]]), new Map([['/a', file('y', 2)]])]
    expect(() => mergeTrees(...trees)).toThrow('two different things at /a: a file and a file')
  })
})

describe('completing a tree', () => {
  it('adds the folders that things lie in', () => {
    const complete = completeTree(new Map([['/a/b/c', file('')]]))
    expect(complete.get('/a/b')).toMatchObject({ type: 'directory', mode: 0o755 })
    expect(complete.get('/a')).toMatchObject({ type: 'directory' })
  })

  it('refuses a file in a file, and a hard link to nothing', () => {
    expect(() =>
      completeTree(
        new Map([
          ['/a', file('')],
          ['/a/b', file('')],
        ]),
      ),
    ).toThrow('/a/b cannot exist: /a is a file')
    const link: Entry = { type: 'hardlink', target: '/nothing', origins: [] }
    expect(() => completeTree(new Map([['/a', link]]))).toThrow('/a is a hard link to /nothing')
  })
})
