import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as exported from './index.ts'
import { qemuAarch64, withMemory } from './index.ts'
import { readLoaderFile } from './loader-file.ts'

const loaders = readdirSync(new URL('./loaders', import.meta.url)).map((name) => name.replace(/\.json$/, ''))

describe.each(loaders)('the loader data file %s', (name) => {
  it('has a source for every claim, and for nothing else', () => {
    const { sources, ...claims } = readLoaderFile(name)
    expect(Object.keys(sources).sort()).toEqual(Object.keys(claims).sort())
  })
})

const devices = Object.values(exported).filter((device) => typeof device === 'object')

describe.each(devices)('the device $name', (device) => {
  it('has the root at a round address within its memory, below the loader', () => {
    if (device.networkBoot === undefined) return
    const { memory, rootAddress, loader } = device.networkBoot
    const [first] = memory
    expect(rootAddress % 0x10000).toBe(0)
    expect(rootAddress).toBeGreaterThanOrEqual(first?.start ?? Number.POSITIVE_INFINITY)
    expect(rootAddress).toBeLessThan((first?.end ?? 0) - loader.ownSizeBytes)
  })

  it('has as much memory under its loader as QEMU gives it', () => {
    if (device.networkBoot === undefined || device.emulator === undefined) return
    const [bank] = device.networkBoot.memory
    expect((bank?.end ?? 0) - (bank?.start ?? 0)).toBe(device.emulator.memoryMebibytes * 2 ** 20)
  })

  it('takes its kernel in a format that its loader boots', () => {
    if (device.networkBoot === undefined) return
    expect(device.networkBoot.loader.formats).toContain(device.networkBoot.format)
  })
})

it('can have another amount of memory', () => {
  const device = withMemory(qemuAarch64, 512)
  expect(device.emulator?.memoryMebibytes).toBe(512)
  expect(device.networkBoot?.memory).toEqual([{ start: 0x4000_0000, end: 0x6000_0000 }])
})
