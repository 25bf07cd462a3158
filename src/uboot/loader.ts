/**
 * What is known of one boot loader, as data: a JSON file a loader. Nothing is assumed beyond what the file says, and a
 * combination that it does not have is refused by name.
 */
import { ARCHITECTURES, type Architecture } from './legacy.ts'
import { failure, type LoaderDataError, type Result, success } from './result.ts'

/** Kernel formats, by the command that boots them and what it must be able to unpack. */
export const KERNEL_FORMATS = [
  'image', // booti
  'image-compressed', // booti with kernel_comp_addr_r and kernel_comp_size
  'zimage', // bootz
  'uimage-none', // bootm
  'uimage-gzip',
  'uimage-lzma',
  'fit', // bootm
] as const
export type KernelFormat = (typeof KERNEL_FORMATS)[number]

/** How the loader's countdown is stopped. */
export type Autoboot =
  /** There is no countdown: the prompt comes at once. */
  | { readonly type: 'none' }
  /** Any key, or this one. */
  | { readonly type: 'key'; readonly key: string }
  /** A password of sorts, typed as a whole. */
  | { readonly type: 'string'; readonly text: string }

export interface Loader {
  /** For messages: `U-Boot 2023.01 qemu_arm64`. */
  readonly name: string
  /** As it ends a line: `=> `. */
  readonly prompt: string
  readonly autoboot: Autoboot
  /** The longest line that is taken whole. */
  readonly lineLimitBytes: number
  /** Commands that it has, first words only: `tftpboot`, `booti`, `fdt`, `lzmadec`. */
  readonly commands: readonly string[]
  readonly formats: readonly KernelFormat[]
  /** As images call the processor: a script for another one is refused. */
  readonly architecture: Architecture
  readonly wordBits: 32 | 64
  /** Default environment; absent where it is not set. */
  readonly fdtHigh?: string
  readonly initrdHigh?: string
  /** How much it takes at the top of the RAM: itself, heap, stack. */
  readonly ownSizeBytes: number
  /** The most RAM that it sees and uses, where that is less than a board may have. */
  readonly ramLimitBytes?: number
  /** The longest kernel that `bootm` unpacks (CONFIG_SYS_BOOTM_LEN). */
  readonly unpackLimitBytes?: number
  /** Addresses are physical, or those of MIPS's KSEG0. */
  readonly addresses: 'physical' | 'kseg0'
  /** Takes an initramfs as it is (`ADDRESS:SIZE`). */
  readonly rawInitramfs: boolean
  /** Hands a device tree to the kernel, and can edit it: otherwise the kernel only has the one built into it. */
  readonly tree: boolean
  /** The tree that it has itself, at `${fdtcontroladdr}`, where a kernel can be started with that. */
  readonly ownTree?: OwnTree
  /**
   * `hush` (CONFIG_HUSH_PARSER) has conditions and `$?`; the older, simpler parser stops a script at the first line that
   * fails, and says of no line whether it did.
   */
  readonly shell: 'hush' | 'simple'
  /** Where each field's value is from, by the name of the field: a document, or what was seen on which board. */
  readonly sources: Readonly<Record<string, string>>
}

export interface OwnTree {
  /** Of the whole file, room in it included: what is copied when it is handed over. */
  readonly sizeBytes: number
  /** `#address-cells` and `#size-cells` of its root. */
  readonly addressCells: 1 | 2
  readonly sizeCells: 1 | 2
}

export interface Needs {
  readonly format: KernelFormat
  readonly commands: readonly string[]
  readonly initramfs: boolean
  readonly tree: boolean
}

const FORMAT_COMMANDS: Readonly<Record<KernelFormat, string>> = {
  image: 'booti',
  'image-compressed': 'booti',
  zimage: 'bootz',
  'uimage-none': 'bootm',
  'uimage-gzip': 'bootm',
  'uimage-lzma': 'bootm',
  fit: 'bootm',
}

/** What the loader would need and does not have, each as a sentence; empty when it can do it all. */
export function missingAbilities(loader: Loader, needs: Needs): readonly string[] {
  const missing: string[] = []
  if (!loader.formats.includes(needs.format)) {
    missing.push(
      `${loader.name} does not boot the format "${needs.format}"; it takes ${loader.formats.join(', ') || 'none'}`,
    )
  }
  const commands = new Set([FORMAT_COMMANDS[needs.format], ...needs.commands])
  for (const command of commands) {
    if (!loader.commands.includes(command)) missing.push(`${loader.name} has no command "${command}"`)
  }
  if (needs.initramfs && !loader.rawInitramfs) missing.push(`${loader.name} takes no initramfs as it is`)
  if (needs.tree && !loader.tree) missing.push(`${loader.name} hands no device tree to the kernel`)
  return missing
}

