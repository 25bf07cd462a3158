import { describe, expect, it } from 'vitest'
import { alternativesOf, alternativeText } from './alternatives.ts'
import type { Condition } from './condition.ts'
import type { Kbuild } from './kbuild.ts'
import { fixed, kbuildOf } from './test/make.ts'
import { alternativesText, moduleName, moduleSource, modulesByName } from './which.ts'

const texts = ({ conditions }: Kbuild, when: Condition | undefined): readonly string[] | undefined =>
  alternativesOf(conditions, when ?? conditions.FALSE)?.map(alternativeText)
const whenOf = (kbuild: Kbuild, path: string) => texts(kbuild, kbuild.modules.get(path)?.when)

describe('a tree of Makefiles', () => {
  it('enters directories under conditions, which all its objects are under', () => {
    const kbuild = kbuildOf({
      Kbuild: 'obj-y += net/\n',
      'net/Makefile': 'obj-$(CONFIG_INET) += ipv4/\n',
      'net/ipv4/Makefile': 'obj-$(CONFIG_TUNNEL) += tunnel4.o\n',
    })
    expect(whenOf(kbuild, 'net/ipv4/tunnel4.o')).toEqual(['INET=y|m && TUNNEL=m'])
    expect(texts(kbuild, kbuild.builtin.get('net/ipv4/tunnel4.o')?.when)).toEqual(['INET=y && TUNNEL=y'])
  })
  it('builds nothing into the image below a directory in obj-m', () => {
    const kbuild = kbuildOf({ Kbuild: 'obj-m += d/\n', 'd/Kbuild': 'obj-y += a.o\nobj-m += b.o\n' })
    expect([...kbuild.builtin.keys()]).toEqual([])
    expect([...kbuild.modules.keys()]).toEqual(['d/b.o'])
  })
  it('builds no modules below a directory in subdir-y', () => {
    const kbuild = kbuildOf({ Kbuild: 'subdir-y += d\n', 'd/Kbuild': 'obj-m += b.o\n' })
    expect([...kbuild.modules.keys()]).toEqual([])
    expect([...kbuild.directories.keys()]).toEqual(['', 'd'])
  })
  it('takes Kbuild before Makefile', () => {
    const kbuild = kbuildOf({
      Kbuild: 'obj-y += d/\n',
      'd/Kbuild': 'obj-m += a.o\n',
      'd/Makefile': 'obj-m += b.o\n',
    })
    expect([...kbuild.modules.keys()]).toEqual(['d/a.o'])
  })
  it('adds up what lists an object more than once', () => {
    const kbuild = kbuildOf({ Kbuild: 'obj-$(CONFIG_A) += a.o\nobj-$(CONFIG_B) += a.o\n' })
    expect(whenOf(kbuild, 'a.o')).toEqual(['A!=y && B=m', 'A=m && B!=y'])
  })
  it('knows the parts of composite objects, under their own conditions', () => {
    const kbuild = kbuildOf({
      Kbuild: 'obj-$(CONFIG_A) += a.o b.o\na-y := core.o\na-$(CONFIG_EXTRA) += extra.o\na-objs += old.o\n',
    })
    const parts = kbuild.modules.get('a.o')?.parts.map(({ path, when }) => [path, texts(kbuild, when)])
    expect(parts).toEqual([
      ['old.o', ['always']],
      ['core.o', ['always']],
      ['extra.o', ['EXTRA=y']],
      ['extra.o', ['EXTRA=m']],
    ])
    expect(kbuild.modules.get('b.o')?.parts).toEqual([])
  })
  it('lists modules in the order of modules.order: directories in obj-y first', () => {
    const kbuild = kbuildOf(
      {
        Kbuild: 'obj-m += a.o m/\nobj-y += y/\nobj-m += z.o a.o\n',
        'm/Kbuild': 'obj-m += n.o',
        'y/Kbuild': 'obj-m += x.o',
      },
      fixed({}),
    )
    expect(kbuild.order).toEqual(['y/x.o', 'a.o', 'm/n.o', 'z.o'])
  })
  it('hands on what the architecture sets and exports', () => {
    const kbuild = kbuildOf({
      'arch/test/Makefile':
        'BITS := 64\nexport BITS\nlocal := x\ncore-$(CONFIG_PLAT) += plat/\nlibs-y += arch/test/lib/\n',
      Kbuild: 'obj-y += $(ARCH_CORE)\nobj-m += entry_$(BITS).o $(local).o\nobj-y += $(ARCH_LIB)\n',
      'plat/Makefile': 'obj-m += p.o',
      'lib/Makefile': 'lib-y += l.o',
      'arch/test/lib/Makefile': 'lib-y += m.o',
    })
    expect(whenOf(kbuild, 'entry_64.o')).toEqual(['always'])
    expect(kbuild.modules.has('x.o')).toBe(false)
    expect(whenOf(kbuild, 'plat/p.o')).toEqual(['PLAT=y'])
    expect(kbuild.directories.get('lib')?.library.map(({ path }) => path)).toEqual(['lib/l.o'])
  })
  it('takes wildcards from the tree, sorted', () => {
    const kbuild = kbuildOf({
      Kbuild: 'obj-m += $(patsubst %.c,%.o,$(wildcard $(src)/t-[ab]*.c)) $(notdir $(wildcard d/*.o))',
      't-a1.c': '',
      't-b.c': '',
      't-c.c': '',
      'd/x.o': '',
    })
    expect([...kbuild.modules.keys()]).toEqual(['t-a1.o', 't-b.o', 'x.o'])
  })
  it('runs no command', () => {
    const kbuild = kbuildOf({
      Kbuild: 'obj-m += a.o $(shell touch /tmp/kbuild-was-here; echo b.o)\nx != echo c.o\nobj-m += $(x)',
    })
    expect([...kbuild.modules.keys()]).toEqual(['a.o'])
  })
})

