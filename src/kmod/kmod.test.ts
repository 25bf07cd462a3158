import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assembleObject, shapes } from '../elf/test/assemble.ts'
import { assembleKmod } from '../elf/test/assemble-kmod.ts'
import {
  isKmodPath,
  kmodCompression,
  kmodName,
  normalizeAlias,
  parseBuiltinModinfo,
  readKmod,
} from './index.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'firmwright-modinfo-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const modinfo = [
  'parm=debug:Debug level (int)',
  'parmtype=debug:int',
  'parmtype=mac:charp',
  'parm=undeclared',
  'description=Réseau',
  'author=One',
  'author=Two',
  'license=Dual BSD/GPL',
  'alias=pci:v00008086d*sv*sd*bc*sc*i*',
  'alias=net-pf-16-proto-*',
  'firmware=mediatek/mt7603_e1.bin',
  'firmware=brcm/*.txt',
  'softdep=pre: a-b c post: d pre: e',
  'softdep=md5',
  'weakdep=x y',
  'import_ns=CRYPTO_INTERNAL',
  'vermagic=6.1.0 SMP mod_unload modversions aarch64',
  'intree=Y',
  'depends=nf-conntrack,x_tables',
  'name=nft_fib',
]

describe('.modinfo', () => {
  it.each(shapes)('of a $class bit $byteOrder endian module is what modinfo says', (shape) => {
    const bytes = assembleKmod({ modinfo }, shape)
    const path = join(folder, `${shape.class}-${shape.byteOrder}.ko`)
    writeFileSync(path, bytes)
    const kmod = readKmod(bytes)
    if (!kmod.ok) throw new Error(kmod.error.message)
    const theirs = (field: string): string[] =>
      execFileSync('modinfo', ['-0', '-F', field, path], { encoding: 'utf8' })
        .split('\0')
        .filter((value) => value !== '')
    // modinfo rearranges parm and parmtype; all else it prints as it stands.
    for (const key of new Set(kmod.value.fields.map((field) => field.key))) {
      if (key.startsWith('parm')) continue
      expect(kmod.value.fields.filter((field) => field.key === key).map((field) => field.value)).toEqual(
        theirs(key),
      )
    }
    expect(kmod.value.fields.map(({ key, value }) => `${key}=${value}`)).toEqual(modinfo)
  })

  it('is understood in full', () => {
    const kmod = readKmod(assembleKmod({ modinfo }))
    expect(kmod.ok && { ...kmod.value, fields: [] }).toEqual({
      name: 'nft_fib',
      licenses: ['Dual BSD/GPL'],
      vermagic: '6.1.0 SMP mod_unload modversions aarch64',
      depends: ['nf_conntrack', 'x_tables'],
      softdeps: [
        { line: 'pre: a-b c post: d pre: e', pre: ['a-b', 'c', 'e'], post: ['d'], bare: [] },
        { line: 'md5', pre: [], post: [], bare: ['md5'] },
      ],
      weakdeps: ['x', 'y'],
      aliases: ['pci:v00008086d*sv*sd*bc*sc*i*', 'net-pf-16-proto-*'],
      firmware: ['mediatek/mt7603_e1.bin', 'brcm/*.txt'],
      parameters: [
        { name: 'debug', description: 'Debug level (int)', type: 'int' },
        { name: 'mac', type: 'charp' },
        { name: 'undeclared' },
      ],
      importedNamespaces: ['CRYPTO_INTERNAL'],
      intree: true,
      description: 'Réseau',
      fields: [],
    })
  })

  it('of a module that says nothing has empty lists', () => {
    expect(readKmod(assembleKmod({ modinfo: [] }))).toMatchObject({
      ok: true,
      value: { licenses: [], depends: [], softdeps: [], aliases: [], parameters: [], intree: false },
    })
  })
})

describe('what is no module', () => {
  it('is an error that says why', () => {
    expect(readKmod(Buffer.from('\x7fELF'))).toMatchObject({ ok: false, error: { type: 'elf' } })
    const object = assembleObject({ class: 64, byteOrder: 'little', machine: 183 }, [])
    expect(readKmod(object)).toMatchObject({ ok: false, error: { type: 'not-a-module' } })
    const program = assembleKmod({ modinfo })
    program.writeUInt16LE(2, 16)
    expect(readKmod(program)).toMatchObject({ ok: false, error: { type: 'not-a-module' } })
  })
})

describe('names', () => {
  it('are the same whatever the path, the dashes and the compression', () => {
    for (const name of [
      'nft-fib',
      'nft_fib',
      'kernel/net/nft-fib.ko',
      'nft_fib.ko.xz',
      '/x.ko/nft-fib.ko.zst',
    ]) {
      expect(kmodName(name)).toBe('nft_fib')
    }
  })

  it('tell a module and its compression from other files', () => {
    expect(['a.ko', 'b/a.ko.gz', 'a.ko.xz', 'a.ko.zst'].map(kmodCompression)).toEqual([
      undefined,
      'gz',
      'xz',
      'zst',
    ])
    expect(['a.ko', 'a.ko.zst', 'a.ko.bz2', 'modules.dep', '.ko', 'a.kov'].map(isKmodPath)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ])
  })

  it('in an alias keep the dashes inside brackets', () => {
    expect(normalizeAlias('usb:v-p[a-f]-x')).toBe('usb:v_p[a-f]_x')
    expect([normalizeAlias('a[b'), normalizeAlias('a]b')]).toEqual([undefined, undefined])
  })
})

it('reads what is built in out of one file of prefixed strings', () => {
  const text = [
    'libcrc32c.softdep=pre: crc32c',
    'crc32c-generic.alias=crc32c',
    'crc32c_generic.alias=crypto-crc32c',
  ]
  const builtin = parseBuiltinModinfo(Buffer.from(text.map((line) => `${line}\0`).join('')))
  expect([...builtin.keys()]).toEqual(['libcrc32c', 'crc32c_generic'])
  expect(builtin.get('crc32c_generic')?.aliases).toEqual(['crc32c', 'crypto-crc32c'])
})
