import { describe, expect, it } from 'vitest'
import { type Kbuild, readKbuild } from '../kbuild/index.ts'
import { findSourceDrivers, readSourceCompatibles, type SourceDriver } from './index.ts'

const lines = `drivers/net/mac.c:	{ .compatible = "vendor,mac-1", .data = &one }, { .compatible="vendor,mac-2" },
drivers/net/mac.c:	{ .compatible = "vendor,mac-1" },
./drivers/irq/gic.c:IRQCHIP_DECLARE(gic, "arm,gic", gic_init);
drivers/irq/new.c:IRQCHIP_MATCH("vendor,irq", probe)
drivers/clk/core.c:CLK_OF_DECLARE_DRIVER(main, "vendor,clock", setup);
drivers/irq/gic.h:	{ .compatible = "vendor,header" },
arch/mips/old.c:	{ .compatible = "vendor,mips" },
`

function kbuildOf(files: Readonly<Record<string, string>>): Kbuild {
  const tree = { readFile: (name: string) => files[name], list: () => [] }
  const read = readKbuild({ tree, srcarch: 'arm64', symbol: () => ({ type: 'tristate' }) })
  if (!read.ok) throw new Error(read.error.message)
  return read.value
}

const kbuild = kbuildOf({
  Kbuild: 'obj-y += drivers/\n',
  'arch/arm64/Makefile': '',
  'drivers/Makefile': 'obj-y += net/ irq/\nobj-$(CONFIG_CLK) += clk/\n',
  'drivers/net/Makefile': 'obj-$(CONFIG_MAC) += mac-dev.o\nmac-dev-y := mac.o\n',
  'drivers/irq/Makefile': 'obj-y += gic.o\nobj-$(CONFIG_NEW) += new.o\n',
  'drivers/clk/Makefile': 'obj-y += core.o\n',
})

function drivers(
  config: Readonly<Record<string, string>>,
  ...compatible: readonly string[]
): readonly SourceDriver[] {
  const source = {
    kbuild,
    config: new Map(Object.entries(config)),
    compatibles: readSourceCompatibles(lines),
  }
  return findSourceDrivers(source)(compatible)
}

describe('a driver in the source of a kernel', () => {
  it('is named by tables and by declarations in C files, once each', () => {
    expect(Object.fromEntries(readSourceCompatibles(lines))).toEqual({
      'vendor,mac-1': ['drivers/net/mac.o'],
      'vendor,mac-2': ['drivers/net/mac.o'],
      'arm,gic': ['drivers/irq/gic.o'],
      'vendor,irq': ['drivers/irq/new.o'],
      'vendor,clock': ['drivers/clk/core.o'],
      'vendor,mips': ['arch/mips/old.o'],
    })
  })

  it('is built in, in a module or not there, as the Makefiles have it', () => {
    expect(drivers({}, 'arm,gic')).toEqual([
      { compatible: 'arm,gic', object: 'drivers/irq/gic.o', state: 'built-in', takes: 'always' },
    ])
    const mac = {
      compatible: 'vendor,mac-2',
      object: 'drivers/net/mac.o',
      module: 'mac_dev',
      takes: 'MAC=y|m',
    }
    expect(drivers({ MAC: 'm' }, 'vendor,mac-2')).toEqual([{ ...mac, state: 'module' }])
    expect(drivers({ MAC: 'y' }, 'vendor,mac-2')).toEqual([{ ...mac, state: 'built-in' }])
    expect(drivers({ MAC: 'n' }, 'vendor,mac-2')).toEqual([{ ...mac, state: 'off' }])
  })

  it('takes what the folders above it take', () => {
    expect(drivers({}, 'vendor,clock')).toMatchObject([{ state: 'off', takes: 'CLK=y' }])
    expect(drivers({ CLK: 'y' }, 'vendor,clock')).toMatchObject([{ state: 'built-in' }])
  })

  it('comes in the order of what a device says that it is, and is none for another architecture', () => {
    expect(drivers({}, 'vendor,irq', 'arm,gic').map(({ object }) => object)).toEqual([
      'drivers/irq/new.o',
      'drivers/irq/gic.o',
    ])
    expect(drivers({}, 'vendor,mips', 'vendor,unknown')).toEqual([])
  })
})