describe('which symbols build a module', () => {
  const kbuild = kbuildOf(
    {
      Kbuild: 'obj-$(CONFIG_NET) += net/\n',
      'net/Makefile': '\nobj-$(CONFIG_NF) += nf-tables.o\nnf-tables-y := core.o\n',
    },
    (name) => ({ type: name === 'NET' ? 'bool' : 'tristate' }),
  )
  it('is said with the line, the directories on the way and the parts', () => {
    const [module] = modulesByName(kbuild).get(moduleName('nf-tables.ko')) ?? []
    if (module === undefined) throw new Error('nf_tables is there')
    const demand = (symbol: string, ...values: string[]) => [[{ symbol, values }]]
    expect(moduleSource(kbuild, module)).toEqual({
      name: 'nf_tables',
      path: 'net/nf-tables.ko',
      alternatives: [
        [
          { symbol: 'NET', values: ['y'] },
          { symbol: 'NF', values: ['m'] },
        ],
      ],
      builtinAlternatives: [
        [
          { symbol: 'NET', values: ['y'] },
          { symbol: 'NF', values: ['y'] },
        ],
      ],
      places: [
        {
          at: { file: 'net/Makefile', line: 2 },
          alternatives: demand('NF', 'm'),
          gates: [{ directory: 'net', at: { file: 'Kbuild', line: 1 }, alternatives: demand('NET', 'y') }],
        },
      ],
      parts: [{ path: 'net/core.o', alternatives: [[]] }],
    })
  })
  it('reads well', () => {
    const { is, or, and } = kbuild.conditions
    const text = (when: Condition) => alternativesText(alternativesOf(kbuild.conditions, when))
    expect(text(or(is('A', 'm'), and(is('B', 'm'), is('NET', 'y'))))).toBe('A=m or (B=m && NET=y)')
    expect(text(kbuild.conditions.FALSE)).toBe('never')
  })
})
