/** `boot.json`: what the driver of a board needs to know, in the folder that is served. */
import { overlaps, type PlacedRegion, type Span, showRegion, toPhysicalAddress } from '../layout/index.ts'
import { type Loader, parseLoader } from '../uboot/index.ts'
import { failure, type Result, success } from './result.ts'
import type { BootLine, BootNetwork } from './script.ts'

export interface BootFile {
  readonly format: 1
  readonly device: string
  readonly loader: Loader
  readonly baudRate: number
  readonly network: BootNetwork
  /** RAM banks as the device file has them; physical, as all addresses here. */
  readonly memory: readonly Span[]
  readonly regions: readonly PlacedRegion[]
  readonly lines: readonly BootLine[]
}

/**
 * Reads what `JSON.parse` gave for a boot.json. The file is written beside what it describes by this same program, so most of
 * its parts are not looked into; but the loader's, which people edit, and what a mistake there would cost: no two regions
 * of the plan overlap, and whatever is transferred goes to the start of one.
 */
export function parseBootFile(json: unknown): Result<BootFile, { readonly message: string }> {
  const isBootFile =
    typeof json === 'object' && json !== null && 'format' in json && json.format === 1 && 'loader' in json
  if (!isBootFile) return failure({ message: 'it is no boot.json of this version of Firmwright' })
  const loader = parseLoader(json.loader)
  if (!loader.ok) return failure({ message: loader.error.message })
  const file = json as BootFile
  const [overlap] = overlaps({ regions: file.regions })
  if (overlap !== undefined) {
    const [a, b] = overlap.map((name) => file.regions.find((region) => region.name === name))
    const both = [a, b].flatMap((region) =>
      region === undefined ? [] : [`${region.name} (${showRegion(region)})`],
    )
    return failure({ message: `its plan has ${both.join(' and ')} overlap` })
  }
  for (const { stage, text } of file.lines) {
    const address = stage === 'transfer' ? Number(/^tftpboot (0x[0-9a-f]+) /.exec(text)?.[1]) : undefined
    if (address === undefined) continue
    const physical = toPhysicalAddress(loader.value.addresses, address)
    if (!file.regions.some((region) => region.address === physical))
      return failure({ message: `"${text}" goes to where its plan has no region` })
  }
  return success(file)
}
