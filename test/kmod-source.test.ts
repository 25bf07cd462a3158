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
CONFIG_SILENT=m
# CONFIG_TUN is not set
CONFIG_MAC=y
`
const modules = folderWith({ 'boot/config-6.1.9': config, 'lib/modules/6.1.9/modules.order': '' })
const folder = join(modules, 'lib/modules/6.1.9')
for (const [name, alias] of [
  ['uart', 'of:N*T*Cvendor,uart'],
  ['flash', 'of:N*T*Cvendor,flash'],
  ['silent', 'x-silent'],
] as const) {
  writeFileSync(join(folder, `${name}.ko`), assembleKmod({ modinfo: [`name=${name}`, `alias=${alias}`] }))
}

const table = (name: string): string =>
  `static const struct of_device_id t[] = { { .compatible = "${name}" }, {} };\nMODULE_DEVICE_TABLE(of, t);\n`
const source = folderWith({
  Makefile: 'VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 12\n',
  Kconfig:
    'config NET\n\tbool "net"\nconfig TUN\n\ttristate "tun"\nconfig SILENT\n\ttristate "silent"\nconfig UART\n\tbool "uart"\nconfig MAC\n\ttristate "mac"\nconfig MODULES\n\tbool "m"\n\tmodules\n',
  Kbuild: 'obj-$(CONFIG_NET) += net/\nobj-y += drivers/\n',
  'arch/arm64/Makefile': '',
  'net/Makefile': 'obj-$(CONFIG_TUN) += tun.o\n',
  'net/tun.c': table('vendor,tunnel'),
  'drivers/Makefile':
    'obj-$(CONFIG_MAC) += mac.o\nobj-$(CONFIG_SILENT) += silent.o\nobj-$(CONFIG_UART) += pxa.o\nobj-y += bus.o early.o\n',
  'drivers/silent.c':
    'static const struct of_device_id t[] = { { .compatible = "vendor,silent" }, {} };\nstruct driver d = { .of_match_table = t };\nstatic const struct spi_device_id ids[] = { { "silent" }, {} };\n',
  'drivers/pxa.c': table('vendor,pxa'),
  'drivers/early.c': 'OF_EARLYCON_DECLARE(pxa, "vendor,pxa", setup);\n',
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

  it('and so does kmod check of such a module', async () => {
    const { exitCode, stderr } = await kmod('check', 'tun', '--srctree', source)
    expect(exitCode).toBe(1)
    expect(stderr).toContain('which takes NET=y && TUN=m; this kernel has NET=y, TUN=n')
  })

  it('and of one that the source has not either, what is near', async () => {
    const { stderr } = await kmod('plan', 'uarts', '--srctree', source)
    expect(stderr).toContain('did you mean uart')
    expect(stderr).not.toContain('the source has')
  })

  it('kmod match says what is built in, and what would give a device a driver', async () => {
    const dtb = join(modules, 'board.dtb')
    execFileSync('dtc', ['-q', '-I', 'dts', '-O', 'dtb', '-o', dtb], {
      input: `/dts-v1/; / {
        ${['mac', 'tunnel', 'uart', 'bus', 'silent', 'pxa', 'nothing'].map((name) => `${name} { compatible = "vendor,${name}"; };`).join(' ')}
        spi { #address-cells = <1>; #size-cells = <0>; flash@0 { reg = <0>; compatible = "vendor,flash"; }; };
      };`,
    })
    const { stdout } = await kmod('match', '--dtb', dtb, '--srctree', source)
    expect(stdout.split('\n')).toEqual([
      '/mac: built in (drivers/mac.c)',
      '/tunnel: no driver in this kernel; TUN=y|m would give one (net/tun.c)',
      '/uart: uart',
      '/bus: looked after by the kernel itself (drivers/bus.c)',
      '/silent: silent has a driver for it and no alias that says so: load it by name',
      '/pxa: no driver in this kernel; UART=y would give one (drivers/pxa.c)',
      '/nothing: none: nothing that is built in, and no driver of its source, knows vendor,nothing',
      '/spi/flash@0: no module answers to spi:flash; flash would to vendor,flash, which that bus does not send',
      '8 devices, 7 without a module: 1 have a driver that is built in, 2 one that is off',
    ])
    expect((await kmod('match', '--dtb', dtb)).stdout).toContain('/mac: unknown: no module for vendor,mac')
  })

  it('kmod match says the same of what a running machine announces, and never none of what says half', async () => {
    const list = join(modules, 'modaliases')
    const platform = ['mac', 'tunnel', 'uart', 'nothing'].map((name) => `of:NxT(null)Cvendor,${name}`)
    writeFileSync(list, [...platform, 'spi:silent', 'spi:nothing', 'usb:v1p2'].join('\n'))
    const { stdout } = await kmod('match', '--modalias', list, '--srctree', source)
    const half =
      'unknown: no module; a built-in driver may go by its compatible, which this bus does not send'
    expect(stdout.split('\n')).toEqual([
      'of:NxT(null)Cvendor,mac: built in (drivers/mac.c)',
      'of:NxT(null)Cvendor,tunnel: no driver in this kernel; TUN=y|m would give one (net/tun.c)',
      'of:NxT(null)Cvendor,uart: uart',
      'of:NxT(null)Cvendor,nothing: none: nothing that is built in, and no driver of its source, knows it',
      `spi:silent: ${half}; silent has a driver for it and no alias that says so: load it by name`,
      `spi:nothing: ${half}`,
      'usb:v1p2: unknown: no module; a driver may be built in',
      '7 modaliases, 6 without a module: 1 have a driver that is built in, 1 one that is off',
    ])
    const json = await kmod('match', '--modalias', list, '--srctree', source, '--json')
    expect(JSON.parse(json.stdout)[0]).toEqual({
      modalias: 'of:NxT(null)Cvendor,mac',
      modules: [],
      source: { builtin: ['drivers/mac.c'], silent: [], off: [], mentions: [] },
    })
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
