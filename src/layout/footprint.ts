/** What the kernel formats have in common: they are loaded at one place and often run at another. */
import type { Region } from './region.ts'

export interface KernelFootprint {
  /** Disjoint from one another; all of it must be disjoint from everything else. */
  readonly regions: readonly Region[]
  /** Where the kernel proper starts to run. */
  readonly entryPoint: number
  /** It does not run where it was loaded. */
  readonly moved: boolean
}

/** The two regions, or, where they overlap (which a move within memory survives), the one that holds both. */
export function hullOrBoth(a: Region, b: Region, hullName: string): readonly Region[] {
  const start = Math.min(a.address, b.address)
  const end = Math.max(a.address + a.sizeBytes, b.address + b.sizeBytes)
  if (end - start >= a.sizeBytes + b.sizeBytes) return [a, b]
  return [{ name: hullName, address: start, sizeBytes: end - start }]
}

export interface UnpackedKernel {
  /** What the loader fetched: the whole file with its header. */
  readonly loadedAt: number
  readonly fileSizeBytes: number
  /** Where it goes: the load address in a uImage's header, the link address of what a vmlinuz holds. */
  readonly loadAddress: number
  /** Without the header, unpacked. */
  readonly unpackedSizeBytes: number
  /** What the kernel clears and uses behind its image. */
  readonly bssSizeBytes: number
  /** Memory behind the loaded file that the unpacking itself takes (a vmlinuz's own heap and stack). Default 0. */
  readonly workSizeBytes?: number
  readonly entryPoint?: number
}

/**
 * A kernel that is fetched to one place and unpacked (or copied) to another: a uImage, which `bootm` unpacks to the
 * load address in its header, and a MIPS vmlinuz, which unpacks itself to the address that the kernel is linked to.
 * The two places overlapping is an overlap of the plan: unpacking would overwrite what is still to be read.
 */
export function unpackedFootprint(kernel: UnpackedKernel): KernelFootprint {
  const { loadedAt, fileSizeBytes, loadAddress, unpackedSizeBytes, bssSizeBytes } = kernel
  return {
    regions: [
      {
        name: 'kernel, as loaded',
        address: loadedAt,
        sizeBytes: fileSizeBytes + (kernel.workSizeBytes ?? 0),
      },
      { name: 'kernel, unpacked', address: loadAddress, sizeBytes: unpackedSizeBytes + bssSizeBytes },
    ],
    entryPoint: kernel.entryPoint ?? loadAddress,
    moved: true,
  }
}

/**
 * A compressed Image under `booti`: it is unpacked into the buffer at `kernel_comp_addr_r` (of `kernel_comp_size`) and
 * moved back over itself, so the place where it was loaded must have room for it unpacked (cmd/booti.c).
 */
export function compressedImageRegions(place: {
  readonly loadAddress: number
  readonly compressedSizeBytes: number
  readonly unpackedSizeBytes: number
  readonly buffer: { readonly address: number; readonly sizeBytes: number }
}): readonly Region[] {
  const sizeBytes = Math.max(place.compressedSizeBytes, place.unpackedSizeBytes)
  return [
    { name: 'kernel, as loaded', address: place.loadAddress, sizeBytes },
    { name: 'kernel_comp_addr_r', ...place.buffer },
  ]
}
