/** What U-Boot's `bdinfo` says of the memory, held against what the device file says. */
import type { BootFile } from '../boot/index.ts'
import { loaderRegion, type PlacedRegion, type Span, showRegion, toPhysicalAddress } from '../layout/index.ts'
import type { Loader } from '../uboot/index.ts'

export interface LoaderMemory {
  /** As the loader shows them, sorted; physical. */
  readonly banks: readonly Span[]
  /** What the loader keeps for itself and others (lmb); physical. */
  readonly reserved: readonly Span[]
}

/**
 * Reads the output of `bdinfo` (cmd/bdinfo.c): "DRAM bank", "-> start", "-> size", and the reservations of its memory
 * manager; "memstart" and "memsize" of older ones. Banks are empty where it says nothing of memory.
 */
export function parseBdinfo(text: string, addresses: Loader['addresses']): LoaderMemory {
  const physical = (address: number): number => toPhysicalAddress(addresses, address) ?? address
  const number = (digits: string | undefined): number => Number.parseInt(digits ?? '0', 16)
  const spans: Span[] = []
  for (const match of text.matchAll(
    /(?:->\s*start|memstart)\s*=\s*0x([0-9a-f]+)\s+(?:->\s*size|memsize)\s*=\s*0x([0-9a-f]+)/gi,
  )) {
    const start = physical(number(match[1]))
    const sizeBytes = number(match[2])
    if (sizeBytes > 0) spans.push({ start, end: start + sizeBytes })
  }
  const reserved = [...text.matchAll(/reserved\[(?:0x)?[0-9a-f]+\]\s*\[0x([0-9a-f]+)-0x([0-9a-f]+)\]/gi)].map(
    (match): Span => ({ start: physical(number(match[1])), end: physical(number(match[2])) + 1 }),
  )
  const byStart = (a: Span, b: Span): number => a.start - b.start
  return { banks: spans.sort(byStart), reserved: reserved.sort(byStart) }
}

/** Every way in which the loader's memory is not as the plan has it, with both numbers. */
export function contradictions(seen: LoaderMemory, plan: BootFile): readonly string[] {
  const { ramLimitBytes, ownSizeBytes } = plan.loader
  const expected = [...plan.memory].sort((a, b) => a.start - b.start)
  const [bank] = expected
  const [actual] = seen.banks
  if (bank === undefined || actual === undefined) return []
  const visible = {
    start: bank.start,
    end: Math.min(bank.end, bank.start + (ramLimitBytes ?? Number.MAX_SAFE_INTEGER - bank.start)),
  }
  if (visible.start !== actual.start || visible.end !== actual.end) {
    return [`the device file has the memory at ${show(visible)}, and the loader at ${show(actual)}`]
  }
  const own = loaderRegion(visible, ownSizeBytes)
  const found: string[] = []
  for (const span of seen.reserved) {
    const reachesTop = span.end >= visible.end
    if (reachesTop && span.start < own.address) {
      found.push(`the loader's data file says that it takes ${showRegion(own)}, and it takes ${show(span)}`)
    }
    for (const region of plan.regions) {
      if (region.reserved || isCopy(region)) continue
      const sharedBytes =
        Math.min(span.end, region.address + region.sizeBytes) - Math.max(span.start, region.address)
      if (sharedBytes > 0) {
        const shared = `0x${sharedBytes.toString(16)} bytes`
        found.push(
          `the loader keeps ${show(span)}, which covers ${shared} of the ${region.name} (${showRegion(region)})`,
        )
      }
    }
  }
  return found
}

/** Where the loader will copy something is its own choice, clear of what it keeps. */
export function isCopy({ name }: Pick<PlacedRegion, 'name'>): boolean {
  return name.endsWith(', copied')
}

function show({ start, end }: Span): string {
  return showRegion({ address: start, sizeBytes: end - start })
}
