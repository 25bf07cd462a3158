/** Whether what is transferred, and what comes of it, has memory of its own: sums of this file's own. */
import type { Range } from '../../test/board-trees.ts'
import { type Built, physical } from './built.ts'

const hex = (number: number): string => `0x${number.toString(16)}`

/** What is wrong. `reserved` is what the tree keeps from the kernel, the root's memory included. */
export function judgeLayout(built: Built, reserved: readonly Range[]): readonly string[] {
  const { device, regions, transfers } = built
  const wrong: string[] = []
  const sorted = [...regions].sort((a, b) => a.address - b.address)
  for (const [index, region] of sorted.entries()) {
    const next = sorted[index + 1]
    const end = region.address + region.sizeBytes
    if (next !== undefined && end > next.address) wrong.push(`${region.name} and ${next.name} overlap`)
    const banks = device.networkBoot?.memory ?? []
    // A tree also keeps memory that is in a chip.
    const isKept = reserved.some(({ start }) => start === region.address)
    if (!isKept && !banks.some((bank) => region.address >= bank.start && end <= bank.end))
      wrong.push(`${region.name} is not in the memory`)
  }
  for (const { file, address, sizeBytes } of transfers) {
    const start = physical(device, address)
    const home = regions.find((region) => region.address === start && region.sizeBytes >= sizeBytes)
    if (home === undefined) wrong.push(`${file}, ${sizeBytes} bytes at ${hex(start)}, has no region`)
  }
  for (const [index, a] of transfers.entries())
    for (const b of transfers.slice(index + 1))
      if (a.address < b.address + b.sizeBytes && b.address < a.address + a.sizeBytes)
        wrong.push(`${a.file} is transferred over ${b.file}`)
  const root = regions.find(({ name }) => name === 'root')
  for (const range of reserved) {
    const isRoots = range.start === root?.address
    const end = range.start + range.sizeBytes
    if (isRoots && range.sizeBytes !== root.sizeBytes) wrong.push('the tree keeps another size for the root')
    for (const region of regions) {
      const apart = region.address >= end || region.address + region.sizeBytes <= range.start
      const own = region.address === range.start && region.sizeBytes === range.sizeBytes
      if (!apart && !own)
        wrong.push(`${region.name} lies in ${hex(range.start)}, which the tree keeps for another`)
    }
  }
  const isKept = reserved.some(({ start }) => start === root?.address)
  if (root !== undefined && !isKept) wrong.push('the tree does not keep the root')
  const ofLoader = device.networkBoot?.loader.ownSizeBytes ?? 0
  const top = device.networkBoot?.memory[0]?.end ?? 0
  const highest = sorted.at(-1)
  if (highest?.address !== top - ofLoader || highest.sizeBytes !== ofLoader)
    wrong.push('the loader is not on top')
  return wrong
}
