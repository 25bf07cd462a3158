import { describe, expect, it } from 'vitest'
import { firmwright, folderWith } from './firmwright.ts'

describe('firmwright kbuild which', () => {
  const cwd = folderWith({
    Kconfig:
      'config NET\n\tbool "net"\nconfig TUN\n\ttristate "tun"\nconfig MODULES\n\tbool "modules"\n\tmodules\n',
    Kbuild: 'obj-$(CONFIG_NET) += net/\n',
    'arch/arm64/Makefile': '',
    'net/Makefile': 'obj-$(CONFIG_TUN) += tun.o\ntun-y := core.o tap.o\n',
  })
  const which = (...args: string[]) => firmwright(['kbuild', 'which', '--srctree', cwd, ...args], { cwd })

  it('names the symbols, the lines and the parts', async () => {
    const { exitCode, stdout } = await which('--arch', 'arm64', 'tun')
    expect(stdout).toBe(`net/tun.ko
  built when  NET=y && TUN=m
  net/Makefile:1  TUN=m
    in net, Kbuild:1  NET=y
  linked from
    net/core.o
    net/tap.o`)
    expect(exitCode).toBe(0)
  })
  it('says the same as JSON', async () => {
    const { stdout } = await which('--arch', 'arm64', '--json', 'tun.ko')
    expect(JSON.parse(stdout)).toMatchObject([
      { name: 'tun', path: 'net/tun.ko', places: [{ at: { file: 'net/Makefile', line: 1 } }] },
    ])
  })
  it.each([
    [['--arch', 'arm64', 'tum'], /builds a module tum for arm64[\s\S]*did you mean tun\?/],
    [['--arch', 'arm46', 'tun'], /has no architecture arm46[\s\S]*name one of arm64/],
    [['--srctree', '/nowhere', 'tun'], /\/nowhere is no kernel source/],
  ])('explains %j', async (args, message) => {
    const { exitCode, stderr } = await which(...args)
    expect(stderr).toMatch(message)
    expect(exitCode).toBe(1)
  })
  it('explains a tree that make would not take either', async () => {
    const broken = folderWith({ Kconfig: '', Kbuild: 'obj-y += $(foo\n', 'arch/arm64/Makefile': '' })
    const args = ['kbuild', 'which', '--srctree', broken, '--arch', 'arm64', 'tun']
    const { exitCode, stderr } = await firmwright(args)
    expect(stderr).toContain('Kbuild:1: unterminated variable reference')
    expect(exitCode).toBe(1)
  })
})
