import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { assembleKmod } from '../src/elf/test/assemble-kmod.ts'
import { firmwright, folderWith } from './firmwright.ts'

const config = `#
# Automatically generated file; DO NOT EDIT.
# Linux/arm64 6.1.9 Kernel Configuration
#
CONFIG_NET=y
# CONFIG_TUN is not set
CONFIG_MAC=y
`
const modules = folderWith({ 'boot/config-6.1.9': config, 'lib/modules/6.1.9/modules.order': '' })
const folder = join(modules, 'lib/modules/6.1.9')
writeFileSync(join(folder, 'uart.ko'), assembleKmod({ modinfo: ['name=uart', 'alias=of:N*T*Cvendor,uart'] }))

const table = (name: string): string =>
  `static const struct of_device_id t[] = { { .compatible = "${name}" }, {} };\nMODULE_DEVICE_TABLE(of, t);\n`
const source = folderWith({
  Makefile: 'VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 12\n',
  Kconfig:
    'config NET\n\tbool "net"\nconfig TUN\n\ttristate "tun"\nconfig MAC\n\ttristate "mac"\nconfig MODULES\n\tbool "m"\n\tmodules\n',
  Kbuild: 'obj-$(CONFIG_NET) += net/\nobj-y += drivers/\n',
  'arch/arm64/Makefile': '',
  'net/Makefile': 'obj-$(CONFIG_TUN) += tun.o\n',
  'net/tun.c': table('vendor,tunnel'),
  'drivers/Makefile': 'obj-$(CONFIG_MAC) += mac.o\nobj-y += bus.o\n',
  'drivers/mac.c': table('vendor,mac'),
  'drivers/bus.c': 'int is_bus(void) { return of_device_is_compatible(node, "vendor,bus"); }\n',
})
const kmod = (...args: readonly string[]) => firmwright(['kmod', ...args, '--modules', folder])

describe('with the source of the kernel', () => {
  it('kmod plan says which symbol is off, of a module that this kernel was built without', async () => {
    const { exitCode, stderr } = await kmod('plan', 'tun', '--srctree', source)
    expect(exitCode).toBe(1)
    expect(stderr).toContain('no module or alias tun in this kernel')
    expect(stderr).toContain(
      'the source has it as net/tun.ko, which takes NET=y && TUN=m; this kernel has NET=y, TUN=n',
    )
  })

  it('and of one that the source has not either, what is near', async () => {
    const { stderr } = await kmod('plan', 'uarts', '--srctree', source)
    expect(stderr).toContain('did you mean uart')
    expect(stderr).not.toContain('the source has')
  })

  it('kmod match says what is built in, and what would give a device a driver', async () => {
    const dtb = join(modules, 'board.dtb')
    execFileSync('dtc', ['-q', '-I', 'dts', '-O', 'dtb', '-o', dtb], {
      input: `/dts-v1/; / { ${['mac', 'tunnel', 'uart', 'bus', 'nothing'].map((name) => `${name} { compatible = "vendor,${name}"; };`).join(' ')} };`,
    })
    const { stdout } = await kmod('match', '--dtb', dtb, '--srctree', source)
    expect(stdout.split('\n')).toEqual([
      '/mac: built in (drivers/mac.c)',
      '/tunnel: no driver in this kernel; TUN=y|m would give one (net/tun.c)',
      '/uart: uart',
      '/bus: looked after by the kernel itself (drivers/bus.c)',
      '/nothing: none: nothing that is built in, and no driver of its source, knows vendor,nothing',
      '5 devices, 4 without a module: 1 have a driver that is built in, 1 one that is off',
    ])
    expect((await kmod('match', '--dtb', dtb)).stdout).toContain('/mac: unknown: no module for vendor,mac')
  })

  it.each([
    ['Makefile', 'VERSION = 6\nPATCHLEVEL = 12\n', 'it is of Linux 6.12, and the kernel of Linux 6.1'],
    ['Makefile', 'all:\n', 'its Makefile names no version'],
  ])('of another kernel they are refused (%s: %j)', async (name, text, why) => {
    const other = folderWith({ [name]: text })
    const { exitCode, stderr } = await kmod('plan', 'tun', '--srctree', other)
    expect(exitCode).toBe(1)
    expect(stderr).toContain('is not the source of this kernel')
    expect(stderr).toContain(why)
  })

  it('they take its configuration', async () => {
    const bare = folderWith({ 'modules/modules.order': '' })
    const args = ['kmod', 'plan', 'tun', '--srctree', source, '--modules', join(bare, 'modules')]
    expect((await firmwright(args)).stderr).toContain('name it with --config')
    const empty = await firmwright([...args, '--config', join(source, 'Kbuild')])
    expect(empty.stderr).toContain('is no .config of a kernel')
  })
})
