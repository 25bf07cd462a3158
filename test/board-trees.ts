/**
 * Device trees of real boards as cpp, dtc and fdtoverlay make them from the kernel's source and the device file's overlays,
 * and what fdtget reads in a tree: nothing here is ours.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { execa } from 'execa'
import {
  bananapiBpiR3,
  onionOmega2p,
  openwrtOne,
  tplinkHc220G5,
  turrisMox,
  turrisOmnia,
} from '../src/devices/index.ts'
import type { Device } from '../src/system/index.ts'
import { linuxSource } from './material.ts'

export interface TreeSource {
  readonly version: '6.1' | '6.12'
  readonly file: string
}

/** Every board whose tree is one of the kernel's, and where that is in the source that its device file names. */
export const boardTreeSources: ReadonlyMap<Device, TreeSource> = new Map([
  [turrisMox, { version: '6.1', file: 'arch/arm64/boot/dts/marvell/armada-3720-turris-mox.dts' }],
  [turrisOmnia, { version: '6.1', file: 'arch/arm/boot/dts/armada-385-turris-omnia.dts' }],
  [bananapiBpiR3, { version: '6.12', file: 'arch/arm64/boot/dts/mediatek/mt7986a-bananapi-bpi-r3.dts' }],
  [openwrtOne, { version: '6.12', file: 'arch/arm64/boot/dts/mediatek/mt7981b-openwrt-one.dts' }],
  [tplinkHc220G5, { version: '6.12', file: 'arch/mips/boot/dts/ralink/mt7621-tplink-hc220-g5-v1.dts' }],
  [onionOmega2p, { version: '6.1', file: 'arch/mips/boot/dts/ralink/omega2p.dts' }],
])

/** Compiles a board's tree as scripts/Makefile.lib of the kernel does, and lays over it what the device does. */
export async function compileBoardTree(device: Device, work: string): Promise<string> {
  const source = boardTreeSources.get(device)
  if (source === undefined) throw new Error(`${device.name} has no tree in the kernel's source`)
  const folder = await linuxSource(source.version)
  const main = join(folder, source.file)
  const beside = join(main, '..')
  const include = join(folder, 'scripts/dtc/include-prefixes')
  const preprocessed = join(work, 'tree.i')
  const cpp = ['-nostdinc', '-undef', '-D__DTS__', '-x', 'assembler-with-cpp', '-I', include, '-I', beside]
  await execa('cpp', [...cpp, '-o', preprocessed, main])
  const compiled = join(work, 'compiled.dtb')
  // With labels where the Makefile beside it says so: DTC_FLAGS_NAME := -@
  const flags = new RegExp(`^DTC_FLAGS_${basename(main, '.dts')} := -@$`, 'm')
  const symbols = flags.test(await readFile(join(beside, 'Makefile'), 'utf8')) ? ['-@'] : []
  const dtc = ['-q', ...symbols, '-I', 'dts', '-O', 'dtb', '-i', beside]
  await execa('dtc', [...dtc, '-o', compiled, preprocessed])
  return layOver(compiled, device, work)
}

/** Lays over a tree's file what the device does. */
async function layOver(tree: string, device: Device, work: string): Promise<string> {
  let current = tree
  const { deviceTree } = device
  const overlays = 'overlays' in deviceTree ? (deviceTree.overlays ?? []) : []
  for (const [index, overlay] of overlays.entries()) {
    if (!('text' in overlay)) throw new Error('an overlay in a file is not compiled here')
    const written = join(work, `overlay${index}.dtso`)
    const compiled = join(work, `overlay${index}.dtbo`)
    const merged = join(work, `overlay${index}.dtb`)
    await writeFile(written, overlay.text)
    await execa('dtc', ['-q', '-@', '-I', 'dts', '-O', 'dtb', '-o', compiled, written])
    await execa('fdtoverlay', ['-i', current, '-o', merged, compiled])
    current = merged
  }
  return current
}

export interface Range {
  readonly start: number
  readonly sizeBytes: number
}

/** The memory of a tree's file. */
export async function memoryOf(tree: string): Promise<readonly Range[]> {
  const names = (await nodesOf(tree, '/')).filter((name) => /^memory(@|$)/.test(name))
  return (await Promise.all(names.map((name) => rangesOf(tree, `/${name}`, '/')))).flat()
}

/** `reg`, by the cells of the parent. */
export async function rangesOf(tree: string, path: string, parent: string): Promise<readonly Range[]> {
  const numbers = async (node: string, name: string) =>
    (await fdtget(['-t', 'u', tree, node, name])).split(' ').map(Number)
  const [addressCells = 0] = await numbers(parent, '#address-cells')
  const [sizeCells = 0] = await numbers(parent, '#size-cells')
  const cells = await numbers(path, 'reg')
  const number = (part: readonly number[]): number => part.reduce((sum, cell) => sum * 2 ** 32 + cell, 0)
  const found: Range[] = []
  for (let at = 0; at < cells.length; at += addressCells + sizeCells) {
    const sizeAt = at + addressCells
    const [address, size] = [cells.slice(at, sizeAt), cells.slice(sizeAt, sizeAt + sizeCells)]
    found.push({ start: number(address), sizeBytes: number(size) })
  }
  return found
}

export async function textOf(tree: string, path: string, property: string): Promise<string> {
  return fdtget(['-t', 's', tree, path, property])
}

export async function nodesOf(tree: string, path: string): Promise<readonly string[]> {
  return lines(await fdtget(['-l', tree, path]))
}

export async function propertiesOf(tree: string, path: string): Promise<readonly string[]> {
  return lines(await fdtget(['-p', tree, path]))
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '')
}

async function fdtget(args: readonly string[]): Promise<string> {
  return (await execa('fdtget', args)).stdout.trim()
}
