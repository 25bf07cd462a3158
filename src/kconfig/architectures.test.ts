import { expect, it } from 'vitest'
import { architecturesWith } from './architectures.ts'

const files: Readonly<Record<string, string>> = {
  Kconfig: 'source "arch/$(SRCARCH)/Kconfig"\nsource "lib/Kconfig"\n',
  'arch/arm/Kconfig': 'config ARM\n\tbool\nsource "drivers/bus/Kconfig"\n',
  'arch/mips/Kconfig':
    'menuconfig MIPS\n\tbool "mips"\nsource "drivers/bus/Kconfig"\nsource "arch/mips/Kconfig"\n',
  'arch/s390/Kconfig': 'config S390\n\tbool\n',
  'drivers/bus/Kconfig': 'config BUS\n\tbool "bus"\n',
  'lib/Kconfig': 'config CRC\n\tbool\n\tdefault BUS\n',
}
const tree = { read: (path: string) => files[path], folders: () => ['s390', 'mips', 'arm'] }

it('finds the architectures that a symbol is defined for, by what their files source', () => {
  const found = (name: string) => architecturesWith(tree, name)
  expect(found('BUS')).toEqual(['arm', 'mips'])
  expect(found('MIPS')).toEqual(['mips'])
  expect(found('CRC')).toEqual(['arm', 'mips', 's390'])
  expect(found('NOWHERE')).toEqual([])
  expect(found('.*')).toEqual([])
})
