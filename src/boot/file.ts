/** `boot.json`: what the driver of a board needs to know, in the folder that is served. */
import type { PlacedRegion, Span } from '../layout/index.ts'
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
 * Reads what `JSON.parse` gave for a boot.json. The file is written beside what it describes by this same program, so
 * its parts are not looked into, the loader's excepted, which people edit.
 */
export function parseBootFile(json: unknown): Result<BootFile, { readonly message: string }> {
  const isBootFile =
    typeof json === 'object' && json !== null && 'format' in json && json.format === 1 && 'loader' in json
  if (!isBootFile) return failure({ message: 'it is no boot.json of this version of Firmwright' })
  const loader = parseLoader(json.loader)
  if (!loader.ok) return failure({ message: loader.error.message })
  return success(json as BootFile)
}
