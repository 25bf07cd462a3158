import { expect, it } from 'vitest'
import { fileSystemModules } from './mount.ts'

const names = (type: string, options = 'defaults'): readonly string[] =>
  fileSystemModules(type, options).map((target) =>
    typeof target === 'string' ? target : (target.anyOf[0] ?? ''),
  )

it('a file system is asked for as the kernel asks for it', () => {
  expect(names('btrfs')).toEqual(['fs-btrfs'])
})

it('vfat takes two character sets, its options say which', () => {
  expect(names('vfat')).toEqual(['fs-vfat', 'nls_cp437', 'nls_ascii'])
  expect(names('vfat', 'ro,codepage=850,iocharset=iso8859-1')).toEqual([
    'fs-vfat',
    'nls_cp850',
    'nls_iso8859-1',
  ])
})