/** Reads what `JSON.parse` gave for a loader data file. Fields that are not known are refused too: they are typos. */
export function parseLoader(json: unknown): Result<Loader, LoaderDataError> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return bad('', 'is not an object')
  const fields = new Map<string, unknown>(Object.entries(json))
  const unknown = [...fields.keys()].find((field) => !(field in CHECKS))
  if (unknown !== undefined) return bad(unknown, 'is not a field of a loader')
  for (const [field, check] of Object.entries(CHECKS)) {
    const value = fields.get(field)
    if (value === undefined && OPTIONAL.has(field)) continue
    const why = check(value)
    if (why !== undefined) return bad(field, why)
  }
  // Every field was checked above, and there are no others.
  return success(json as Loader)
}

function bad(field: string, why: string) {
  const message = `a loader data file: ${field === '' ? 'it' : `"${field}"`} ${why}`
  return failure<LoaderDataError>({ type: 'bad-loader', field, message })
}

type Check = (value: unknown) => string | undefined

const text: Check = (value) => (typeof value === 'string' && value !== '' ? undefined : 'is not a text')
const flag: Check = (value) => (typeof value === 'boolean' ? undefined : 'is neither true nor false')
const count: Check = (value) => {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
    ? undefined
    : 'is not a number of bytes'
}
const oneOf = (...choices: readonly unknown[]): Check => {
  return (value) => (choices.includes(value) ? undefined : `is none of ${choices.join(', ')}`)
}
const listOf = (check: Check): Check => {
  return (value) => {
    if (!Array.isArray(value)) return 'is not a list'
    return value.map(check).find((why) => why !== undefined)
  }
}
const sources: Check = (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is not an object'
  const stray = Object.entries(value).find(([name, said]) => !(name in CHECKS) || text(said) !== undefined)
  return stray === undefined ? undefined : `has "${stray[0]}", which is not a field of a loader with a text`
}
const ownTree: Check = (value) => {
  if (typeof value !== 'object' || value === null) return 'is not an object'
  const fields = Object.keys(value).sort().join()
  if (fields !== 'addressCells,sizeBytes,sizeCells') return 'is not sizeBytes, addressCells and sizeCells'
  const { sizeBytes, addressCells, sizeCells } = value as Record<string, unknown>
  if (![addressCells, sizeCells].every((cells) => cells === 1 || cells === 2)) return 'has cells of 1 or 2'
  return count(sizeBytes)
}
const autoboot: Check = (value) => {
  if (typeof value !== 'object' || value === null || !('type' in value)) return 'does not say its "type"'
  const extra = { none: undefined, key: 'key', string: 'text' }
  const { type } = value
  if (type !== 'none' && type !== 'key' && type !== 'string') return 'is none of none, key, string'
  const expected = extra[type]
  const others = Object.entries(value).filter(([name]) => name !== 'type')
  if (expected === undefined) return others.length === 0 ? undefined : 'has more than its "type"'
  const [only] = others
  if (others.length !== 1 || only?.[0] !== expected) return `must have "${expected}" beside its "type"`
  return text(only[1])
}

const CHECKS: Readonly<Record<keyof Loader, Check>> = {
  name: text,
  prompt: text,
  autoboot,
  lineLimitBytes: count,
  commands: listOf(text),
  formats: listOf(oneOf(...KERNEL_FORMATS)),
  architecture: oneOf(...Object.keys(ARCHITECTURES)),
  wordBits: oneOf(32, 64),
  fdtHigh: text,
  initrdHigh: text,
  ownSizeBytes: count,
  ramLimitBytes: count,
  addresses: oneOf('physical', 'kseg0'),
  rawInitramfs: flag,
  tree: flag,
  unpackLimitBytes: count,
  ownTree,
  shell: oneOf('hush', 'simple'),
  sources,
}
const OPTIONAL: ReadonlySet<string> = new Set([
  'fdtHigh',
  'initrdHigh',
  'ramLimitBytes',
  'unpackLimitBytes',
  'ownTree',
])
