/** `boot.json`: what the driver of a board needs to know, in the folder that is served. */
import { z } from 'zod'
import { overlaps, type PlacedRegion, type Span, showRegion, toPhysicalAddress } from '../layout/index.ts'
import { type Loader, parseLoader } from '../uboot/index.ts'
import { failure, type Result, success } from './result.ts'
import { BOOT_STAGES, type BootLine, type BootNetwork } from './script.ts'

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

const address = z.number().int().nonnegative()
const bytes = z.number().int().positive()

const plan = z.strictObject({
  format: z.literal(1),
  device: z.string(),
  /** {@link parseLoader} looks into it. */
  loader: z.unknown(),
  baudRate: z.number().int().positive(),
  network: z.strictObject({
    server: z.string(),
    board: z.string(),
    netmask: z.string(),
    gateway: z.string().exactOptional(),
  }),
  memory: z.array(z.strictObject({ start: address, end: address })),
  regions: z.array(z.strictObject({ name: z.string(), address, sizeBytes: bytes, reserved: z.boolean() })),
  lines: z
    .array(
      z.strictObject({
        stage: z.enum(BOOT_STAGES),
        text: z.string(),
        file: z.string().exactOptional(),
        onFailure: z.string().exactOptional(),
        onSuccess: z.string().exactOptional(),
      }),
    )
    .min(1),
})

/**
 * Reads the text of a boot.json, which people edit: no two regions of the plan overlap, and whatever is transferred goes
 * to the start of one.
 */
export function parseBootFile(text: string): Result<BootFile, { readonly message: string }> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return failure({ message: `it is not JSON: ${(error as Error).message}` })
  }
  const format = (json as { format?: unknown } | null)?.format
  if (format !== 1) return failure({ message: 'it is no boot.json of this version of Firmwright' })
  const parsed = plan.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return failure({ message: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}` })
  }
  const loader = parseLoader(parsed.data.loader)
  if (!loader.ok) return failure({ message: loader.error.message })
  const file: BootFile = { ...parsed.data, loader: loader.value }
  const wrong = misplaced(file)
  return wrong === undefined ? success(file) : failure({ message: wrong })
}

/** What would be overwritten, or goes nowhere. */
function misplaced({ regions, lines, loader }: BootFile): string | undefined {
  const [overlap] = overlaps({ regions })
  if (overlap !== undefined) {
    const both = overlap.flatMap((name) => regions.find((region) => region.name === name) ?? [])
    return `its plan has ${both.map((one) => `${one.name} (${showRegion(one)})`).join(' and ')} overlap`
  }
  for (const { stage, text } of lines) {
    const to = stage === 'transfer' ? Number(/^tftpboot (0x[0-9a-f]+) /.exec(text)?.[1]) : undefined
    if (to === undefined) continue
    const physical = toPhysicalAddress(loader.addresses, to)
    if (!regions.some((region) => region.address === physical))
      return `"${text}" goes to where its plan has no region`
  }
  return undefined
}
