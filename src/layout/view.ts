/**
 * Physical addresses inside, the loader's own at the edge. On MIPS (32 bit) the loader and the kernel see the first
 * 512 MiB of physical memory at 0x80000000 (KSEG0, cached) and at 0xa0000000 (KSEG1, not cached); everywhere else the
 * loader sees physical addresses.
 */
export type AddressView = 'physical' | 'kseg0'

const KSEG0 = 0x80000000
const KSEG1 = 0xa0000000
const KSEG_BYTES = 0x20000000

/** The address that the loader is told; undefined where it cannot see it. */
export function toLoaderAddress(view: AddressView, physical: number): number | undefined {
  if (view === 'physical') return physical
  return physical >= 0 && physical < KSEG_BYTES ? physical + KSEG0 : undefined
}

/** The physical address of one that the loader shows (sign-extended on 64-bit MIPS as well); undefined for none. */
export function toPhysicalAddress(view: AddressView, address: number | bigint): number | undefined {
  if (view === 'physical') return Number(address)
  const low = Number(BigInt.asUintN(32, BigInt(address)))
  if (low >= KSEG0 && low < KSEG0 + KSEG_BYTES) return low - KSEG0
  if (low >= KSEG1 && low < KSEG1 + KSEG_BYTES) return low - KSEG1
  return undefined
}
