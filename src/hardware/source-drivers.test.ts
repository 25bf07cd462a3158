import { expect, it } from 'vitest'
import { fixed, kbuildOf } from '../kbuild/test/make.ts'
import { createKmodSource } from '../kmod/index.ts'
import type { SymbolValue } from './c-code.ts'
import { matchDevices, matchModaliases, readSourceDrivers } from './index.ts'

const table = (name: string): string =>
  `static const struct of_device_id t[] = { { .compatible = "${name}" }, {} };\nMODULE_DEVICE_TABLE(of, t);\n`
const files: Readonly<Record<string, string>> = {
  Kbuild: 'obj-y += drivers/',
  'drivers/Makefile':
    'obj-$(CONFIG_UART) += uart.o\nobj-$(CONFIG_NET) += mac.o\nmac-y := mac-core.o\nmac-$(CONFIG_PTP) += mac-clock.o\nobj-y += bus.o capital.o\nobj-$(CONFIG_THERMAL) += thermal/\nobj-$(CONFIG_RTC) += rtc.o\n',
  'drivers/thermal/Makefile': 'obj-$(CONFIG_HOT) += hot.o\n',
  'drivers/uart.c': '#include "uart.h"\n#include "none.h"\n#ifdef CONFIG_NO\n#include "off.h"\n#endif\n',
  'drivers/off.h': table('v,off'),
  'drivers/uart.h': table('v,uart'),
  'drivers/mac-core.c': table('v,mac'),
  'drivers/mac-clock.c': table('v,clock'),
  'drivers/capital.c': table('v,Cap 1'),
  'drivers/bus.c': 'int f(void) { return of_device_is_compatible(np, "v,bus"); }',
  'drivers/thermal/hot.c': table('v,hot'),
  'drivers/rtc.c': 'static const struct i2c_device_id t[] = { { "ds1", 0 }, {} };',
  'drivers/unlisted.c': table('v,unlisted'),
}
const config: Readonly<Record<string, SymbolValue>> = { UART: 'y', NET: 'm', RTC: 'y' }

const drivers = readSourceDrivers({
  kbuild: kbuildOf(files),
  symbol: (name) => config[name] ?? 'n',
  readFile: (path) => {
    const text = files[path]
    return text === undefined ? undefined : Buffer.from(text)
  },
})

it('a driver is in the image, in a module, or lacks symbols, as its Makefiles and the configuration say', () => {
  const placements = ['uart', 'mac', 'clock', 'hot', 'unlisted', 'off'].map((name) =>
    drivers.driving(`v,${name}`).map(({ file, placement }) => [file, placement]),
  )
  expect(placements).toEqual([
    [['drivers/uart.c', { type: 'built-in' }]],
    [['drivers/mac-core.c', { type: 'module', module: 'mac' }]],
    [['drivers/mac-clock.c', { type: 'off', lacks: 'PTP=y|m' }]],
    [['drivers/thermal/hot.c', { type: 'off', lacks: 'HOT=m && THERMAL=y|m' }]],
    [],
    [],
  ])
  expect(kbuildOf(files, fixed(config)).builtin.has('drivers/uart.o')).toBe(true)
})

const kernel = createKmodSource({ paths: [], read: () => Promise.reject(new Error('nothing to read')) })
const nothing = { builtin: [], silent: [], off: [], mentions: [] }
const hot = {
  ...nothing,
  off: [{ file: 'drivers/thermal/hot.c', placement: { type: 'off', lacks: 'HOT=m && THERMAL=y|m' } }],
}

it('a device with no module is matched by what is built in, by name on its bus, or by who mentions it', async () => {
  const device = (compatible: string, shortName?: string) => ({
    path: `/${compatible}`,
    compatible: [compatible],
    bus: 'platform' as const,
    ofModalias: `of:NxT(null)C${compatible}`,
    modalias: `of:NxT(null)C${compatible}`,
    ...(shortName === undefined ? {} : { shortName }),
  })
  const devices = [
    device('v,uart'),
    device('other,ds1', 'ds1'),
    device('other,ds1'),
    device('v,bus'),
    device('v,hot'),
    device('v,mac'),
  ]
  const matched = await matchDevices(kernel, devices, drivers)
  if (!matched.ok) throw new Error(matched.error.message)
  expect(matched.value.map(({ source }) => source)).toEqual([
    { ...nothing, builtin: ['drivers/uart.c'] },
    { ...nothing, builtin: ['drivers/rtc.c'] },
    nothing,
    { ...nothing, mentions: ['drivers/bus.c'] },
    hot,
    { ...nothing, silent: ['mac'] },
  ])
})

it('what a running machine announces is looked for under every name that it could have', async () => {
  const announced = [
    'of:NxT(null)Cv,uart',
    'of:NxT(null)Cv,newCv,Cap_1Cv,old',
    'of:NxT(null)Cv,hot',
    'of:NxT(null)Cv,mac',
    'of:NxT(null)Cv,nothing',
    'spi:ds1',
    'i2c:nothing',
    'usb:v1p2',
  ]
  const matched = await matchModaliases(kernel, announced, drivers)
  if (!matched.ok) throw new Error(matched.error.message)
  expect(matched.value.map(({ source }) => source)).toEqual([
    { ...nothing, builtin: ['drivers/uart.c'] },
    { ...nothing, builtin: ['drivers/capital.c'] },
    hot,
    { ...nothing, silent: ['mac'] },
    nothing,
    { ...nothing, builtin: ['drivers/rtc.c'] },
    nothing,
    undefined,
  ])
})
