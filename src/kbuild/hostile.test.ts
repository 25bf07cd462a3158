import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readKbuild } from './kbuild.ts'
import { openSourceTree } from './source-tree.ts'
import { treeOf } from './test/make.ts'

const errorOf = (files: Readonly<Record<string, string>>) => {
  const result = readKbuild({ tree: treeOf(files), srcarch: 'test', symbol: () => ({ type: 'tristate' }) })
  return result.ok ? undefined : result.error
}
const inKbuild = (text: string) => errorOf({ Kbuild: text })

describe('a hostile Makefile is a typed error', () => {
  const invalid: Readonly<Record<string, string>> = {
    'an unterminated reference': 'obj-y += $(foo',
    'a line that is no statement': 'obj-y a.o',
    'else and endif alone': 'endif',
    'else alone': 'else',
    'a missing endif': 'ifdef A\nobj-y += a.o',
    'a missing endef': 'define x\na',
    'a comparison of one thing': 'ifeq (a)\nendif',
    'a number that is none': 'obj-y += $(word x,a b)',
  }
  for (const [name, text] of Object.entries(invalid))
    it(name, () => expect(inKbuild(text)).toMatchObject({ type: 'invalid', at: { file: 'Kbuild' } }))

  const limited: Readonly<Record<string, string>> = {
    'a variable that holds itself': 'x = $(x) a\nobj-y += $(x)',
    'two that hold each other': 'x = $(y)\ny = $(x)\nobj-y += $(x)',
    'a function that calls itself': 'f = $(call f,$(1)$(1))\nobj-y += $(call f,a)',
    'an eval in an eval': 'define e\n$(eval $(e))\nendef\n$(eval $(e))',
    'a file that includes itself': 'include Kbuild',
    'references in references': `obj-y += ${'$(x'.repeat(5000)}${')'.repeat(5000)}`,
    'a value that doubles': `x := aaaaaaaaaaaaaaaa\n${'x := $(x)$(x)\n'.repeat(40)}`,
    'a list that doubles': `x := a b\n${'x := $(x) $(x)\n'.repeat(40)}obj-y += $(sort $(x))`,
    'a name of too many texts': `obj-y += $(${Array.from({ length: 20 }, (_, index) => `$(CONFIG_S${index})`).join('')})`,
  }
  for (const [name, text] of Object.entries(limited))
    it(name, () => expect(inKbuild(text)).toMatchObject({ type: 'limit' }))

  it('a directory that enters itself, or one above', () => {
    expect(errorOf({ Kbuild: 'obj-y += ./' })).toMatchObject({ type: 'invalid' })
    expect(errorOf({ Kbuild: 'obj-y += d/', 'd/Kbuild': 'obj-y += ../' })).toMatchObject({ type: 'invalid' })
  })
  it('a directory that is not there', () => {
    expect(errorOf({ Kbuild: 'obj-y += d/' })).toEqual({
      type: 'missing',
      at: { file: 'Kbuild', line: 1 },
      message: 'Kbuild:1: d has neither Kbuild nor Makefile',
    })
  })
  it('a file that is not there, unless it need not be', () => {
    expect(inKbuild('include no/such')).toMatchObject({ type: 'missing' })
    expect(inKbuild('-include no/such\nsinclude ../../etc/passwd')).toBeUndefined()
  })
  it('a Makefile that is a device, or lies outside', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kbuild-test-'))
    try {
      symlinkSync('/dev/zero', join(folder, 'Kbuild'))
      const tree = openSourceTree(folder)
      expect(tree.readFile('Kbuild')).toBeUndefined()
      expect(tree.readFile('../../etc/passwd')).toBeUndefined()
      expect(tree.list('..')).toBeUndefined()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
  it('patterns that take other matchers for ever are answered at once', () => {
    const files = { Kbuild: `obj-y += $(wildcard ${'*a'.repeat(40)}b)`, ['a'.repeat(200)]: '' }
    expect(errorOf(files)).toBeUndefined()
  })
})
