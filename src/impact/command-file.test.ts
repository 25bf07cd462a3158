import { describe, expect, it } from 'vitest'
import { commandFileOf, parseCommandFile, sourceName } from './command-file.ts'

const text = `savedcmd_net/core/dev.o := gcc -c -o net/core/dev.o ../net/core/dev.c

source_net/core/dev.o := ../net/core/dev.c

deps_net/core/dev.o := \\
    $(wildcard include/config/NET_CLS_ACT) \\
  ../include/linux/kconfig.h \\
  ../include/linux/netdevice.h \\
    $(wildcard include/config/CFG80211) \\
    $(wildcard include/config/NET_CLS_ACT) \\

net/core/dev.o: $(deps_net/core/dev.o)

$(deps_net/core/dev.o):
`

describe('a command file', () => {
  it('says which file mentions a symbol first', () => {
    const { mentions, files, command } = parseCommandFile(text)
    expect([...mentions]).toEqual([
      ['NET_CLS_ACT', '../net/core/dev.c'],
      ['CFG80211', '../include/linux/netdevice.h'],
    ])
    expect(files).toHaveLength(3)
    expect(command).toBe('gcc -c -o net/core/dev.o ../net/core/dev.c')
  })
  it('of an archive mentions nothing', () => {
    const file = parseCommandFile('cmd_lib/lib.a := rm -f lib/lib.a; ar cDPrsT lib/lib.a lib/ctype.o\n')
    expect(file).toEqual({
      command: 'rm -f lib/lib.a; ar cDPrsT lib/lib.a lib/ctype.o',
      mentions: new Map(),
      files: [],
    })
  })
  it('lies beside its target', () => {
    expect(commandFileOf('net/core/dev.o')).toBe('net/core/.dev.o.cmd')
    expect(commandFileOf('vmlinux.o')).toBe('.vmlinux.o.cmd')
  })
  it('names files as make saw them, which are told as the source has them', () => {
    expect(sourceName('../include/linux/net.h', '/src')).toBe('include/linux/net.h')
    expect(sourceName('./include/generated/bounds.h', '/src')).toBe('include/generated/bounds.h')
    expect(sourceName('/src/include/linux/net.h', '/src')).toBe('include/linux/net.h')
    expect(sourceName('/usr/lib/gcc/12/include/stddef.h', '/src')).toBe('/usr/lib/gcc/12/include/stddef.h')
  })
})
