/** A kernel as a user has it on a device before he wishes for more: configured here, built by its own make. */
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { qemuAarch64 } from '../../src/devices/index.ts'
import { answerAll, createConfiguration, openTree, resolve, writeConfig } from '../../src/kconfig/index.ts'
import { baseConfig } from '../../src/kernel/base-config.ts'
import { linuxSource, onceIn } from '../../test/material.ts'

/** What make and the tree's probes are told; the same for everything that is built here. */
export const variables: Readonly<Record<string, string>> = {
  ARCH: 'arm64',
  CROSS_COMPILE: 'aarch64-linux-gnu-',
  PAHOLE: 'no-pahole',
  RUSTC: 'no-rustc',
  BINDGEN: 'no-bindgen',
  KBUILD_BUILD_TIMESTAMP: 'Mon, 01 Jan 2024 00:00:00 GMT',
  KBUILD_BUILD_USER: 'firmwright',
  KBUILD_BUILD_HOST: 'firmwright',
  KBUILD_BUILD_VERSION: '1',
  LOCALVERSION: '',
}

/** What it has besides what every kernel of ours has: enough that many a driver is one symbol away. */
const wide: Readonly<Record<string, readonly string[]>> = {
  y: [
    ...['NETFILTER', 'NETFILTER_ADVANCED', 'NETDEVICES', 'ETHERNET', 'NET_CORE', 'WIRELESS', 'MII'],
    ...['USB_SUPPORT', 'USB', 'SCSI', 'BLK_DEV', 'CRYPTO', 'CRYPTO_MANAGER', 'CRC32', 'INPUT', 'NLS'],
    ...['MISC_FILESYSTEMS', 'NETWORK_FILESYSTEMS', 'IP_ADVANCED_ROUTER', 'NET_SCHED', 'FW_LOADER'],
    ...['PHYLIB', 'I2C'],
  ],
  m: ['NF_TABLES', 'NETFILTER_XTABLES', 'VIRTIO_NET', 'VIRTIO_PCI', 'VIRTIO_BLK'],
}

/** The text of its .config, for arm64. */
async function baseConfigText(srctree: string, modversions: boolean): Promise<string> {
  const environment = { PATH: process.env.PATH ?? '', ...variables }
  const opened = await openTree({ srctree, arch: 'arm64', environment })
  if (!opened.ok) throw new Error(opened.error.message)
  const configuration = createConfiguration(opened.value)
  answerAll(configuration, 'no')
  const resolved = resolve(configuration, [
    ...[...baseConfig, ...qemuAarch64.kernelSymbols].map(({ symbol, value }) => ({ name: symbol, value })),
    { name: 'MODVERSIONS', value: modversions ? 'y' : 'n' },
    ...Object.entries(wide).flatMap(([value, names]) => names.map((name) => ({ name, value }))),
  ])
  if (!resolved.ok) throw new Error(resolved.error.message)
  return writeConfig(resolved.value.configuration)
}

/** Runs make in an O= folder. */
export async function make(srctree: string, folder: string, goals: readonly string[]): Promise<void> {
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  const { MAKEFLAGS: _, ...env } = process.env
  const args = ['-s', `-j${availableParallelism()}`, '-C', srctree, `O=${folder}`, ...assignments, ...goals]
  await execa('make', args, { env, extendEnv: false, stdin: 'ignore' })
}

/** The O= folder of that kernel, built once. `FIRMWRIGHT_VERIFY_BUILD` names one with MODVERSIONS that is there. */
export async function baseBuild({ modversions }: { readonly modversions: boolean }): Promise<string> {
  const given = process.env.FIRMWRIGHT_VERIFY_BUILD
  if (given !== undefined && modversions) return given
  const srctree = await linuxSource('6.1')
  const name = `kernel-build-6.1-arm64${modversions ? '' : '-without-versions'}`
  return onceIn(name, async (folder) => {
    writeFileSync(join(folder, '.config'), Buffer.from(await baseConfigText(srctree, modversions), 'latin1'))
    await make(srctree, folder, ['Image', 'modules'])
  })
}
